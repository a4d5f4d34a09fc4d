//! A small world for tests: devices with stores, and one node that is home and hub for every domain.
//! The node keeps the rules of `room::hub`; tests make it lie by touching what it sends.
#![expect(dead_code, unreachable_pub, reason = "each test uses a part of the world")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a world that breaks fails its test"
)]

mod forge;
mod node;
mod phone;

use std::collections::{BTreeMap, BTreeSet};

use engine::{Command, CommandId, Input, Notice, Outcome, Target, device::Enrolment};
use identity::{DomainDocument, DomainKeys};
use machine::{Seeded, Timestamp};
use wire::{Account, DomainName, ErrorCode, RoomId, WireError, proto::*};

pub use node::Node;
pub use phone::Phone;

/// Touches a frame on its way from the node to a device; `false` drops it.
pub type Lie = Box<dyn FnMut(&Account, &mut NodeFrame) -> bool>;

pub struct World {
    pub now: Timestamp,
    pub node: Node,
    pub phones: Vec<Phone>,
    pub lie: Option<Lie>,
    commands: u64,
}

pub fn account(name: &str) -> Account {
    name.parse().unwrap()
}

impl World {
    /// A world with these accounts, all online.
    pub fn new(names: &[&str]) -> Self {
        let now = Timestamp::from_ms(1_800_000_000_000);
        let mut world = Self { now, node: Node::new(now), phones: Vec::new(), lie: None, commands: 0 };
        for name in names {
            world.enrol(name);
        }
        for phone in 0..names.len() {
            world.connect(phone);
        }
        world.run();
        world
    }

    /// Another account with a device, offline.
    pub fn enrol(&mut self, name: &str) -> usize {
        let account = account(name);
        let seed = self.phones.len() as u64 + 100;
        let mut entropy = Seeded::new(seed);
        self.node.domain(account.domain());
        let enrolment = Enrolment::new(account.clone(), self.now, &mut entropy).unwrap();
        let (keys, document) = &self.node.domains[account.domain()];
        let signed = enrolment.keys.binding.as_ref().unwrap();
        let binding = identity::AccountBinding::parse(signed).unwrap().countersign(&keys.binding);
        let answer = AccountKeys { binding: Some(binding.signed().clone()), ..enrolment.keys.clone() };
        let login = enrolment.finish(&answer, document, self.now).unwrap();
        let fingerprint = identity::fingerprint(document.root_key());
        self.node.accounts.insert(account.clone(), answer);
        self.phones.push(Phone::new(login, fingerprint, entropy));
        let index = self.phones.len() - 1;
        self.phones[index].open(self.now);
        index
    }

    pub fn connect(&mut self, phone: usize) {
        let account = self.phones[phone].account.clone();
        let ready = self.node.ready(&account, self.now);
        self.phones[phone].subscribed = None;
        self.phones[phone].inbox.clear();
        self.phones[phone].online = true;
        self.phones[phone].input(self.now, Input::Connected(ready));
    }

    pub fn disconnect(&mut self, phone: usize) {
        self.phones[phone].online = false;
        self.phones[phone].inbox.clear();
        self.phones[phone].input(self.now, Input::Disconnected);
    }

    /// The process ends without a word and begins again from its store.
    pub fn crash(&mut self, phone: usize) {
        self.phones[phone].online = false;
        self.phones[phone].open(self.now);
    }

