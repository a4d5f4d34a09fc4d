//! What is kept in memory of a room, and how it is read from and written to rows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use machine::Timestamp;
use wire::{Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId, limits, proto};

use super::Lost;
use crate::{
    record::{ForkRow, MemberRow, PastRow, RoomPhase, RoomRow, RosterRow, StoredRow},
    view::{MemberView, RoomView},
};

/// Hashes of heads that are kept in memory, for comparing histories.
const HEADS_KEPT: usize = 256;
/// Hashes of heads that are stored.
const HEADS_STORED: usize = 16;
/// Entries into a room that are remembered.
const BASES_KEPT: usize = 2 * limits::ROOM_LOSSES_MAX + 2;
/// Own messages whose way is followed.
const FOLLOWED_MAX: usize = 1_024;

/// A member of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) admin: bool,
    pub(crate) devices: BTreeSet<DeviceId>,
    pub(crate) unverified: Option<ErrorCode>,
    /// One of its leaves was added while this device was here, and has not passed: nothing is sent.
    pub(crate) held: bool,
    /// It is here as the hub shows it, and nobody who was here before vouches for it.
    pub(crate) unproved: bool,
    pub(crate) delivered: u64,
    pub(crate) read: u64,
    pub(crate) leaving: bool,
    pub(crate) declined: bool,
    pub(crate) heard: bool,
    pub(crate) since: u64,
}

/// The room's group: not there, as rows that nobody has needed yet, or live.
pub(crate) enum Group {
    None,
    Rows(mls::Rows),
    Live(Box<mls::Member>),
}

/// An own message on its way, and how far it was said to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    pub(crate) seq: u64,
    pub(crate) message: MessageId,
    pub(crate) intent: MessageId,
}

/// One room on this device.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) hub: DomainName,
    pub(crate) kind: proto::RoomKind,
    pub(crate) phase: RoomPhase,
    pub(crate) name: String,
    pub(crate) topic: String,
    /// The other account of a direct room.
    pub(crate) peer: Option<Account>,
    /// The node knows that an invitation to it was accepted, and no Welcome has come.
    pub(crate) accepted: bool,
    pub(crate) members: BTreeMap<Account, Member>,
    pub(crate) stored: BTreeMap<DomainName, u64>,
    pub(crate) head_seq: u64,
    heads: VecDeque<[u8; 32]>,
    pub(crate) base_seq: u64,
    pub(crate) epoch: u64,
    pub(crate) read_seq: u64,
    pub(crate) last_text_seq: u64,
    pub(crate) behind: bool,
    pub(crate) paused: Option<ErrorCode>,
    /// This device has lost its way in the room and means to come back.
    pub(crate) lost: Option<Lost>,
    /// The event that MLS did not take and that is fetched once more.
    pub(crate) stumbled_at: u64,
    /// The newest event of which this device has said that it cannot follow it.
    pub(crate) nacked: u64,
    pub(crate) leaf_updated_ms: u64,
    pub(crate) group: Group,
    /// The keys of the group's stored rows.
    pub(crate) group_keys: BTreeSet<Vec<u8>>,
    /// Intents from which nothing is derived yet, in order.
    pub(crate) waiting: VecDeque<MessageId>,
    /// The own founding, commit or leave that is on its way: at most one.
    pub(crate) flight: Option<MessageId>,
    /// Own messages that no node has accepted.
    pub(crate) unaccepted: usize,
    /// The worker rests until then.
    pub(crate) rest_until: Timestamp,
    /// Others' leaves are committed then.
    pub(crate) settle_at: Option<Timestamp>,
    /// The own leaf gets new keys then (rule R6).
    pub(crate) refresh_at: Option<Timestamp>,
    /// A pull is on its way.
    pub(crate) pulling: bool,
    /// Pulls that gave nothing although there is more, one after the other.
    pub(crate) empty_pulls: u32,
    /// What has to be judged before the log goes on cannot be judged yet.
    pub(crate) stalled_until: Option<Timestamp>,
    /// Some members' keys were not checked yet.
    pub(crate) unchecked: bool,
    /// They are checked then.
    pub(crate) recheck_at: Option<Timestamp>,
    /// Members with a mark of which the user was not told.
    pub(crate) silent: BTreeSet<Account>,
    /// Own messages on their way, ascending by seq.
    pub(crate) followed: VecDeque<Followed>,
    /// Up to which seq everybody stored, received and read.
    pub(crate) said: [u64; 3],
    /// Accounts that have seen another history, and where it was first said to differ.
    pub(crate) forks: BTreeMap<Account, u64>,
    /// What a seq counts on from in the timeline. `read_seq` and `last_text_seq` are places in it.
    pub(crate) offset: u64,
    /// How far the other side was each time that the hub had lost the room.
    pub(crate) past: Vec<PastRow>,
    /// What this device has of the other side from before; it may come again.
    pub(crate) heard: BTreeSet<MessageId>,
    /// The heads with which this device came in, oldest first.
    pub(crate) bases: VecDeque<[u8; 32]>,
    /// The node has another store since. Nothing goes out, and nothing that is pushed comes in, before it
    /// was asked whether the room that it knows is this one.
    pub(crate) doubted: bool,
    /// Why it could not be founded.
    pub(crate) refused: Option<ErrorCode>,
    /// The hub has lost it; what was said is asked of the store before it is founded anew.
    pub(crate) recalling: bool,
}

