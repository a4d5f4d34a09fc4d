//! The peers, and what is in memory of the links to them.

use std::collections::{BTreeMap, VecDeque};

use identity::Chain;
use link::{Dialler, Inbound, Outbound, Retry};
use machine::{Backoff, Timestamp};
use prost::Message as _;
use store::{Store, StoreError, row::PeerRow};
use wire::{
    DomainName, ErrorCode, PublicKey, RoomId, limits,
    proto::{
        Batch, Ephemeral, Error, Event, Events, Item, PeerMode, PeerPhase, PeerState, Signed, Traffic, item,
    },
};

use crate::{
    ConnId, StreamId, drain::ProgressKey, fan_out::proto_progress, quiet::Quiet, token_bucket::TokenBucket,
};

/// Progress that is told again after a reconnection, for each peer.
const PROGRESS_KEPT_MAX: usize = 4_096;

/// Runs whose acknowledgement becomes progress, for each peer.
const RUNS_NOTED_MAX: usize = 65_536;

/// One pinned peer.
pub(crate) struct Peer {
    pub(crate) row: PeerRow,
    /// `None` until its first document was seen.
    pub(crate) chain: Option<Chain>,
    pub(crate) outbound: Outbound,
    pub(crate) inbound: Inbound,
    pub(crate) retry: Retry,
    pub(crate) conn: Option<Conn>,
    pub(crate) dialling: bool,
    /// Items up to the newest, without gaps, as many as may be held.
    pub(crate) queue: VecDeque<Item>,
    queue_bytes: usize,
    /// Runs of events that are not acknowledged, by number: room and last seq.
    pub(crate) runs: BTreeMap<u64, (RoomId, u64)>,
    /// How many requests of the peer may be answered now.
    pub(crate) requests: TokenBucket,
    /// Lines about its items that were refused.
    pub(crate) refusals: Quiet,
    /// Rooms of this hub may want events: at the start, after a contact, and while they do.
    pub(crate) pulls_due: bool,
    /// Something was taken in since the last acknowledgement.
    pub(crate) ack_due: bool,
    /// Waits to be told.
    progress: BTreeMap<ProgressKey, u64>,
    /// Was told on this connection.
    told: BTreeMap<ProgressKey, u64>,
    /// What waits in the outbox: items, bytes, and since when the oldest does.
    pub(crate) queued: (u64, u64, u64),
    /// What went over the link since the node started.
    pub(crate) traffic: Traffic,
}

/// The connection to a peer that is in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conn {
    pub(crate) id: ConnId,
    pub(crate) dialler: Dialler,
    /// Which run of the peer's process is at its other end.
    pub(crate) instance: [u8; 16],
    /// The link stream that this side opened, once the peer answered on it.
    pub(crate) ours: Option<StreamId>,
    /// The link stream that the peer opened.
    pub(crate) theirs: Option<StreamId>,
}

/// A connection whose peer may not be known yet.
pub(crate) struct Connected {
    pub(crate) key: PublicKey,
    pub(crate) dialled: Option<DomainName>,
    pub(crate) peer: Option<DomainName>,
}

impl Peer {
    /// A peer as its row and documents say.
    pub(crate) fn load<S: Store>(store: &S, row: PeerRow) -> Result<Self, StoreError> {
        let mut documents = Vec::new();
        for document in store.documents(&row.domain, 0)? {
            let signed = Signed::decode(document.signed);
            documents.push(signed.map_err(|_| StoreError::Damaged("a domain document".into()))?);
        }
        let mut answers = Vec::new();
        for answer in store.answers(&row.domain)? {
            let error = Error::decode(answer.error);
            answers.push((answer.number, error.map_err(|_| StoreError::Damaged("an answer".into()))?));
        }
        let last_error = (row.last_error != 0).then(|| ErrorCode::from_code(row.last_error));
        let absent_since = (row.absent_since_ms != 0).then(|| Timestamp::from_ms(row.absent_since_ms));
        Ok(Self {
            chain: chain_from(&row, &documents),
            outbound: Outbound::new(row.outbox_id, row.acked, row.settled),
            inbound: Inbound::new(row.their_outbox_id, row.received, answers),
            retry: Retry {
                backoff: Backoff { failures: row.failures, next_ms: row.next_retry_ms },
                absent_since,
                last_error,
                noticed: false,
            },
            conn: None,
            dialling: false,
            queue: VecDeque::new(),
            queue_bytes: 0,
            runs: BTreeMap::new(),
            requests: TokenBucket::new(limits::PEER_REQUESTS_BURST, Timestamp::default()),
            refusals: Quiet::default(),
            pulls_due: true,
            ack_due: false,
            progress: BTreeMap::new(),
            told: BTreeMap::new(),
            queued: store.outbox_size(&row.domain)?,
            traffic: Traffic::default(),
            row,
        })
    }

