//! What the inputs of one drain have decided and not yet written: the batch, what waits for it, and
//! what is written once however often it changed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use machine::{Entropy, Timestamp};
use store::{
    Batch, Store, Write,
    row::{OutboxRow, ProgressRow},
};
use wire::{
    Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId, limits,
    proto::{Event, ProgressKind, RoomKind},
};

use crate::{Core, Verdict, send::Send, session::Sync};

/// Whose progress in which room.
pub(crate) type ProgressKey = (RoomId, ProgressKind, String);

/// See the file's first sentence.
#[derive(Default)]
pub(crate) struct Drain {
    /// Written before anything staged goes out.
    pub(crate) batch: Batch,
    /// Goes out when the batch is durable.
    pub(crate) staged: Vec<Send>,
    /// Written with the next batch, or after `LAZY_WRITE_MS`.
    pub(crate) lazy: Lazy,
    /// What stands under message ids of this drain: from the store, or decided in it.
    pub(crate) seen: BTreeMap<(RoomId, MessageId), Seen>,
    /// Message ids that were looked up in the store.
    pub(crate) looked_up: BTreeSet<(RoomId, MessageId)>,
    pub(crate) changed_rooms: BTreeSet<RoomId>,
    pub(crate) changed_peers: BTreeSet<DomainName>,
    /// Peers of which an item was quarantined.
    pub(crate) quarantined: BTreeSet<DomainName>,
    /// Progress to tell members and peers.
    pub(crate) progress: BTreeMap<ProgressKey, u64>,
    /// Runs of events that are not items of an outbox yet, in the order in which they began.
    pub(crate) runs: Vec<Run>,
    /// Rooms to which somebody was invited in this drain, which the store does not know yet.
    pub(crate) invited: BTreeSet<RoomId>,
    /// Whether an account shares a room with another, as was looked up in this drain.
    pub(crate) acquainted: BTreeMap<(Account, Account), bool>,
    /// Something was decided since the drain ended last.
    pub(crate) open: bool,
    /// Something was written that some inputs read from the store: those wait for the batch.
    pub(crate) settle_first: bool,
}

/// What stands under a message id.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// An event.
    Ordered(room::hub::Repeat),
    /// A submission that waits for its hub, by the hash of its bytes.
    Pending([u8; 32]),
}

/// Consecutive events for one peer.
pub(crate) struct Run {
    pub(crate) peer: DomainName,
    pub(crate) room: RoomId,
    pub(crate) from_seq: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) bytes: usize,
}

/// Writes whose loss a crash heals by itself: a device acknowledges again, a peer is asked what it
/// has, progress comes with the next event. They cause no fsync of their own.
#[derive(Default)]
pub(crate) struct Lazy {
    pub(crate) cursors: BTreeMap<(Account, DeviceId), u64>,
    /// Entries up to this position are on every device of the account.
    pub(crate) fetched: BTreeMap<Account, u64>,
    pub(crate) progress: BTreeMap<ProgressKey, u64>,
    pub(crate) outbox: BTreeMap<DomainName, u64>,
    pub(crate) answers: BTreeMap<DomainName, u64>,
    pub(crate) peers: BTreeSet<DomainName>,
    since: Option<Timestamp>,
}