impl Room {
    /// A room of which nothing is known but its id and hub.
    pub(crate) fn new(id: RoomId, hub: DomainName, kind: proto::RoomKind) -> Self {
        Self {
            id,
            hub,
            kind,
            phase: RoomPhase::Wanted,
            name: String::new(),
            topic: String::new(),
            peer: None,
            accepted: false,
            members: BTreeMap::new(),
            stored: BTreeMap::new(),
            head_seq: 0,
            heads: VecDeque::new(),
            base_seq: 0,
            epoch: 0,
            read_seq: 0,
            last_text_seq: 0,
            behind: false,
            paused: None,
            lost: None,
            stumbled_at: 0,
            nacked: 0,
            leaf_updated_ms: 0,
            group: Group::None,
            group_keys: BTreeSet::new(),
            waiting: VecDeque::new(),
            flight: None,
            unaccepted: 0,
            rest_until: Timestamp::default(),
            settle_at: None,
            refresh_at: None,
            pulling: false,
            empty_pulls: 0,
            stalled_until: None,
            unchecked: false,
            recheck_at: None,
            silent: BTreeSet::new(),
            followed: VecDeque::new(),
            said: [0; 3],
            forks: BTreeMap::new(),
            offset: 0,
            past: Vec::new(),
            heard: BTreeSet::new(),
            bases: VecDeque::new(),
            doubted: false,
            refused: None,
            recalling: false,
        }
    }

    /// The room that these rows hold.
    pub(crate) fn load(
        id: RoomId,
        row: &RoomRow,
        roster: &RosterRow,
        group: Option<mls::Rows>,
    ) -> Result<Self, ErrorCode> {
        let mut room = Self::new(id, roster.hub.parse()?, roster.kind());
        room.phase = row.phase();
        room.name.clone_from(&roster.name);
        room.topic.clone_from(&roster.topic);
        room.peer = roster.peer.parse().ok();
        room.head_seq = row.head_seq;
        room.heads = row.heads.chunks_exact(32).filter_map(|hash| hash.try_into().ok()).collect();
        room.base_seq = row.base_seq;
        room.epoch = row.epoch;
        room.read_seq = row.read_seq;
        room.last_text_seq = row.last_text_seq;
        room.behind = row.behind;
        room.accepted = row.accepted;
        room.paused = (row.paused != 0).then(|| ErrorCode::from_code(row.paused));
        room.nacked = row.nacked;
        room.lost = (row.lost != 0).then(|| Lost {
            epoch: row.lost_epoch,
            confirmed: row.lost_tag.to_vec(),
            ..Lost::new(ErrorCode::from_code(row.lost))
        });
        room.leaf_updated_ms = row.leaf_updated_ms;
        room.offset = row.offset;
        room.doubted = row.doubted;
        room.refused = (row.refused != 0).then(|| ErrorCode::from_code(row.refused));
        room.bases = row.bases.chunks_exact(32).filter_map(|hash| hash.try_into().ok()).collect();
        room.past.clone_from(&roster.past);
        room.heard = roster.heard.chunks_exact(16).filter_map(|id| id.try_into().ok()).collect();
        room.group_keys = group.iter().flat_map(|rows| rows.keys().cloned()).collect();
        room.group = group.map_or(Group::None, Group::Rows);
        for member in &roster.members {
            room.members.insert(member.account.parse()?, Member::load(member)?);
        }
        for stored in &roster.stored {
            room.stored.insert(stored.domain.parse()?, stored.seq);
        }
        for fork in &roster.forks {
            room.forks.insert(fork.account.parse()?, fork.seq);
        }
        room.unchecked = room.members.values().any(|member| member.unverified.is_some());
        Ok(room)
    }

