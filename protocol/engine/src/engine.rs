//! The engine: one device of one account, all its rooms; what happens to it is sorted here and
//! decided in the modules of the nouns.

use std::collections::{BTreeMap, BTreeSet};

use identity::AccountBinding;
use machine::{Entropy, Machine, Timestamp};
use mls::DeviceKeys;
use wire::{Account, ErrorCode, MessageId, RoomId};

use crate::{
    CommandId, Input, Notice, Output, Snapshot, Warning,
    device::Packages,
    intent::Intents,
    record::{ContactRow, CursorRow, IntentRow, InvitationRow, mls_record},
    request::Requests,
    room::{Group, Joins, Lost, Room},
    session::Session,
    stage::Stage,
    trust::{Contacts, Domains, Trust, Wants},
    view::{InvitationView, RoomView},
};

/// One device of one account, all its rooms. See the crate's documentation for the loop.
pub struct Engine<E> {
    pub(crate) keys: DeviceKeys,
    pub(crate) entropy: E,
    pub(crate) now: Timestamp,
    pub(crate) stage: Stage,
    pub(crate) session: Option<Session>,
    pub(crate) requests: Requests,
    pub(crate) cursor: CursorRow,
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    pub(crate) joins: Joins,
    pub(crate) intents: Intents,
    pub(crate) trust: Trust,
    pub(crate) packages: Packages,
    pub(crate) invitations: BTreeMap<RoomId, InvitationRow>,
    /// Commands that wait for an account's keys.
    pub(crate) lookups: BTreeMap<Account, Vec<CommandId>>,
    /// Rooms in which there may be something to do.
    pub(crate) touched: BTreeSet<RoomId>,
    /// This account shows that it is here.
    pub(crate) shown: bool,
    timers: BTreeSet<(Timestamp, RoomId)>,
    keys_told: BTreeSet<Account>,
    stopped: bool,
}

impl<E: Entropy> Engine<E> {
    /// An engine over what the store holds.
    ///
    /// # Errors
    /// `KeyUnverified` if the device's own domain is not pinned ([`Snapshot::pin`]). `Malformed` if
    /// the store gives back what this program cannot have written; as `identity::Chain` if the
    /// documents in it do not hold.
    pub fn open(
        keys: DeviceKeys,
        mut snapshot: Snapshot,
        entropy: E,
        now: Timestamp,
    ) -> Result<Self, ErrorCode> {
        let mut rooms = BTreeMap::new();
        for (id, row) in &snapshot.rooms {
            let roster = snapshot.rosters.get(id).ok_or(ErrorCode::Malformed)?;
            let mut room = Room::load(*id, row, roster, snapshot.mls.remove(id))?;
            if room.lacks_group() && room.lost.is_none() {
                room.lost = Some(Lost::new(ErrorCode::NotFound));
            }
            rooms.insert(*id, room);
        }
        let intents = Intents::load(snapshot.intents, &mut rooms)?;
        let own = keys.account.domain();
        if !snapshot.pins.contains_key(own) && !snapshot.domains.contains_key(own.as_str()) {
            return Err(ErrorCode::KeyUnverified);
        }
        let trust = Trust {
            domains: Domains::load(snapshot.domains, snapshot.pins)?,
            contacts: Contacts::load(snapshot.contacts)?,
            wants: Wants::default(),
            own: Some((keys.account.clone(), *AccountBinding::parse(&keys.binding)?.account_key())),
            ..Trust::default()
        };
        let mut touched: BTreeSet<RoomId> = rooms.keys().copied().collect();
        touched.extend(snapshot.joins.keys());
        Ok(Self {
            keys,
            entropy,
            now,
            stage: Stage::default(),
            session: None,
            requests: Requests::default(),
            cursor: snapshot.cursor,
            rooms,
            joins: Joins::load(snapshot.joins),
            intents,
            trust,
            packages: Packages::load(snapshot.key_packages),
            invitations: snapshot.invitations,
            lookups: BTreeMap::new(),
            touched,
            timers: BTreeSet::new(),
            shown: false,
            keys_told: BTreeSet::new(),
            stopped: false,
        })
    }

