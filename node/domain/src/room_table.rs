//! The rooms that are in memory: loaded on first use, written when a drain ends, dropped when there
//! are too many or when a batch was not written.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use room::{
    LogHead,
    hub::{RoomView, Standing},
};
use store::{
    Batch, Store, Write,
    row::{MemberRow, RoomRow},
};
use wire::{Account, DomainName, ErrorCode, RoomId, limits, proto::ProgressKind};

use crate::{
    group::Group,
    roster::{self, Origin},
};

/// One room in memory.
pub(crate) struct Room {
    pub(crate) row: RoomRow,
    /// Only where this domain is the hub.
    pub(crate) view: Option<RoomView>,
    /// Only where this domain is the hub.
    pub(crate) origin: Option<Origin>,
    /// The hub's `PublicGroup`, once it was needed.
    pub(crate) group: Option<Group>,
    /// Periods of membership, of all accounts at the hub, of own accounts at a follower.
    pub(crate) members: BTreeMap<Account, Vec<MemberRow>>,
    /// Own accounts that get what comes next.
    pub(crate) locals: Vec<Account>,
    /// Other domains that get what comes next. Only at the hub.
    pub(crate) followers: BTreeSet<DomainName>,
    pub(crate) progress: BTreeMap<(ProgressKind, String), u64>,
    /// A follower's roster that is to be written.
    pub(crate) names: Option<Bytes>,
    pub(crate) row_changed: bool,
    pub(crate) view_changed: bool,
    pub(crate) group_changed: bool,
    used: u64,
}

impl Room {
    /// A room without members.
    pub(crate) fn new(row: RoomRow) -> Self {
        Self {
            row,
            view: None,
            origin: None,
            group: None,
            members: BTreeMap::new(),
            locals: Vec::new(),
            followers: BTreeSet::new(),
            progress: BTreeMap::new(),
            names: None,
            row_changed: true,
            view_changed: false,
            group_changed: false,
            used: 0,
        }
    }

    fn load<S: Store>(store: &S, own: &DomainName, id: &RoomId) -> Result<Option<Self>, ErrorCode> {
        let failed = |error: store::StoreError| error.code();
        let Some(row) = store.room(id).map_err(failed)? else { return Ok(None) };
        let mut room = Self::new(row);
        room.row_changed = false;
        if room.row.hub == *own {
            let bytes = store.roster(id).map_err(failed)?.ok_or(ErrorCode::Internal)?;
            let (view, origin) = roster::decode(&room.row, bytes).map_err(|_| ErrorCode::Internal)?;
            room.origin = Some(origin);
            room.set_view(view, own);
            room.view_changed = false;
        }
        for member in store.members(id).map_err(failed)? {
            room.members.entry(member.account.clone()).or_default().push(member);
        }
        for row in store.progress(id).map_err(failed)? {
            room.progress.insert((row.kind, row.who), row.seq);
        }
        room.find_locals(own);
        Ok(Some(room))
    }

    /// The end of the log here.
    pub(crate) const fn head(&self) -> LogHead {
        LogHead { seq: self.row.head_seq, hash: self.row.head_hash }
    }

    /// Takes over what the hub's rules made of the room.
    pub(crate) fn set_view(&mut self, view: RoomView, own: &DomainName) {
        self.followers = view.recipients().into_iter().filter(|domain| domain != own).collect();
        self.row.epoch = view.epoch;
        self.view = Some(view);
        self.view_changed = true;
        self.row_changed = true;
    }

    /// [SYNC-13] What an account of this domain is in the room: at the hub by its view, at a follower
    /// by the periods of its own accounts.
    pub(crate) fn standing(&self, account: &Account) -> Standing {
        if let Some(view) = &self.view {
            return view.standing(account);
        }
        let periods = self.members.get(account).map_or(&[][..], Vec::as_slice);
        if periods.iter().any(|period| period.to_seq.is_none()) {
            Standing::Member
        } else if periods.iter().any(|period| period.to_seq.is_some_and(|to| to > period.from_seq)) {
            Standing::Former
        } else {
            Standing::Stranger
        }
    }

    /// Whether something is known of how far somebody is.
    pub(crate) fn has_progress(&self, kind: ProgressKind, who: &str) -> bool {
        self.progress.contains_key(&(kind, who.to_owned()))
    }

    /// Whether an account may see the event with this seq.
    pub(crate) fn may_see(&self, account: &Account, seq: u64) -> bool {
        self.members
            .get(account)
            .into_iter()
            .flatten()
            .any(|period| period.from_seq < seq && period.to_seq.is_none_or(|to| seq <= to))
    }

