//! The screen as a machine: what happens goes in, what is to be done comes out, and its state can be
//! drawn at any moment. It knows no terminal, clock or network.

mod act;
mod drop;
mod find;
mod happening;
mod notify;
mod open;
mod opening;
mod pointer;
mod save;
mod select;

use std::collections::{BTreeMap, VecDeque};

use client::{Account, BlobId, PeerView, Person, Room, RoomId, Status};
use ratatui::crossterm::event::KeyEvent;

use crate::{
    composer::Composer,
    editor::Editor,
    effect::{Effect, Part},
    feed::Feed,
    input::{Fault, Input},
    key,
    mode::Mode,
    notice::{Notices, Tone},
    pane,
    room_list::RoomList,
    settings::Settings,
    typing::Typing,
};

/// How often the device is asked how it stands while something is not as it should be.
const LOOK_MS: u64 = 2_000;
/// How often the node is asked what waits for whom.
const PEERS_MS: u64 = 5_000;

/// The screen.
#[derive(Debug)]
pub struct App {
    pub(crate) settings: Settings,
    pub(crate) now: u64,
    pub(crate) size: (u16, u16),
    pub(crate) focused: bool,
    pub(crate) status: Option<Status>,
    pub(crate) rooms: RoomList,
    pub(crate) people: BTreeMap<Account, Person>,
    pub(crate) feed: Option<Feed>,
    pub(crate) composer: Composer,
    /// What was being written before paths were pasted, and after.
    before_paste: Option<(Editor, Editor)>,
    pub(crate) mode: Mode,
    pub(crate) notices: Notices,
    pub(crate) typing: Typing,
    /// Whether the members are shown, if the reader has said so.
    pub(crate) members: Option<bool>,
    effects: VecDeque<Effect>,
    /// What was told to have been read.
    marked: BTreeMap<RoomId, u64>,
    /// The next time to ask how things stand, and what waits for whom.
    look_at: Option<u64>,
    peers_at: u64,
    reading: Readings,
    /// Files that are being saved.
    pub(crate) saving: BTreeMap<BlobId, save::Saving>,
    /// Ctrl-C was the last key.
    armed: bool,
    round: u64,
    /// When each room disturbed last.
    disturbed: BTreeMap<RoomId, u64>,
}

/// What is being read at the moment; a second wish waits for the first.
#[derive(Debug, Default)]
struct Readings {
    rooms: Reading,
    status: Reading,
    people: Reading,
}

/// Whether something is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Idle,
    Under,
    Again,
}

impl Reading {
    /// Wishes for it; whether to begin.
    fn begin(&mut self) -> bool {
        let idle = *self == Self::Idle;
        *self = if idle { Self::Under } else { Self::Again };
        idle
    }

    /// It was read; whether it has to be read once more.
    fn end(&mut self) -> bool {
        std::mem::take(self) == Self::Again
    }
}

impl App {
    /// An empty screen; what it has to know comes in later.
    #[must_use]
    pub fn new(settings: Settings, size: (u16, u16), now_ms: u64) -> Self {
        let mut app = Self {
            settings,
            now: now_ms,
            size,
            focused: true,
            status: None,
            rooms: RoomList::default(),
            people: BTreeMap::new(),
            feed: None,
            composer: Composer::new(),
            before_paste: None,
            mode: Mode::Compose,
            notices: Notices::default(),
            typing: Typing::default(),
            members: None,
            effects: VecDeque::new(),
            marked: BTreeMap::new(),
            look_at: None,
            peers_at: 0,
            reading: Readings::default(),
            saving: BTreeMap::new(),
            armed: false,
            round: 0,
            disturbed: BTreeMap::new(),
        };
        app.show_presence();
        app.read_all();
        app
    }

