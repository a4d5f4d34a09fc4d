//! Orders a submission where this domain is the hub, and carries out what it does to the room.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use machine::Entropy;
use prost::Message as _;
use room::{
    Request, chain,
    hub::{self, CommitEffects, Repeat},
};
use store::{Store, Write, row::RoomRow};
use wire::{
    Account, DomainName, ErrorCode, MessageId, WireError, limits,
    proto::{Event, EventKind, HubNotice, Item, Join, Left, RoomKind, entry, item},
};

use crate::{Core, drain::Seen, group, room_table::Room, roster::Origin};

/// What varies in size in a `Join`; the rest of one fits into a kibibyte.
const JOIN_PARTS_BYTES_MAX: usize = limits::BATCH_BYTES_MAX - 1_024;

impl<S: Store, E: Entropy> Core<S, E> {
    /// Orders a submission, or says why not. The same submission again is no error and has no second
    /// effect.
    ///
    /// # Errors
    /// Those of `room::hub` and of the store.
    pub(crate) fn order(&mut self, request: &Request) -> Result<(), WireError> {
        match self.seen(request.room, request.message)? {
            Some(Seen::Ordered(stored)) => return Ok(hub::repeat(&stored, request)?),
            Some(Seen::Pending(_)) => return Err(ErrorCode::Conflict.into()),
            None => {}
        }
        self.is_open(&request.room)?;
        let own = self.config.domain.clone();
        let taken = self.rooms.take(&self.store, &own, &request.room)?;
        let mut room = match (taken, request.kind) {
            (taken, EventKind::Founding) => {
                let founded = self.found(request, taken.as_deref());
                taken.into_iter().for_each(|room| self.rooms.put(room));
                return founded;
            }
            (Some(room), _) if room.row.hub == own => room,
            (Some(room), _) => {
                self.rooms.put(room);
                return Err(ErrorCode::NotFound.into());
            }
            (None, _) => return Err(ErrorCode::NotFound.into()),
        };
        let outcome = self.order_in(&mut room, request);
        if outcome.is_err()
            && let Some(group) = &mut room.group
        {
            group.discard();
        }
        self.rooms.put(room);
        outcome
    }

    fn order_in(&mut self, room: &mut Room, request: &Request) -> Result<(), WireError> {
        match request.kind {
            EventKind::Message => self.order_message(room, request),
            EventKind::Commit => self.order_commit(room, request),
            EventKind::Proposal => self.order_leave(room, request),
            EventKind::Notice => {
                let view = room.view.as_ref().ok_or(ErrorCode::Internal)?;
                hub::order_nack(view, room.row.head_seq, request)?;
                self.append(room, request);
                Ok(())
            }
            EventKind::Founding | EventKind::Unspecified => Err(ErrorCode::Malformed.into()),
        }
    }

    fn order_message(&mut self, room: &mut Room, request: &Request) -> Result<(), WireError> {
        let view = room.view.as_ref().ok_or(ErrorCode::Internal)?;
        let (id, epoch, place) = group::message_framing(&request.body)?;
        hub::order_message(view, request, (&id, epoch))?;
        if place != (request.room, request.message) {
            return Err(ErrorCode::Malformed.into());
        }
        self.append(room, request);
        Ok(())
    }

    fn order_commit(&mut self, room: &mut Room, request: &Request) -> Result<(), WireError> {
        self.load_group(room)?;
        let (Some(view), Some(group)) = (&room.view, &mut room.group) else {
            return Err(ErrorCode::Internal.into());
        };
        let extras = request.extras.clone().unwrap_or_default();
        let effects =
            hub::order_commit(view, request, || self.observe_commit(group, &request.body, &extras))?;
        // [ROOM-26] A Join that fits no batch could never be told.
        let names: usize = effects.view.roster.keys().map(|account| account.as_str().len() + 4).sum();
        let others = request.body.len() + extras.welcome.len() + 2 * names;
        let tree = group::merge_commit(room, !effects.joined.is_empty(), others, JOIN_PARTS_BYTES_MAX)?;
        let commit = self.append(room, request);
        // [ROOM-2] The id of a group is proved by what it was made from.
        let origin = room.origin.as_ref().filter(|_| room.row.kind == RoomKind::Group);
        let join = Join {
            room: room.row.room.to_bytes(),
            founder: origin.map(|origin| origin.founder.as_str().to_owned()).unwrap_or_default(),
            founding: origin.map(|origin| origin.founding.to_bytes()).unwrap_or_default(),
            commit: Some(commit),
            welcome: extras.welcome,
            ratchet_tree: tree,
            accounts: Vec::new(),
            inviter: request.account.as_str().to_owned(),
            kind: room.row.kind.into(),
            members: effects.view.roster.keys().map(|account| account.as_str().to_owned()).collect(),
        };
        self.carry_out(room, effects, &join);
        Ok(())
    }