    /// The seqs, first and last, that the chosen accounts may see.
    pub(crate) fn periods(&self, chosen: impl Fn(&Account) -> bool) -> Vec<(u64, u64)> {
        let members = self.members.iter().filter(|(account, _)| chosen(account));
        let periods = members.flat_map(|(_, periods)| periods);
        periods
            .map(|period| (period.from_seq.saturating_add(1), period.to_seq.unwrap_or(u64::MAX)))
            .filter(|(from, to)| from <= to)
            .collect()
    }

    /// The account gets events after this seq. Returns the row, unless it does so already.
    pub(crate) fn begin(&mut self, account: &Account, from_seq: u64, own: &DomainName) -> Option<MemberRow> {
        let periods = self.members.entry(account.clone()).or_default();
        if periods.iter().any(|period| period.to_seq.is_none()) {
            return None;
        }
        let row = MemberRow { room: self.row.room, account: account.clone(), from_seq, to_seq: None };
        periods.retain(|period| period.from_seq != from_seq);
        periods.push(row.clone());
        self.find_locals(own);
        Some(row)
    }

    /// The account gets events up to this seq. Returns the row, unless it got none.
    pub(crate) fn end(&mut self, account: &Account, to_seq: u64, own: &DomainName) -> Option<MemberRow> {
        let periods = self.members.get_mut(account)?;
        let open = periods.iter_mut().find(|period| period.to_seq.is_none())?;
        open.to_seq = Some(to_seq.max(open.from_seq));
        let row = open.clone();
        self.find_locals(own);
        Some(row)
    }

    /// Nothing is known any more of when the account was in.
    pub(crate) fn forget(&mut self, account: &Account, own: &DomainName) {
        self.members.remove(account);
        self.find_locals(own);
    }

    fn find_locals(&mut self, own: &DomainName) {
        let is_local = |(account, periods): &(&Account, &Vec<MemberRow>)| {
            account.domain() == own && periods.iter().any(|period| period.to_seq.is_none())
        };
        self.locals = self.members.iter().filter(is_local).map(|(account, _)| account.clone()).collect();
    }

    /// Writes what has changed.
    pub(crate) fn write(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.row_changed) {
            batch.push(Write::PutRoom(self.row.clone()));
        }
        if std::mem::take(&mut self.view_changed)
            && let (Some(view), Some(origin)) = (&self.view, &self.origin)
        {
            batch.push(Write::PutRoster(self.row.room, roster::encode(view, origin)));
        }
        if let Some(names) = self.names.take() {
            batch.push(Write::PutRoster(self.row.room, names));
        }
        // A changed group is in memory by construction; were it not, it stays unclean and is seen.
        if self.group_changed
            && let Some(group) = &self.group
        {
            batch.push(Write::PutGroup(self.row.room, group.save()));
            self.group_changed = false;
        }
    }

    const fn is_clean(&self) -> bool {
        !self.row_changed && !self.view_changed && !self.group_changed && self.names.is_none()
    }
}

/// The rooms in memory, at most `ROOMS_CACHED_MAX` between drains.
#[derive(Default)]
pub(crate) struct RoomTable {
    rooms: BTreeMap<RoomId, Box<Room>>,
    clock: u64,
}

impl RoomTable {
    /// Takes a room out of the table, to be put back with [`Self::put`]; loads it first if need be.
    /// `None` if this domain has no such room.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn take<S: Store>(
        &mut self,
        store: &S,
        own: &DomainName,
        id: &RoomId,
    ) -> Result<Option<Box<Room>>, ErrorCode> {
        if let Some(room) = self.rooms.remove(id) {
            return Ok(Some(room));
        }
        Ok(Room::load(store, own, id)?.map(Box::new))
    }

    /// Puts a room (back) into the table.
    pub(crate) fn put(&mut self, mut room: Box<Room>) {
        self.clock += 1;
        room.used = self.clock;
        self.rooms.insert(room.row.room, room);
        if self.rooms.len() > limits::ROOMS_CACHED_MAX {
            self.shrink();
        }
    }

    pub(crate) fn get_mut(&mut self, id: &RoomId) -> Option<&mut Room> {
        self.rooms.get_mut(id).map(Box::as_mut)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values().map(Box::as_ref)
    }

    /// Forgets everything; what is needed is loaded again.
    pub(crate) fn clear(&mut self) {
        self.rooms.clear();
    }

    /// Drops the longest unused eighth of the rooms, but none that is not written yet.
    fn shrink(&mut self) {
        let mut used: Vec<u64> = self.rooms.values().map(|room| room.used).collect();
        used.sort_unstable();
        let oldest = used.get(used.len() / 8).copied().unwrap_or_default();
        self.rooms.retain(|_, room| !room.is_clean() || room.used > oldest);
    }
}