    /// Something happened.
    pub fn handle(&mut self, now_ms: u64, input: Input) {
        self.now = self.now.max(now_ms);
        match input {
            Input::Key(key) => self.key(key),
            Input::Paste(text) => self.paste(&text),
            Input::Mouse(event) => self.mouse(event),
            Input::Resize(columns, rows) => self.size = (columns, rows),
            Input::Focus(focused) => self.focused = focused,
            Input::Tick => {}
            Input::Happening(happening) => self.happening(happening),
            Input::Rooms(rooms) => self.take_rooms(rooms),
            Input::Status(status) => {
                if self.reading.status.end() {
                    self.read_status();
                }
                if let Some(status) = self.taken(status) {
                    self.status = Some(status);
                }
            }
            Input::People(people) => {
                if self.reading.people.end() {
                    self.read_people();
                }
                if let Some(people) = self.taken(people) {
                    self.people = people.into_iter().map(|person| (person.account.clone(), person)).collect();
                }
            }
            Input::Page(room, part, page) => {
                let page = self.taken(page);
                if let Some(feed) = self.feed.as_mut().filter(|feed| feed.room == room)
                    && feed.take(part, page)
                {
                    self.read_newest();
                }
                if let Part::Around(_) = part {
                    pane::timeline::centre_chosen(self);
                }
            }
            Input::Found(round, hits, done) => self.take_hits(round, hits, done),
            Input::Dropped(room, files) => self.dropped(room, files),
            Input::Saved(blob, outcome) => self.saved(blob, outcome),
            Input::Sent(room, outcome) => self.take_sent(room, outcome),
            Input::Done(deed, outcome) => self.take_done(&deed, outcome),
        }
        self.settle();
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to hand in [`Input::Tick`], if nothing happens before.
    #[must_use]
    pub fn wake_at(&self) -> Option<u64> {
        [self.notices.wake_at(self.now), self.typing.wake_at(self.now), self.look_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// What lies open at this moment.
    pub(crate) fn open_room(&self) -> Option<&Room> {
        self.rooms.open()
    }

    /// The account that looks at the screen.
    pub(crate) fn me(&self) -> Option<&Account> {
        self.status.as_ref().map(|status| &status.account)
    }

    /// Links of the home node that keep something of a room waiting.
    pub(crate) fn troubles<'a>(&'a self, room: &'a Room) -> impl Iterator<Item = &'a PeerView> {
        let peers = self.status.iter().flat_map(|status| &status.peers);
        peers.filter(|peer| {
            room.hub.as_ref() == Some(&peer.domain)
                || room.members.iter().any(|member| member.account.domain() == &peer.domain)
        })
    }

    pub(crate) fn do_it(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    pub(crate) fn say(&mut self, tone: Tone, text: &str) {
        self.notices.say(self.now, tone, text);
    }

    /// What was read, or the reason why not, said aloud.
    fn taken<T>(&mut self, outcome: Result<T, Fault>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(fault) => {
                self.say(Tone::Trouble, &format!("cannot ask the device: {}", fault.text));
                None
            }
        }
    }

    /// Whoever owns the device now may not know of it.
    fn show_presence(&mut self) {
        if self.settings.presence {
            self.do_it(Effect::Do(crate::Deed::Presence));
        }
    }

    /// Whether an account is known to be here.
    pub(crate) fn is_here(&self, account: &Account) -> bool {
        let present = self.status.iter().flat_map(|status| &status.present);
        present.into_iter().any(|present| present == account.as_str())
    }

    fn read_all(&mut self) {
        self.read_rooms();
        self.read_status();
        self.read_people();
        self.read_newest();
    }

    fn read_rooms(&mut self) {
        if self.reading.rooms.begin() {
            self.do_it(Effect::Rooms);
        }
    }

    fn read_status(&mut self) {
        if self.reading.status.begin() {
            self.do_it(Effect::Status);
        }
    }

    fn read_people(&mut self) {
        if self.reading.people.begin() {
            self.do_it(Effect::People);
        }
    }

    fn read_newest(&mut self) {
        let Some(feed) = &mut self.feed else { return };
        let room = feed.room;
        if let Some((part, cursor)) = feed.read_newest() {
            self.do_it(Effect::Page { room, part, cursor });
        }
    }

    fn read_part(&mut self, wish: Option<(Part, client::Cursor)>) {
        if let (Some(feed), Some((part, cursor))) = (&self.feed, wish) {
            let room = feed.room;
            self.do_it(Effect::Page { room, part, cursor });
        }
    }

    fn key(&mut self, key: KeyEvent) {
        let action = key::action(self.mode.place(), key);
        let armed = std::mem::take(&mut self.armed);
        match action {
            Some(action) => self.act(action, armed),
            None => self.type_on(key),
        }
    }

    /// What follows from the state rather than from one input.
    fn settle(&mut self) {
        if let Some(room) = self.typing.idle(self.now) {
            self.do_it(Effect::Do(crate::Deed::Typing(room, false)));
        }
        self.mark_seen();
        self.look_around();
    }

    /// Asks how things stand for as long as they do not stand well.
    fn look_around(&mut self) {
        let well = self.status.as_ref().is_some_and(|status| {
            status.connected && status.caught_up && status.unsent == 0 && status.peers.is_empty()
        }) && !self.underway();
        if well {
            self.look_at = None;
            return;
        }
        match self.look_at {
            Some(at) if at > self.now => return,
            Some(_) => {
                let connected = self.status.as_ref().is_some_and(|status| status.connected);
                if connected && self.now >= self.peers_at {
                    self.peers_at = self.now + PEERS_MS;
                    self.do_it(Effect::Peers);
                }
                self.read_status();
            }
            None => {}
        }
        self.look_at = Some(self.now + LOOK_MS);
    }

    /// Whether an own message that is shown has not come to all domains.
    fn underway(&self) -> bool {
        let own =
            |message: &&client::Message| message.own && message.level.is_some() && message.failed.is_none();
        let newest = self.feed.as_ref().and_then(|feed| feed.messages.iter().rfind(own));
        newest.is_some_and(|message| message.level < Some(client::Level::Stored))
            && self.open_room().is_some_and(|room| room.members.len() > 1)
    }
}