    /// Everything goes its way until nothing moves.
    pub fn run(&mut self) {
        for _ in 0..10_000 {
            let mut moved = false;
            for index in 0..self.phones.len() {
                moved |= self.turn(index);
            }
            if !moved {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Lets time pass in steps, so that timers ring.
    pub fn wait(&mut self, ms: u64) {
        for _ in 0..20 {
            self.now = self.now.plus_ms(ms.div_ceil(20));
            for phone in &mut self.phones {
                phone.input(self.now, Input::Tick);
            }
            self.run();
        }
    }

    fn turn(&mut self, index: usize) -> bool {
        let mut moved = false;
        let phone = &mut self.phones[index];
        let frames = phone.drain(self.now);
        if std::mem::take(&mut phone.crashed) {
            self.crash(index);
            self.connect(index);
            return true;
        }
        for frame in frames {
            moved = true;
            if self.phones[index].online {
                let account = self.phones[index].account.clone();
                let others = self.node.frame(&account, frame, self.now);
                for (to, answer) in others {
                    self.deliver(&to, answer);
                }
            }
        }
        moved |= self.push_entries(index);
        while let Some(frame) = self.phones[index].inbox.pop_front() {
            moved = true;
            self.phones[index].input(self.now, Input::Frame(frame));
        }
        moved
    }

    fn deliver(&mut self, to: &Account, mut frame: NodeFrame) {
        if let Some(node_frame::Frame::Page(page)) = &frame.frame
            && page.entries.is_empty()
            && !page.caught_up
        {
            return;
        }
        let kept = self.lie.as_mut().is_none_or(|lie| lie(to, &mut frame));
        let Some(phone) = self.phones.iter_mut().find(|phone| phone.account == *to) else { return };
        if let Some(node_frame::Frame::Response(ClientResponse {
            response: Some(client_response::Response::Done(_)),
            ..
        })) = &frame.frame
            && phone.subscribed.is_none()
        {
            phone.subscribed = Some(self.node.subscriptions.get(to).copied().unwrap_or(0));
            phone.caught_up = false;
        }
        if kept && phone.online {
            phone.inbox.push_back(frame);
        }
    }

    fn push_entries(&mut self, index: usize) -> bool {
        let phone = &mut self.phones[index];
        let (true, Some(after)) = (phone.online, phone.subscribed) else { return false };
        let account = phone.account.clone();
        let stream = self.node.streams.get(&account).cloned().unwrap_or_default();
        let from = usize::try_from(after).unwrap().min(stream.len());
        let entries: Vec<Entry> = stream[from..].iter().take(64).cloned().collect();
        if entries.is_empty() && phone.caught_up {
            return false;
        }
        let end = from + entries.len();
        phone.subscribed = Some(end as u64);
        let caught_up = end == stream.len();
        phone.caught_up = caught_up;
        let page = Page { entries, caught_up };
        self.deliver(&account, NodeFrame { frame: Some(node_frame::Frame::Page(page)) });
        true
    }

    /// Gives a command and lets everything go its way; the final word about it, if there was one.
    pub fn command(&mut self, phone: usize, command: Command) -> Option<Result<Outcome, WireError>> {
        let id = self.order(phone, command);
        self.run();
        self.result(phone, id)
    }

    /// Gives a command and does not wait.
    pub fn order(&mut self, phone: usize, command: Command) -> CommandId {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.phones[phone].input(self.now, Input::Command(id, command));
        id
    }

    pub fn result(&self, phone: usize, id: CommandId) -> Option<Result<Outcome, WireError>> {
        self.phones[phone].notices.iter().find_map(|notice| match notice {
            Notice::Finished { command: Some(command), result, .. } if *command == id => Some(result.clone()),
            _ => None,
        })
    }

    pub fn send(&mut self, phone: usize, target: Target, text: &str) -> Option<Result<Outcome, WireError>> {
        self.command(phone, Command::Send { target, text: text.into(), reply_to: None })
    }

    /// A group of the first account with the others, all joined.
    pub fn group(&mut self, name: &str) -> RoomId {
        let members = self.phones[1..].iter().map(|phone| phone.account.clone()).collect();
        let created =
            self.command(0, Command::CreateRoom { name: name.into(), topic: String::new(), members });
        match created {
            Some(Ok(Outcome::Room { room, .. })) => room,
            other => panic!("no room: {other:?}"),
        }
    }

    /// All texts that a device shows in a room, in order.
    pub fn texts(&self, phone: usize, room: RoomId) -> Vec<String> {
        self.phones[phone].texts(room)
    }

    /// Every device in the room has the same secrets.
    pub fn agree(&mut self, room: RoomId, phones: &[usize]) {
        let secrets: BTreeSet<Vec<u8>> = phones
            .iter()
            .map(|phone| self.phones[*phone].engine().epoch_authenticator(room).expect("a member"))
            .collect();
        assert_eq!(secrets.len(), 1, "all are in one epoch");
    }
}

/// The only error that a command ended with.
pub fn error(result: Option<Result<Outcome, WireError>>) -> Option<ErrorCode> {
    result.and_then(Result::err).map(|error| error.code)
}

/// Documents of a domain that nobody knows yet.
pub fn new_domain(name: &DomainName, now: Timestamp) -> (DomainKeys, DomainDocument) {
    let seed = name.as_str().bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
    let keys = DomainKeys::generate(&mut Seeded::new(seed));
    let endpoint = "127.0.0.1:4433".parse().unwrap();
    let document = keys.first_document(name, &[endpoint], now).unwrap();
    (keys, document)
}

pub type Streams = BTreeMap<Account, Vec<Entry>>;
