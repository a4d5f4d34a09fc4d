//! A device with its store.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use engine::{
    Engine, Input, Notice, Output, Record, Snapshot, Table,
    device::{DeviceKeys, Login},
    record::{self, MessageRow},
    view::{self, Body, TimelineItem},
};
use machine::{Machine as _, Seeded, Timestamp};
use wire::{
    Account, RoomId, SecretKey,
    proto::{ClientFrame, NodeFrame},
};

pub struct Phone {
    pub account: Account,
    pub keys: DeviceKeys,
    pub account_key: SecretKey,
    pub rows: BTreeMap<(Table, Bytes), Bytes>,
    pub notices: Vec<Notice>,
    pub inbox: VecDeque<NodeFrame>,
    pub online: bool,
    pub subscribed: Option<u64>,
    pub caught_up: bool,
    /// The next writes are refused.
    pub store_fails: bool,
    /// How many transactions were written.
    pub writes: usize,
    /// The process ends at this transaction, just before or just after it is written.
    pub crash_at: Option<(usize, bool)>,
    pub crashed: bool,
    pub wake: Option<Timestamp>,
    fingerprint: [u8; 32],
    entropy: Seeded,
    engine: Option<Engine<Seeded>>,
}

impl Phone {
    pub fn new(login: Login, fingerprint: [u8; 32], entropy: Seeded) -> Self {
        Self {
            account: login.keys.account.clone(),
            keys: login.keys,
            account_key: login.account_key,
            rows: BTreeMap::new(),
            notices: Vec::new(),
            inbox: VecDeque::new(),
            online: false,
            subscribed: None,
            caught_up: false,
            store_fails: false,
            writes: 0,
            crash_at: None,
            crashed: false,
            wake: None,
            fingerprint,
            entropy,
            engine: None,
        }
    }

    pub fn open(&mut self, now: Timestamp) {
        let mut snapshot = Snapshot::from_rows(&self.rows).unwrap();
        snapshot.pin(self.account.domain(), self.fingerprint);
        let entropy = Seeded::new(self.entropy.next());
        self.engine = Some(Engine::open(self.keys.clone(), snapshot, entropy, now).unwrap());
    }

    pub fn engine(&mut self) -> &mut Engine<Seeded> {
        self.engine.as_mut().unwrap()
    }

    pub fn input(&mut self, now: Timestamp, input: Input) {
        self.engine().handle(now, input);
    }

    /// Lets everything out; what is to be sent comes back.
    pub fn drain(&mut self, now: Timestamp) -> Vec<ClientFrame> {
        let mut frames = Vec::new();
        while let Some(output) = self.engine().poll() {
            match output {
                Output::Persist(mark, records) => {
                    if self.store_fails {
                        self.input(now, Input::Failed);
                        continue;
                    }
                    let crash = self.crash_at.filter(|(at, _)| *at == self.writes + 1);
                    if crash.is_none_or(|(_, written)| written) {
                        self.write(records);
                    }
                    if crash.is_some() {
                        self.crash_at = None;
                        self.crashed = true;
                        return Vec::new();
                    }
                    self.input(now, Input::Persisted(mark));
                }
                Output::Send(frame) => frames.push(frame),
                Output::Recall(room) => {
                    let rows = self.messages(room);
                    self.input(now, Input::Recalled(room, rows));
                }
                Output::WakeAt(at) => self.wake = Some(at),
                Output::Notify(notice) => self.notices.push(notice),
            }
        }
        frames
    }

    fn write(&mut self, records: Vec<Record>) {
        self.writes += 1;
        record::apply(&mut self.rows, records);
    }

    /// The rows of a room's timeline.
    pub fn messages(&self, room: RoomId) -> Vec<MessageRow> {
        self.rows
            .iter()
            .filter(|((table, key), _)| *table == Table::Message && key.starts_with(room.as_bytes()))
            .map(|(_, value)| MessageRow::parse(value).unwrap())
            .collect()
    }

    pub fn timeline(&self, room: RoomId) -> Vec<TimelineItem> {
        let engine = self.engine.as_ref().unwrap();
        let Some(view) = engine.room(room) else { return Vec::new() };
        view::timeline(&self.account, &view, &self.messages(room), &engine.queued(room))
    }

    pub fn texts(&self, room: RoomId) -> Vec<String> {
        let text = |item: TimelineItem| match item.body {
            Body::Text(text) => Some(text),
            _ => None,
        };
        self.timeline(room).into_iter().filter_map(text).collect()
    }

    /// The group of a room as it is stored, for acting behind the engine's back.
    pub fn member(&self, room: RoomId) -> mls::Member {
        let rows = self.rows.iter().filter_map(|((table, key), value)| {
            let key = key.strip_prefix(room.as_bytes())?;
            (*table == Table::Mls).then(|| (key.to_vec(), value.to_vec().into()))
        });
        mls::Member::load(&self.keys, &room, rows.collect()).unwrap()
    }

    /// Whether a notice came that fits.
    pub fn told(&self, fits: impl Fn(&Notice) -> bool) -> bool {
        self.notices.iter().any(fits)
    }
}