    /// The row with everything that the machines know.
    pub(crate) fn current_row(&mut self) -> PeerRow {
        self.row.acked = self.outbound.acked();
        self.row.their_outbox_id = self.inbound.outbox_id();
        self.row.received = self.inbound.received();
        self.row.failures = self.retry.backoff.failures;
        self.row.next_retry_ms = self.retry.backoff.next_ms;
        self.row.absent_since_ms = self.retry.absent_since.map_or(0, Timestamp::as_ms);
        self.row.last_error = self.retry.last_error.map_or(0, ErrorCode::code);
        self.row.clone()
    }

    /// Whether the administrator lets anything pass.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.row.mode, PeerMode::Open | PeerMode::Unspecified)
    }

    /// Counts what goes out.
    pub(crate) fn sent(&mut self, batch: &Batch) {
        self.traffic.sent_items += batch.items.len() as u64;
        self.traffic.sent_bytes += batch.encoded_len() as u64;
    }

    /// Counts what comes in.
    pub(crate) fn received(&mut self, batch: &Batch) {
        self.traffic.received_items += batch.items.len() as u64;
        self.traffic.received_bytes += batch.encoded_len() as u64;
    }

    /// What an administrator or a user may see of the link.
    pub(crate) fn state(&self) -> PeerState {
        let phase = match self.conn {
            _ if self.row.mode == PeerMode::Denied => PeerPhase::Denied,
            _ if self.row.mode == PeerMode::Paused => PeerPhase::Paused,
            _ if self.row.held => PeerPhase::Held,
            Some(_) => PeerPhase::Connected,
            None if self.dialling => PeerPhase::Connecting,
            None if self.retry.absent_since.is_some() || self.queued.0 > 0 => PeerPhase::Waiting,
            None => PeerPhase::Idle,
        };
        PeerState {
            domain: self.row.domain.as_str().to_owned(),
            phase: phase.into(),
            queued: self.queued.0,
            queued_bytes: self.queued.1,
            oldest_ms: if self.queued.0 == 0 { 0 } else { self.queued.2 },
            last_error: self.retry.last_error.map_or(0, ErrorCode::code),
            next_retry_ms: self.retry.backoff.next_ms,
            absent_since_ms: self.retry.absent_since.map_or(0, Timestamp::as_ms),
        }
    }

    /// The item with this number and those after it, if they are in memory.
    pub(crate) fn queue_from(&self, number: u64) -> Option<impl Iterator<Item = &Item>> {
        let first = self.queue.front()?.number;
        let skip = usize::try_from(number.checked_sub(first)?).ok()?;
        (skip < self.queue.len()).then(|| self.queue.iter().skip(skip))
    }

    /// Items up to this number need not be held any more. Returns the runs among them, by number.
    pub(crate) fn drop_up_to(&mut self, number: u64) -> BTreeMap<u64, (RoomId, u64)> {
        while let Some(item) = self.queue.pop_front_if(|item| item.number <= number) {
            let bytes = item.encoded_len();
            self.queue_bytes = self.queue_bytes.saturating_sub(bytes);
            self.queued.1 = self.queued.1.saturating_sub(bytes as u64);
        }
        let later = self.runs.split_off(&number.saturating_add(1));
        std::mem::replace(&mut self.runs, later)
    }

    /// Progress that waits moves into the next batches; what does not fit waits on.
    pub(crate) fn load_progress(&mut self) {
        while let Some((key, seq)) = self.progress.pop_first() {
            if !self.outbound.progress(proto_progress(key.0, key.1, &key.2, seq)) {
                self.progress.insert(key, seq);
                return;
            }
            if self.told.len() < PROGRESS_KEPT_MAX {
                self.told.insert(key, seq);
            }
        }
    }

    /// What was told on a connection that is gone is told again on the next.
    pub(crate) fn disconnected(&mut self) {
        self.conn = None;
        self.outbound.close();
        self.ack_due = false;
        let mut told = std::mem::take(&mut self.told);
        told.append(&mut self.progress);
        self.progress = told;
    }

    fn hold(&mut self, item: Item) {
        self.queue_bytes += item.encoded_len();
        self.queue.push_back(item);
        while self.queue_bytes > limits::LINK_MEMORY_BYTES_MAX
            && let Some(item) = self.queue.pop_front()
        {
            self.queue_bytes = self.queue_bytes.saturating_sub(item.encoded_len());
        }
    }

    fn count(&mut self, bytes: usize, now: Timestamp) {
        if self.queued.0 == 0 {
            self.queued.2 = now.as_ms();
        }
        self.queued.0 += 1;
        self.queued.1 = self.queued.1.saturating_add(bytes as u64);
    }

    /// What an acknowledgement of this number will mean. Losing it costs one piece of progress.
    pub(crate) fn note_run(&mut self, number: u64, room: RoomId, to_seq: u64) {
        self.runs.insert(number, (room, to_seq));
        if self.runs.len() > RUNS_NOTED_MAX {
            self.runs.pop_first();
        }
    }
}