    /// What a commit does: those that are removed have had their last event, those that joined get
    /// what a joiner needs.
    fn carry_out(&mut self, room: &mut Room, effects: CommitEffects, join: &Join) {
        let own = self.config.domain.clone();
        let seq = room.row.head_seq;
        room.set_view(effects.view, &own);
        self.put_out(room, &effects.removed, seq);
        self.close_runs();
        for (domain, accounts) in by_domain(&effects.joined) {
            let names = accounts.iter().map(|account| account.as_str().to_owned()).collect();
            let join = Join { accounts: names, ..join.clone() };
            if domain == own {
                self.admit(room, &join, seq);
                continue;
            }
            for account in &accounts {
                if let Some(row) = room.begin(account, seq, &own) {
                    self.drain.batch.push(Write::PutMember(row));
                }
            }
            self.queue_item(&domain, room.row.room, item::Item::Join(join));
        }
    }

    fn order_leave(&mut self, room: &mut Room, request: &Request) -> Result<(), WireError> {
        self.load_group(room)?;
        let (Some(view), Some(group)) = (&room.view, &mut room.group) else {
            return Err(ErrorCode::Internal.into());
        };
        let effects = hub::order_proposal(view, request, || self.observe_proposal(group, &request.body))?;
        group.merge()?;
        room.group_changed = true;
        self.append(room, request);
        let own = self.config.domain.clone();
        room.set_view(effects.view, &own);
        let seq = room.row.head_seq;
        self.put_out(room, &BTreeSet::from([effects.account]), seq);
        Ok(())
    }

    fn found(&mut self, request: &Request, known: Option<&Room>) -> Result<(), WireError> {
        let own = self.config.domain.clone();
        let view = known.and_then(|room| room.view.as_ref());
        // Whom the room concerns is not held up; whoever guesses at it is, as at any other.
        if !view.is_some_and(|view| view.may_know(&request.account)) {
            self.may_found(&request.account)?;
        }
        let mut group = None;
        let founded = hub::order_founding(&own, view, request, || {
            let (observer, leaf) = self.found_group(&request.body)?;
            group = Some(observer);
            Ok(leaf)
        })?;
        // Another domain orders it.
        if known.is_some() {
            return Err(ErrorCode::Conflict.into());
        }
        let mut room = Box::new(Room::new(RoomRow {
            room: request.room,
            hub: own.clone(),
            kind: founded.view.state.kind,
            head_seq: 0,
            head_hash: [0; 32],
            epoch: 0,
            base_seq: 1,
            wanted_seq: 0,
        }));
        self.founded_with(&request.account, &founded.view)?;
        self.drain.settle_first = true;
        room.group = group;
        room.group_changed = true;
        room.origin = Some(Origin { founder: request.account.clone(), founding: request.message });
        room.set_view(founded.view, &own);
        if let Some(row) = room.begin(&request.account, 0, &own) {
            self.drain.batch.push(Write::PutMember(row));
        }
        self.append(&mut room, request);
        self.rooms.put(room);
        Ok(())
    }

    /// [ROOM-19] The account has declined: the log says so, and nothing more is for it.
    pub(crate) fn order_declined(&mut self, room: &mut Room, account: &Account) {
        let Some(view) = &room.view else { return };
        let Some((notice, after)) = hub::declined(view, account) else { return };
        let message = MessageId::new(self.entropy.array());
        self.append_notice(room, message, &notice);
        let own = self.config.domain.clone();
        room.set_view(after, &own);
        if let Some(row) = room.end(account, room.row.head_seq, &own) {
            self.drain.batch.push(Write::PutMember(row));
        }
    }