    /// Its row.
    pub(crate) fn row(&self) -> RoomRow {
        let skipped = self.heads.len().saturating_sub(HEADS_STORED);
        let mut heads = Vec::with_capacity(HEADS_STORED * 32);
        self.heads.iter().skip(skipped).for_each(|hash| heads.extend_from_slice(hash));
        RoomRow {
            room: self.id.to_bytes(),
            phase: self.phase.into(),
            head_seq: self.head_seq,
            heads: heads.into(),
            base_seq: self.base_seq,
            epoch: self.epoch,
            read_seq: self.read_seq,
            behind: self.behind,
            accepted: self.accepted,
            paused: self.paused.map_or(0, ErrorCode::code),
            leaf_updated_ms: self.leaf_updated_ms,
            last_text_seq: self.last_text_seq,
            nacked: self.nacked,
            lost: self.lost.as_ref().map_or(0, |lost| lost.error.code()),
            lost_epoch: self.lost.as_ref().map_or(0, |lost| lost.epoch),
            lost_tag: self.lost.as_ref().map(|lost| lost.confirmed.clone().into()).unwrap_or_default(),
            offset: self.offset,
            refused: self.refused.map_or(0, ErrorCode::code),
            doubted: self.doubted,
            bases: self.bases.iter().flatten().copied().collect(),
        }
    }

    /// Its roster.
    pub(crate) fn roster_row(&self) -> RosterRow {
        RosterRow {
            room: self.id.to_bytes(),
            hub: self.hub.to_string(),
            kind: self.kind.into(),
            name: self.name.clone(),
            topic: self.topic.clone(),
            members: self.members.iter().map(|(account, member)| member.row(account)).collect(),
            stored: self
                .stored
                .iter()
                .map(|(domain, seq)| StoredRow { domain: domain.to_string(), seq: *seq })
                .collect(),
            peer: self.peer.as_ref().map(ToString::to_string).unwrap_or_default(),
            forks: self
                .forks
                .iter()
                .map(|(account, seq)| ForkRow { account: account.to_string(), seq: *seq })
                .collect(),
            past: self.past.clone(),
            heard: self.heard.iter().flat_map(MessageId::as_bytes).copied().collect(),
        }
    }

    /// Plain data for showing it.
    pub(crate) fn view(&self, waiting: usize) -> RoomView {
        RoomView {
            room: self.id,
            kind: self.kind,
            hub: self.hub.clone(),
            phase: self.phase,
            name: self.name.clone(),
            topic: self.topic.clone(),
            peer: self.peer.clone(),
            members: self.members.iter().map(|(account, member)| member.view(account, self.offset)).collect(),
            stored: self.stored.iter().map(|(domain, seq)| (domain.clone(), self.place(*seq))).collect(),
            head_seq: self.place(self.head_seq),
            head_hash: self.head_hash(),
            epoch: self.epoch,
            read_seq: self.read_seq,
            last_text_seq: self.last_text_seq,
            paused: self.paused,
            lost: self.lost.as_ref().map(|lost| lost.error),
            forks: self.forks.iter().map(|(account, seq)| (account.clone(), self.place(*seq))).collect(),
            refused: self.refused,
            past: self.past.clone(),
            behind: self.behind,
            waiting,
        }
    }

    /// The place in the timeline of what has this seq in the log.
    pub(crate) const fn place(&self, seq: u64) -> u64 {
        self.offset.saturating_add(seq)
    }

    /// Whether this device came in with this head before.
    pub(crate) fn came_in_by(&self, hash: &[u8; 32]) -> bool {
        self.bases.contains(hash)
    }

    /// This device comes in with this head.
    pub(crate) fn note_entry(&mut self, hash: [u8; 32]) {
        if self.bases.len() >= BASES_KEPT {
            self.bases.pop_front();
        }
        self.bases.push_back(hash);
    }

    /// The end of its log.
    pub(crate) fn head(&self) -> room::LogHead {
        room::LogHead { seq: self.head_seq, hash: self.head_hash() }
    }

    fn head_hash(&self) -> [u8; 32] {
        self.heads.back().copied().unwrap_or_default()
    }

    /// The hash of the head with this seq, if it is kept.
    pub(crate) fn hash_at(&self, seq: u64) -> Option<[u8; 32]> {
        let back = usize::try_from(self.head_seq.checked_sub(seq)?).ok()?;
        self.heads.len().checked_sub(back + 1).and_then(|place| self.heads.get(place)).copied()
    }

    /// Its log ends here now.
    pub(crate) fn advance(&mut self, head: room::LogHead) {
        self.head_seq = head.seq;
        self.heads.push_back(head.hash);
        if self.heads.len() > HEADS_KEPT {
            self.heads.pop_front();
        }
    }

