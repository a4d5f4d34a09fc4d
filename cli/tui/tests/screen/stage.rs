//! A screen without a terminal: a device's answers by hand, keys as a person presses them, and what
//! stands on it as text.

use client::{
    Account, Belief, Level, Member, Message, MessageBody, MessageId, Mode, Page, Person, Reaction, Role,
    Room, RoomId, RoomKind, Standing, Status,
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};
use tui::{App, Effect, Input, Palette, Part, Settings, Theme};

/// Monday, 23 November 2026, 09:00 UTC.
pub(crate) const NOW: u64 = 1_795_424_400_000;

pub(crate) const BOB: &str = "bob@umbrella.test";
pub(crate) const ALICE: &str = "alice@acme.test";

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) now: u64,
    size: (u16, u16),
}

pub(crate) fn account(name: &str) -> Account {
    name.parse().expect("an account")
}

pub(crate) const fn room_id(number: u8) -> RoomId {
    RoomId::new([number; 32])
}

pub(crate) fn message_id(number: u64) -> MessageId {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    MessageId::new(id)
}

pub(crate) fn member(name: &str) -> Member {
    Member {
        account: account(name),
        role: Role::Member,
        unverified: None,
        managed: false,
        held: false,
        declined: false,
    }
}

pub(crate) fn room(number: u8, name: &str, members: &[&str]) -> Room {
    Room {
        id: room_id(number),
        kind: RoomKind::Group,
        name: name.to_owned(),
        topic: String::new(),
        peer: None,
        hub: Some("acme.test".parse().expect("a domain")),
        standing: Standing::Member,
        inviter: None,
        members: members.iter().map(|name| member(name)).collect(),
        epoch: 3,
        seq: 20,
        read_seq: 20,
        unread: 0,
        mentions: 0,
        notify: client::Notify::All,
        time_ms: NOW - u64::from(number) * 60_000,
        behind: false,
        problem: None,
    }
}

pub(crate) fn direct(number: u8, peer: &str) -> Room {
    Room { kind: RoomKind::Direct, peer: Some(account(peer)), ..room(number, "", &["alice@acme.test", peer]) }
}

pub(crate) fn said(seq: u64, sender: &str, minutes_ago: u64, text: &str) -> Message {
    let own = sender == "alice@acme.test";
    Message {
        room: room_id(1),
        id: message_id(seq),
        intent: own.then(|| message_id(seq + 1_000)),
        seq,
        sender: Some(account(sender)),
        own,
        time_ms: NOW - minutes_ago * 60_000,
        body: MessageBody::Text(text.to_owned()),
        edited: false,
        reply_to: None,
        reactions: Vec::new(),
        level: own.then_some(Level::Read),
        failed: None,
    }
}

pub(crate) fn reaction(emoji: &str, by: &[&str]) -> Reaction {
    Reaction { emoji: emoji.to_owned(), by: by.iter().map(|name| (*name).to_owned()).collect() }
}

pub(crate) fn status(connected: bool) -> Status {
    Status {
        account: account("alice@acme.test"),
        device: client::DeviceId::new([1; 16]),
        connected,
        endpoint: "127.0.0.1:4433".to_owned(),
        problem: (!connected).then(|| "the node of acme.test cannot be reached".to_owned()),
        shut_out: None,
        caught_up: connected,
        rooms: 2,
        invitations: 0,
        unread: 0,
        unsent: 0,
        protection: client::Protection::File,
        peers: Vec::new(),
        present: Vec::new(),
    }
}

pub(crate) fn person(name: &str, belief: Belief) -> Person {
    Person {
        account: account(name),
        belief,
        mode: Mode::UserHeld,
        fingerprint: "0f".repeat(32),
        safety_number: None,
        blocked: false,
        changed: None,
        domain_fingerprint: None,
    }
}

/// A room in which three things were said, and two others.
pub(crate) fn talk() -> Stage {
    let rooms = vec![room(1, "ops", &[ALICE, BOB]), direct(2, BOB), room(3, "garden", &[ALICE])];
    let messages = vec![said(21, BOB, 9, "one"), said(22, ALICE, 8, "two"), said(23, BOB, 7, "three")];
    let mut stage = Stage::filled((80, 24), rooms, messages);
    stage.effects();
    stage
}

pub(crate) fn page(messages: Vec<Message>) -> Page {
    Page { messages, ..Page::default() }
}

impl Stage {
    pub(crate) fn new(size: (u16, u16)) -> Self {
        Self::with(size, Palette::Dark, true)
    }

    pub(crate) fn with(size: (u16, u16), palette: Palette, unicode: bool) -> Self {
        let settings = Settings {
            theme: Theme { palette },
            unicode,
            mouse: false,
            presence: false,
            desktop: false,
            notify_text: false,
            offset_s: |_| 0,
        };
        Self { app: App::new(settings, size, NOW), now: NOW, size }
    }

    /// The device has these rooms, and this was said in the first of them.
    pub(crate) fn filled(size: (u16, u16), rooms: Vec<Room>, messages: Vec<Message>) -> Self {
        let mut stage = Self::new(size);
        stage.fill(rooms, messages);
        stage
    }

    pub(crate) fn fill(&mut self, rooms: Vec<Room>, messages: Vec<Message>) {
        self.put(Input::Status(Ok(status(true))));
        self.put(Input::People(Ok(vec![
            person("bob@umbrella.test", Belief::Verified),
            person("carol@umbrella.test", Belief::Seen),
            person("dave@acme.test", Belief::Changed),
            person("alice@acme.test", Belief::Own),
        ])));
        self.put(Input::Rooms(Ok(rooms)));
        self.put(Input::Page(room_id(1), Part::Newest, Ok(page(messages))));
    }

    pub(crate) fn put(&mut self, input: Input) {
        self.app.handle(self.now, input);
    }

    pub(crate) fn later(&mut self, ms: u64) {
        self.now += ms;
        self.put(Input::Tick);
    }

    /// What the screen has asked for since.
    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.app.poll()).collect()
    }

    /// What it has asked to send.
    pub(crate) fn sent(&mut self) -> Vec<client::Outgoing> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| if let Effect::Send { what, .. } = effect { Some(what) } else { None })
            .collect()
    }

    pub(crate) fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.put(Input::Key(KeyEvent::new(code, modifiers)));
    }

    pub(crate) fn press(&mut self, code: KeyCode) {
        self.key(code, KeyModifiers::NONE);
    }

    pub(crate) fn ctrl(&mut self, letter: char) {
        self.key(KeyCode::Char(letter), KeyModifiers::CONTROL);
    }

    pub(crate) fn alt(&mut self, letter: char) {
        self.key(KeyCode::Char(letter), KeyModifiers::ALT);
    }

    pub(crate) fn write(&mut self, text: &str) {
        for character in text.chars() {
            self.press(KeyCode::Char(character));
        }
    }

    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.put(Input::Resize(size.0, size.1));
    }

    /// What stands on the screen: each row with its trailing blanks cut off.
    pub(crate) fn screen(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).expect("a terminal");
        terminal.draw(|frame| self.app.draw(frame)).expect("drawn");
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..self.size.1 {
            let mut row = String::new();
            let mut skip = 0;
            for x in 0..self.size.0 {
                let symbol = buffer[(x, y)].symbol();
                assert!(!symbol.chars().any(char::is_control), "{symbol:?} at {x}, {y}");
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
                row.push_str(symbol);
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    /// Whether a text stands on the screen.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }
}