    fn append_notice(&mut self, room: &mut Room, message: MessageId, notice: &HubNotice) {
        let body = notice.encode_to_vec().into();
        let epoch = room.row.epoch;
        self.seal(room, EventKind::Notice, epoch, message, &body);
    }

    fn append(&mut self, room: &mut Room, request: &Request) -> Event {
        let stored = Repeat { kind: request.kind, epoch: request.epoch, body_hash: request.body_hash };
        self.drain.seen.insert((request.room, request.message), Seen::Ordered(stored));
        tracing::debug!(message_id = %request.message, "ordered here");
        self.seal(room, request.kind, request.epoch, request.message, &request.body)
    }

    /// Gives an event the next place in the log, stores it, and tells everybody who gets it.
    fn seal(
        &mut self,
        room: &mut Room,
        kind: EventKind,
        epoch: u64,
        message: MessageId,
        body: &Bytes,
    ) -> Event {
        let draft = chain::Draft {
            room: &room.row.room,
            hub: &self.config.domain,
            epoch,
            kind,
            message: &message,
            body,
            time_ms: self.now.as_ms(),
        };
        let (event, head) = chain::seal(&room.head(), &draft, &self.config.event_key);
        room.row.head_seq = head.seq;
        room.row.head_hash = head.hash;
        room.row_changed = true;
        self.drain.changed_rooms.insert(room.row.room);
        self.store_event(room, head.seq, message, kind, &event);
        for peer in &room.followers {
            tracing::debug!(message_id = %message, %peer, "queued for a follower");
            self.add_to_run(peer, room.row.room, head.seq, &event);
        }
        event
    }

    /// These accounts have had their last event: devices and domains are told.
    pub(crate) fn put_out(&mut self, room: &mut Room, accounts: &BTreeSet<Account>, seq: u64) {
        let own = self.config.domain.clone();
        for (domain, accounts) in by_domain(accounts) {
            if domain == own {
                accounts.iter().for_each(|account| self.end_membership(room, account, seq));
                continue;
            }
            for account in &accounts {
                if let Some(row) = room.end(account, seq, &own) {
                    self.drain.batch.push(Write::PutMember(row));
                }
            }
            self.close_runs();
            let accounts = accounts.iter().map(|account| account.as_str().to_owned()).collect();
            let left = Left { room: room.row.room.to_bytes(), seq, accounts };
            self.queue_item(&domain, room.row.room, item::Item::Left(left));
        }
    }

    /// An account of this domain is out of a room: no later event is for it, and its devices hear so.
    pub(crate) fn end_membership(&mut self, room: &mut Room, account: &Account, seq: u64) {
        let own = self.config.domain.clone();
        let waiting = self.store.invitations(account).unwrap_or_default();
        let invited = waiting.iter().any(|row| row.room == room.row.room);
        if invited {
            self.drain.batch.push(Write::DropInvitation(account.clone(), room.row.room));
            self.drain.settle_first = true;
        }
        let ended = room.end(account, seq, &own);
        if invited || ended.is_some() {
            self.drain.batch.writes.extend(ended.map(Write::PutMember));
            let left = Left { room: room.row.room.to_bytes(), seq, accounts: Vec::new() };
            self.add_entry(account, None, entry::Entry::Left(left));
        }
    }

    /// Queues an item for a peer. One that is not pinned gets nothing.
    pub(crate) fn queue_item(
        &mut self,
        peer: &DomainName,
        room: wire::RoomId,
        item: item::Item,
    ) -> Option<u64> {
        let number = self.links.take_number(peer)?;
        let item = Item { number, item: Some(item) };
        self.drain.changed_peers.insert(peer.clone());
        self.drain.batch.push(Write::PutOutbox(store::row::OutboxRow {
            peer: peer.clone(),
            number,
            room,
            item: item.encode_to_vec().into(),
            from_seq: 0,
            to_seq: 0,
            queued_ms: self.now.as_ms(),
        }));
        self.links.queue_item(peer, item, self.now);
        Some(number)
    }
}

fn by_domain(accounts: &BTreeSet<Account>) -> BTreeMap<DomainName, Vec<Account>> {
    let mut domains: BTreeMap<DomainName, Vec<Account>> = BTreeMap::new();
    for account in accounts {
        domains.entry(account.domain().clone()).or_default().push(account.clone());
    }
    domains
}
