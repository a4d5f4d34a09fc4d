//! Decides who a session is and what it may still be sent.

use std::collections::{BTreeMap, VecDeque};

use machine::Timestamp;
use wire::{Account, DeviceId, RoomId, limits};

use crate::{Network, SessionId};

/// One open session.
pub(crate) struct Session {
    /// What its hello must be bound to.
    pub(crate) exporter: [u8; 32],
    /// Where it comes from.
    pub(crate) network: Network,
    /// Who it is, once its hello was verified.
    pub(crate) device: Option<(Account, DeviceId)>,
    /// Where it is in its sync stream.
    pub(crate) sync: Sync,
    /// What was sent and is not acknowledged.
    pub(crate) window: Window,
    /// When it began.
    pub(crate) since: Timestamp,
    /// It shows that its account is here.
    pub(crate) shown: bool,
}

/// Where a session is in its sync stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// It has not subscribed.
    Off,
    /// Entries after the position that was sent last come from the store.
    Behind,
    /// Everything stored has been sent: entries are pushed as they come.
    Live,
}

impl Session {
    pub(crate) fn new(exporter: [u8; 32], network: Network, since: Timestamp) -> Self {
        Self {
            exporter,
            network,
            device: None,
            sync: Sync::Off,
            window: Window::default(),
            since,
            shown: false,
        }
    }
}

/// [SYNC-8] What a device was sent and has not acknowledged: at most `SESSION_QUEUE_MAX` entries and
/// `SESSION_WINDOW_BYTES_MAX` bytes, so that a slow device costs a bounded amount of memory.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// The position that was sent last.
    pub(crate) sent: u64,
    /// The position that was acknowledged last.
    pub(crate) acked: u64,
    entries: VecDeque<SentEntry>,
    bytes: usize,
}

#[derive(Debug)]
struct SentEntry {
    position: u64,
    event: Option<(RoomId, u64)>,
    bytes: usize,
}

/// What an acknowledgement covers.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// The newest seq of each room.
    pub(crate) rooms: BTreeMap<RoomId, u64>,
    /// Entries that are no events are among it.
    pub(crate) others: bool,
}

impl Window {
    /// A window that begins after a position that the device holds.
    pub(crate) fn after(position: u64) -> Self {
        Self { sent: position, acked: position, ..Self::default() }
    }

    /// Whether another entry may be sent now.
    pub(crate) fn is_open(&self) -> bool {
        self.entries.len() < limits::SESSION_QUEUE_MAX && self.bytes < limits::SESSION_WINDOW_BYTES_MAX
    }

    /// Takes note of an entry that is sent, with its room and seq if it is an event.
    pub(crate) fn push(&mut self, position: u64, event: Option<(RoomId, u64)>, bytes: usize) {
        self.sent = self.sent.max(position);
        self.bytes += bytes;
        self.entries.push_back(SentEntry { position, event, bytes });
    }

    /// The device has persisted everything up to `position`, which is not beyond what was sent. Returns
    /// what this covers.
    pub(crate) fn ack(&mut self, position: u64) -> Fetched {
        self.acked = self.acked.max(position);
        let mut fetched = Fetched::default();
        while let Some(entry) = self.entries.pop_front_if(|entry| entry.position <= position) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            match entry.event {
                Some((room, seq)) => drop(fetched.rooms.insert(room, seq)),
                None => fetched.others = true,
            }
        }
        fetched
    }

    /// Nothing after `position` was sent after all.
    pub(crate) fn forget_after(&mut self, position: u64) {
        while let Some(entry) = self.entries.pop_back_if(|entry| entry.position > position) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
        self.sent = self.sent.min(position);
    }
}

/// The open sessions and whose they are.
#[derive(Default)]
pub(crate) struct Sessions {
    open: BTreeMap<SessionId, Session>,
    by_account: BTreeMap<Account, BTreeMap<DeviceId, SessionId>>,
}

impl Sessions {
    pub(crate) fn open(&mut self, id: SessionId, session: Session) {
        self.open.insert(id, session);
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.open.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.open.get_mut(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.open.keys().copied().collect()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (SessionId, &mut Session)> {
        self.open.iter_mut().map(|(id, session)| (*id, session))
    }

    /// [SYNC-3] The session is this device's from now on. Returns the one that was before.
    pub(crate) fn authenticate(
        &mut self,
        id: SessionId,
        account: &Account,
        device: DeviceId,
    ) -> Option<SessionId> {
        self.open.get_mut(&id)?.device = Some((account.clone(), device));
        let before = self.by_account.entry(account.clone()).or_default().insert(device, id);
        before.filter(|before| *before != id)
    }

    /// Forgets a session.
    pub(crate) fn close(&mut self, id: SessionId) -> Option<Session> {
        let session = self.open.remove(&id)?;
        if let Some((account, device)) = &session.device
            && let Some(devices) = self.by_account.get_mut(account)
        {
            if devices.get(device) == Some(&id) {
                devices.remove(device);
            }
            if devices.is_empty() {
                self.by_account.remove(account);
            }
        }
        Some(session)
    }

    /// The accounts that have sessions.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.by_account.keys()
    }

    /// The sessions of an account.
    pub(crate) fn of(&self, account: &Account) -> Vec<(DeviceId, SessionId)> {
        let devices = self.by_account.get(account).into_iter().flatten();
        devices.map(|(device, id)| (*device, *id)).collect()
    }

    /// Whether a stored entry is sent to the session now. A session whose window is full is behind
    /// from then on, and goes on from the store.
    pub(crate) fn push(
        &mut self,
        id: SessionId,
        position: u64,
        event: Option<(RoomId, u64)>,
        bytes: usize,
    ) -> bool {
        let Some(session) = self.open.get_mut(&id) else { return false };
        if session.sync != Sync::Live {
            return false;
        }
        if !session.window.is_open() {
            session.sync = Sync::Behind;
            return false;
        }
        session.window.push(position, event, bytes);
        true
    }
}