    /// Its log begins here.
    pub(crate) fn begin(&mut self, head: room::LogHead) {
        self.heads.clear();
        self.base_seq = head.seq;
        self.note_entry(head.hash);
        self.advance(head);
    }

    /// Follows an own message from its being ordered on.
    pub(crate) fn follow(&mut self, followed: Followed) {
        if self.followed.len() >= FOLLOWED_MAX {
            self.followed.pop_front();
        }
        self.followed.push_back(followed);
    }

    /// The live group.
    pub(crate) fn live(&mut self, keys: &mls::DeviceKeys) -> Result<&mut mls::Member, ErrorCode> {
        if let Group::Rows(rows) = &mut self.group {
            let member = mls::Member::load(keys, &self.id, std::mem::take(rows))?;
            self.group = Group::Live(Box::new(member));
        }
        match &mut self.group {
            Group::Live(member) => Ok(member),
            Group::None | Group::Rows(_) => Err(ErrorCode::NotFound),
        }
    }

    /// The rows of the live group that are to be written.
    pub(crate) fn take_group_changes(&mut self) -> Vec<mls::RowChange> {
        let changes = match &mut self.group {
            Group::Live(member) => member.take_changes(),
            Group::None | Group::Rows(_) => Vec::new(),
        };
        for (key, value) in &changes {
            if value.is_none() {
                self.group_keys.remove(key);
            } else if !self.group_keys.contains(key) {
                self.group_keys.insert(key.clone());
            }
        }
        changes
    }

    /// In it, and nothing speaks against going on.
    pub(crate) fn is_open(&self) -> bool {
        self.phase == RoomPhase::Joined && self.paused.is_none() && self.lost.is_none() && !self.recalling
    }

    /// It has this group now.
    pub(crate) fn replace_group(&mut self, member: mls::Member) {
        self.group = Group::Live(Box::new(member));
    }

    /// Events of its log are taken in.
    pub(crate) fn listens(&self) -> bool {
        let here = matches!(self.phase, RoomPhase::Founding | RoomPhase::Joined);
        here && self.paused.is_none() && !self.recalling
    }

    /// [ROOM-33] Whether a message of this device has a place in the log at its end: it has a leaf, and
    /// its account is not on its way out.
    pub(crate) fn may_speak(&self, account: &Account, device: DeviceId) -> bool {
        self.members.get(account).is_some_and(|member| !member.leaving && member.devices.contains(&device))
    }

    /// Whether there are leaves of accounts that asked to leave.
    pub(crate) fn unsettled(&self) -> bool {
        self.members.values().any(|member| member.leaving)
    }

    /// Whether the hub says of an account that it has declined.
    pub(crate) fn has_declined(&self, account: &Account) -> bool {
        self.members.get(account).is_some_and(|member| member.declined)
    }

    /// The accounts that asked to leave and still have a leaf.
    pub(crate) fn leaving(&self) -> BTreeSet<Account> {
        let leaving = self.members.iter().filter(|(_, member)| member.leaving);
        leaving.map(|(account, _)| account.clone()).collect()
    }
}

impl Member {
    fn load(row: &MemberRow) -> Result<Self, ErrorCode> {
        Ok(Self {
            admin: row.admin,
            devices: row
                .devices
                .iter()
                .map(|device| DeviceId::try_from(device.as_ref()))
                .collect::<Result<_, _>>()?,
            unverified: (row.unverified != 0).then(|| ErrorCode::from_code(row.unverified)),
            delivered: row.delivered,
            read: row.read,
            leaving: row.leaving,
            declined: row.declined,
            heard: row.heard,
            since: row.since,
            held: row.held,
            unproved: row.unproved,
        })
    }

    fn row(&self, account: &Account) -> MemberRow {
        MemberRow {
            account: account.to_string(),
            admin: self.admin,
            devices: self.devices.iter().map(DeviceId::to_bytes).collect::<Vec<Bytes>>(),
            unverified: self.unverified.map_or(0, ErrorCode::code),
            delivered: self.delivered,
            read: self.read,
            leaving: self.leaving,
            declined: self.declined,
            heard: self.heard,
            since: self.since,
            held: self.held,
            unproved: self.unproved,
        }
    }

    fn view(&self, account: &Account, offset: u64) -> MemberView {
        MemberView {
            account: account.clone(),
            admin: self.admin,
            devices: self.devices.iter().copied().collect(),
            unverified: self.unverified,
            delivered: self.delivered.saturating_add(offset),
            read: self.read.saturating_add(offset),
            leaving: self.leaving,
            declined: self.declined,
            held: self.held || self.unproved,
            since: self.since.saturating_add(offset),
        }
    }
}
