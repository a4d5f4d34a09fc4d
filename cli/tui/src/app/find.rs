//! Finding: another room by a few letters, a message by its text, the rest of a name.

use client::{Account, RoomKind, Standing};
use engine::view::fits;

use super::App;
use crate::{
    Deed,
    effect::Effect,
    input::Hit,
    key::Action,
    mode::{Choice, Finder, Mode},
    notice::Tone,
    text::steady,
};

/// Choices that are offered.
const CHOICES: usize = 50;
/// What is found and kept.
const HITS: usize = 200;

impl App {
    pub(super) fn act_finding(&mut self, action: Action) {
        let count = match &self.mode {
            Mode::Switch(finder) => self.choices(finder).len(),
            Mode::Search(search) => search.hits.len(),
            _ => return,
        };
        let moved = |place: usize| match action {
            Action::Up => place.checked_sub(1).unwrap_or(count.saturating_sub(1)),
            _ if place + 1 < count => place + 1,
            _ => 0,
        };
        match (&mut self.mode, action) {
            (Mode::Switch(finder), Action::Up | Action::Down) => finder.place = moved(finder.place),
            (Mode::Search(search), Action::Up | Action::Down) => search.place = moved(search.place),
            (Mode::Switch(_), Action::Choose) => self.go(),
            (Mode::Search(_), Action::Choose) => self.search(),
            _ => self.mode = Mode::Compose,
        }
    }

    /// What the letters fit: rooms, people whose keys are known, and what could be made.
    pub(crate) fn choices(&self, finder: &Finder) -> Vec<Choice> {
        let letters = finder.editor.text().trim();
        let mut choices: Vec<Choice> =
            self.rooms.find(letters).into_iter().map(|room| Choice::Room(room.id)).collect();
        let is_direct = |account: &Account| {
            self.rooms.all().iter().any(|room| {
                room.kind == RoomKind::Direct
                    && room.standing != Standing::Left
                    && (room.peer.as_ref() == Some(account) || room.inviter.as_ref() == Some(account))
            })
        };
        let open = |account: &&Account| self.me() != Some(*account) && !is_direct(account);
        if !letters.is_empty() {
            let mut known: Vec<(i64, &Account)> = self
                .people
                .keys()
                .filter(open)
                .filter_map(|account| Some((fits(letters, account.as_str())?, account)))
                .collect();
            known.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
            choices.extend(known.into_iter().map(|(_, account)| Choice::Direct(account.clone())));
        }
        if let Ok(account) = Account::from_input(letters)
            && open(&&account)
            && !self.people.contains_key(&account)
        {
            choices.push(Choice::Direct(account));
        }
        if let Some(name) = letters.strip_prefix('#').filter(|name| !name.is_empty())
            && !self.rooms.all().iter().any(|room| room.name == name)
        {
            choices.push(Choice::Create(name.to_owned()));
        }
        choices.truncate(CHOICES);
        choices
    }

    fn go(&mut self) {
        let Mode::Switch(finder) = std::mem::replace(&mut self.mode, Mode::Compose) else { return };
        match self.choices(&finder).into_iter().nth(finder.place) {
            Some(Choice::Room(room)) => self.open(room),
            Some(Choice::Direct(account)) => {
                let called = account.to_string();
                self.begin_opening(Deed::Direct(account), called);
            }
            Some(Choice::Create(name)) => {
                self.say(Tone::Remark, "comity room invite brings others in");
                let called = format!("#{name}");
                self.begin_opening(Deed::Create(name), called);
            }
            None => self.say(
                Tone::Remark,
                "nothing fits: bob@umbrella.example writes to somebody, #name makes a group",
            ),
        }
    }

    /// Searches; or, if that was done, goes to what is chosen.
    fn search(&mut self) {
        let Mode::Search(search) = &mut self.mode else { return };
        let words = search.editor.text().trim().to_owned();
        if words.is_empty() {
            return;
        }
        if words == search.words {
            if let Some(hit) = search.hits.get(search.place) {
                let (room, seq) = (hit.message.room, hit.message.seq);
                self.open_at(room, seq);
            }
            return;
        }
        self.round += 1;
        search.round = self.round;
        search.words.clone_from(&words);
        search.hits.clear();
        search.place = 0;
        search.done = false;
        let round = self.round;
        self.do_it(Effect::Find { words, round });
    }

    pub(super) fn take_hits(&mut self, round: u64, hits: Vec<Hit>, done: bool) {
        if let Mode::Search(search) = &mut self.mode
            && search.round == round
        {
            search.hits.extend(hits);
            search.hits.sort_by_key(|hit| std::cmp::Reverse(hit.message.time_ms));
            search.hits.truncate(HITS);
            search.done = done;
        }
    }

    /// Completes the name at the cursor by those who are in the room.
    pub(super) fn complete(&mut self) {
        let (start, word) = self.composer.editor.word();
        let Some(begun) = word.strip_prefix('@').map(str::to_lowercase) else { return };
        let Some(room) = self.open_room() else { return };
        let me = self.me();
        let others =
            || room.members.iter().map(|member| &member.account).filter(|account| me != Some(*account));
        let found: Vec<&Account> = others().filter(|account| account.as_str().starts_with(&begun)).collect();
        let name = |account: &Account| {
            let alone = others().filter(|other| other.local() == account.local()).count() == 1;
            if alone { format!("@{}", account.local()) } else { format!("@{account}") }
        };
        match found.as_slice() {
            [] => {}
            [only] => {
                let text = format!("{} ", name(only));
                self.composer.editor.complete(start, &text);
                self.tell_typing();
            }
            several => {
                let names: Vec<String> = several.iter().map(|account| steady(account.as_str())).collect();
                self.say(Tone::Remark, &names.join("  "));
            }
        }
    }
}