impl Lazy {
    /// When these must be written at the latest.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.since.map(|since| since.plus_ms(limits::LAZY_WRITE_MS))
    }

    /// Takes note that there is something to write.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }

    fn write(&mut self, batch: &mut Batch) {
        let all = std::mem::take(self);
        for ((account, device), position) in all.cursors {
            batch.push(Write::Cursor(account, device, position));
        }
        for (account, position) in all.fetched {
            batch.push(Write::PruneEntries(account, position));
        }
        for ((room, kind, who), seq) in all.progress {
            batch.push(Write::PutProgress(ProgressRow { room, kind, who, seq }));
        }
        for (peer, number) in all.outbox {
            batch.push(Write::DropOutbox(peer, number));
        }
        for (peer, number) in all.answers {
            batch.push(Write::DropAnswers(peer, number));
        }
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// Lets a send out when everything decided so far in this drain is durable.
    pub(crate) fn stage(&mut self, send: Send) {
        self.drain.staged.push(send);
    }

    /// The next position.
    pub(crate) const fn next_position(&mut self) -> u64 {
        self.position += 1;
        self.position
    }

    /// Turns what the drain decided into a batch and queues what waits for it.
    pub(crate) fn end_drain(&mut self) {
        if !std::mem::take(&mut self.drain.open) {
            return;
        }
        if self.progress_due().is_some_and(|due| due <= self.now) {
            self.tell_progress();
        }
        self.close_runs();
        self.pump_links();
        self.dial_peers();
        let lazy_due = self.drain.lazy.due().is_some_and(|due| due <= self.now || self.draining);
        self.write_rooms();
        for peer in std::mem::take(&mut self.drain.quarantined) {
            self.drain.batch.push(Write::TrimQuarantine(peer, limits::QUARANTINE_KEPT_MAX));
        }
        if !self.drain.batch.is_empty() || !self.drain.changed_peers.is_empty() || lazy_due {
            let lazy_peers = std::mem::take(&mut self.drain.lazy.peers);
            self.drain.changed_peers.extend(lazy_peers);
            self.write_peers();
            let mut batch = std::mem::take(&mut self.drain.batch);
            self.drain.lazy.write(&mut batch);
            if !batch.is_empty() {
                self.barrier.persist(batch);
            }
            self.drain.settle_first = false;
            self.drain.invited.clear();
            self.drain.acquainted.clear();
        }
        if !self.drain.looked_up.is_empty() {
            self.drain.looked_up.clear();
            self.drain.seen.clear();
        }
        for send in self.drain.staged.drain(..) {
            self.barrier.send(send);
        }
    }

    /// Forgets everything that was derived from a batch that was not written.
    pub(crate) fn roll_back(&mut self, code: ErrorCode) {
        let mut dropped = self.barrier.abandon();
        dropped.append(&mut self.drain.staged);
        self.drain = Drain { open: true, ..Drain::default() };
        self.rooms.clear();
        self.presence.roll_back();
        self.position = self.durable_position;
        for (_, session) in self.sessions.iter_mut() {
            session.window.forget_after(self.durable_position);
            if session.sync == Sync::Live {
                session.sync = Sync::Behind;
            }
        }
        for send in dropped {
            if let Send::Ask(_, request, _) = &send {
                self.ask_failed(*request, code);
            }
            if let Send::Prove(proof, _) = &send {
                self.proved(*proof, Verdict::Refused(code));
            }
            if let Some(send) = send.unwritten(code) {
                self.stage(send);
            }
        }
        self.roll_back_links(code);
        self.roll_back_audit();
    }

    fn write_rooms(&mut self) {
        for id in std::mem::take(&mut self.drain.changed_rooms) {
            if let Some(room) = self.rooms.get_mut(&id) {
                room.write(&mut self.drain.batch);
            }
        }
    }

    /// Adds an event to what a peer gets.
    pub(crate) fn add_to_run(&mut self, peer: &DomainName, room: RoomId, seq: u64, event: &Event) {
        let bytes = event.head.len() + event.body.len() + 128;
        let open = self.drain.runs.iter_mut().find(|run| {
            run.peer == *peer
                && run.room == room
                && run.from_seq + run.events.len() as u64 == seq
                && run.events.len() < limits::BATCH_ITEMS_MAX
                && run.bytes + bytes <= limits::BATCH_BYTES_MAX / 2
        });
        match open {
            Some(run) => {
                run.bytes += bytes;
                run.events.push(event.clone());
            }
            None => self.drain.runs.push(Run {
                peer: peer.clone(),
                room,
                from_seq: seq,
                events: vec![event.clone()],
                bytes,
            }),
        }
    }

    /// Makes items of the open runs: whatever is queued after this comes after them.
    pub(crate) fn close_runs(&mut self) {
        for run in std::mem::take(&mut self.drain.runs) {
            let to_seq = run.from_seq + run.events.len() as u64 - 1;
            let Some(number) = self.links.take_number(&run.peer) else { continue };
            self.drain.changed_peers.insert(run.peer.clone());
            self.drain.batch.push(Write::PutOutbox(OutboxRow {
                peer: run.peer.clone(),
                number,
                room: run.room,
                item: Bytes::new(),
                from_seq: run.from_seq,
                to_seq,
                queued_ms: self.now.as_ms(),
            }));
            self.links.queue_run(&run.peer, number, (run.room, to_seq), run.events, self.now);
        }
    }
}

/// The kind of a room as it stands in a row, from a number of the wire.
pub(crate) fn room_kind(kind: i32) -> Result<RoomKind, ErrorCode> {
    match RoomKind::try_from(kind) {
        Ok(kind @ (RoomKind::Direct | RoomKind::Group)) => Ok(kind),
        _ => Err(ErrorCode::Malformed),
    }
}