fn chain_from(row: &PeerRow, documents: &[Signed]) -> Option<Chain> {
    // Stored documents may be more than one hello may carry.
    let start = documents.iter().position(|signed| Chain::verify_first(signed, &row.fingerprint).is_ok())?;
    let mut documents = documents.iter().skip(start);
    let mut chain = Chain::verify_first(documents.next()?, &row.fingerprint).ok()?;
    for signed in documents {
        if chain.extend(signed).is_err() {
            break;
        }
    }
    Some(chain)
}

/// All peers and connections.
#[derive(Default)]
pub(crate) struct LinkTable {
    pub(crate) peers: BTreeMap<DomainName, Peer>,
    pub(crate) conns: BTreeMap<ConnId, Connected>,
}

impl LinkTable {
    /// Loads every peer.
    pub(crate) fn load<S: Store>(store: &S) -> Result<Self, StoreError> {
        let mut peers = BTreeMap::new();
        for row in store.peers()? {
            peers.insert(row.domain.clone(), Peer::load(store, row)?);
        }
        Ok(Self { peers, conns: BTreeMap::new() })
    }

    pub(crate) fn get(&self, domain: &DomainName) -> Option<&Peer> {
        self.peers.get(domain)
    }

    pub(crate) fn get_mut(&mut self, domain: &DomainName) -> Option<&mut Peer> {
        self.peers.get_mut(domain)
    }

    /// The connection to a peer that is in use.
    pub(crate) fn conn(&self, domain: &DomainName) -> Option<ConnId> {
        Some(self.peers.get(domain)?.conn?.id)
    }

    /// Whose a connection is, if it is the one in use.
    pub(crate) fn peer_of(&self, conn: ConnId) -> Option<DomainName> {
        let peer = self.conns.get(&conn)?.peer.as_ref()?;
        (self.conn(peer) == Some(conn)).then(|| peer.clone())
    }

    /// Whether it makes sense to wait for an answer of this peer.
    pub(crate) fn may_reach(&self, domain: &DomainName, now: Timestamp) -> bool {
        self.peers
            .get(domain)
            .filter(|peer| peer.is_open())
            .is_some_and(|peer| peer.conn.is_some() || peer.dialling || peer.retry.is_due(now))
    }

    /// The number of a new item; `None` if the peer is not pinned.
    pub(crate) fn take_number(&mut self, domain: &DomainName) -> Option<u64> {
        let peer = self.peers.get_mut(domain)?;
        let number = peer.row.next_number;
        peer.row.next_number += 1;
        Some(number)
    }

    /// Holds an item that has got its number.
    pub(crate) fn queue_item(&mut self, domain: &DomainName, item: Item, now: Timestamp) {
        let Some(peer) = self.peers.get_mut(domain) else { return };
        peer.count(item.encoded_len(), now);
        peer.hold(item);
    }

    /// Holds a run of events that has got its number.
    pub(crate) fn queue_run(
        &mut self,
        domain: &DomainName,
        number: u64,
        (room, to_seq): (RoomId, u64),
        events: Vec<Event>,
        now: Timestamp,
    ) {
        let Some(peer) = self.peers.get_mut(domain) else { return };
        peer.note_run(number, room, to_seq);
        let item = item::Item::Events(Events { room: room.to_bytes(), events });
        let item = Item { number, item: Some(item) };
        peer.count(item.encoded_len(), now);
        peer.hold(item);
    }

    /// Takes note of progress that a peer is to be told.
    pub(crate) fn queue_progress(&mut self, domain: &DomainName, key: &ProgressKey, seq: u64) {
        let Some(peer) = self.peers.get_mut(domain) else { return };
        let room_for_more = peer.progress.len() < PROGRESS_KEPT_MAX;
        match peer.progress.get_mut(key) {
            Some(known) => *known = seq.max(*known),
            None if room_for_more => {
                peer.progress.insert(key.clone(), seq);
            }
            // Losing progress is healed by the next.
            None => {}
        }
    }

    /// Takes a message along that nobody stores.
    pub(crate) fn queue_ephemeral(&mut self, domain: &DomainName, message: &Ephemeral) {
        if let Some(peer) = self.peers.get_mut(domain) {
            peer.outbound.ephemeral(message.clone());
        }
    }
}