    /// The account of this device.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.keys.account
    }

    /// Every room, in no particular order of interest.
    #[must_use]
    pub fn rooms(&self) -> Vec<RoomView> {
        self.rooms.values().map(|room| room.view(self.intents.of(room.id).count())).collect()
    }

    /// One room.
    #[must_use]
    pub fn room(&self, room: RoomId) -> Option<RoomView> {
        self.rooms.get(&room).map(|found| found.view(self.intents.of(room).count()))
    }

    /// Invitations that wait for an answer.
    #[must_use]
    pub fn invitations(&self) -> Vec<InvitationView> {
        self.invitations.values().filter_map(InvitationView::from_row).collect()
    }

    /// What is queued for a room, in order: the tail of its timeline.
    #[must_use]
    pub fn queued(&self, room: RoomId) -> Vec<IntentRow> {
        let mut queued: Vec<IntentRow> = self.intents.of(room).cloned().collect();
        queued.sort_by_key(|row| row.number);
        queued
    }

    /// The accounts whose keys were seen.
    #[must_use]
    pub fn contacts(&self) -> Vec<ContactRow> {
        self.trust.contacts.all().cloned().collect()
    }

    /// The accounts of which the user wants to hear nothing.
    #[must_use]
    pub fn blocked(&self) -> Vec<Account> {
        self.trust.contacts.blocked().cloned().collect()
    }

    /// Everything that the node has stored for this device was here at some moment of this session.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.caught_up)
    }

    /// A Welcome is here, and what is needed to judge it is on its way.
    #[must_use]
    pub fn joining(&self) -> bool {
        self.joins.are_fetched()
    }

    /// A secret-derived value that all members of a room's epoch share. For tests that compare
    /// members; `None` if this device is not in the room.
    pub fn epoch_authenticator(&mut self, room: RoomId) -> Option<Vec<u8>> {
        let keys = &self.keys;
        self.rooms.get_mut(&room)?.live(keys).ok().map(|member| member.epoch_authenticator())
    }

    /// Does something to a room with the rest of the engine at hand; nothing if it is not there.
    pub(crate) fn with_room<T>(
        &mut self,
        id: RoomId,
        act: impl FnOnce(&mut Self, &mut Room) -> T,
    ) -> Option<T> {
        let mut room = self.rooms.remove(&id)?;
        let result = act(self, &mut room);
        self.rooms.insert(id, room);
        Some(result)
    }

    /// A new id.
    pub(crate) fn new_id(&mut self) -> MessageId {
        MessageId::new(self.entropy.array())
    }

    /// Looks at a room again at this time.
    pub(crate) fn wake_for(&mut self, at: Timestamp, room: RoomId) {
        self.timers.insert((at, room));
        // The newest time replaces those before, so it is always the earliest of all.
        if let Some((first, _)) = self.timers.first() {
            self.stage.wake_at(*first);
        }
    }

    /// A number of milliseconds between 0 and `below`, to keep devices from acting at once.
    pub(crate) fn jitter_ms(&mut self, below: u64) -> u64 {
        u64::from_le_bytes(self.entropy.array()) % below.max(1)
    }

    fn tick(&mut self) {
        while let Some((at, room)) = self.timers.first().copied() {
            if at > self.now {
                self.stage.wake_at(at);
                break;
            }
            self.timers.pop_first();
            self.touched.insert(room);
        }
    }

    /// Does whatever can be done now that could not be done before.
    fn go_on(&mut self) {
        while let Some(room) = self.touched.pop_first() {
            self.work(room);
        }
        self.fetch();
        for account in std::mem::take(&mut self.trust.changed_keys) {
            if self.keys_told.insert(account.clone()) {
                self.stage.notify(Notice::Warning(Warning::KeyChanged { account }));
            }
        }
        for record in std::mem::take(&mut self.trust.changed) {
            self.stage.record(record);
        }
    }

    /// Makes one transaction of everything that changed.
    fn flush(&mut self) {
        for id in std::mem::take(&mut self.stage.mls) {
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            for (key, value) in room.take_group_changes() {
                self.stage.record(mls_record(id, &key, value));
            }
        }
        for id in std::mem::take(&mut self.stage.rooms) {
            if let Some(room) = self.rooms.get(&id) {
                self.stage.put(&room.row());
            }
        }
        for id in std::mem::take(&mut self.stage.rosters) {
            if let Some(room) = self.rooms.get(&id) {
                self.stage.put(&room.roster_row());
            }
        }
        for id in std::mem::take(&mut self.stage.intents) {
            match self.intents.get(id) {
                Some(row) => self.stage.put(row),
                None => self.stage.gone(&IntentRow { intent: id.to_bytes(), ..IntentRow::default() }),
            }
        }
        if std::mem::take(&mut self.stage.cursor) {
            self.stage.put(&self.cursor);
            self.acknowledge();
        }
        self.stage.close();
    }

    /// Forgets a room's group: its rows go with the next transaction.
    pub(crate) fn drop_group(&mut self, room: &mut Room) {
        for key in std::mem::take(&mut room.group_keys) {
            self.stage.record(mls_record(room.id, &key, None));
        }
        room.group = Group::None;
        self.stage.mls.remove(&room.id);
    }

    /// Forgets a room of which nothing has come.
    pub(crate) fn forget_room(&mut self, id: RoomId) {
        self.with_room(id, Self::drop_group);
        if let Some(room) = self.rooms.remove(&id) {
            self.stage.gone(&room.row());
            self.stage.gone(&room.roster_row());
        }
        self.stage.rooms.remove(&id);
        self.stage.rosters.remove(&id);
        self.stage.notify(Notice::Room(id));
    }
}

impl<E: Entropy> Machine for Engine<E> {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Timestamp, input: Input) {
        self.now = now;
        if self.stopped {
            return;
        }
        match input {
            Input::Connected(ready) => self.connected(&ready),
            Input::Disconnected => self.disconnected(),
            Input::Frame(frame) => self.frame(frame),
            Input::Command(id, command) => self.command(id, command),
            Input::Recalled(room, rows) => self.recalled(room, &rows),
            Input::Persisted(mark) => self.stage.persisted(mark),
            Input::Failed => {
                self.stopped = true;
                self.stage.abandon();
                self.stage.notify(Notice::Stopped);
                self.stage.close();
            }
            Input::Tick => self.tick(),
        }
        if !self.stopped {
            self.go_on();
        }
    }

    fn poll(&mut self) -> Option<Output> {
        if !self.stopped && !self.stage.is_empty() {
            self.flush();
        }
        self.stage.poll()
    }
}
