//! Decides what becomes of accounts of this domain that a commit added to a room: members at once,
//! invited, or declined by policy ([SYNC-20]).

use bytes::Bytes;
use machine::Entropy;
use prost::Message as _;
use room::hub::RoomView;
use store::{
    Store, Write,
    row::{AccountRow, InvitationRow, MemberRow},
};
use wire::{
    Account, DomainName, ErrorCode, RoomId, limits,
    proto::{ContactPolicy, Declined, Invitation, Join, entry, item},
};

use crate::{Core, admin::may_act, room_table::Room, roster};

enum Admission {
    Member,
    Invited,
    Declined,
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// Takes in the accounts that a `Join` names. `seq` is that of the commit: later events are for
    /// them.
    pub(crate) fn admit(&mut self, room: &mut Room, join: &Join, seq: u64) {
        self.drain.settle_first = true;
        for name in &join.accounts {
            let Ok(account) = name.parse::<Account>() else { continue };
            let admission = self.admission(room, join, &account).unwrap_or(Admission::Invited);
            match admission {
                Admission::Member => self.make_member(room, &account, join, seq),
                Admission::Invited => self.invite(room, &account, join),
                Admission::Declined => self.decline(room, &account),
            }
        }
    }

    /// The account is a member from this seq on and gets what it needs to join.
    pub(crate) fn make_member(&mut self, room: &mut Room, account: &Account, join: &Join, seq: u64) {
        let own = self.config.domain.clone();
        if let Some(row) = room.begin(account, seq, &own) {
            self.presence.entered(account);
            self.drain.batch.push(Write::PutMember(row));
            self.add_entry(account, None, entry::Entry::Join(join.clone()));
        }
    }

    // [SYNC-20] However often it is told, an invitation is one, with the newest commit.
    fn invite(&mut self, room: &Room, account: &Account, join: &Join) {
        self.drain.invited.insert(room.row.room);
        let waiting = self.store.invitations(account).unwrap_or_default();
        if let Some(row) = waiting.into_iter().find(|row| row.room == room.row.room) {
            let join = Bytes::from(join.encode_to_vec());
            if row.join != join {
                self.drain.batch.push(Write::PutInvitation(InvitationRow { join, ..row }));
            }
            return;
        }
        self.drain.batch.push(Write::PutInvitation(InvitationRow {
            account: account.clone(),
            room: room.row.room,
            join: join.encode_to_vec().into(),
            time_ms: self.now.as_ms(),
        }));
        let invitation = Invitation {
            room: join.room.clone(),
            inviter: join.inviter.clone(),
            kind: join.kind,
            time_ms: self.now.as_ms(),
        };
        self.add_entry(account, None, entry::Entry::Invitation(invitation));
    }

    /// The hub is told that the account will not come.
    pub(crate) fn decline(&mut self, room: &mut Room, account: &Account) {
        if room.view.is_some() {
            self.order_declined(room, account);
            return;
        }
        let (hub, id) = (room.row.hub.clone(), room.row.room);
        let declined = Declined { room: id.to_bytes(), account: account.as_str().to_owned() };
        self.queue_item(&hub, id, item::Item::Declined(declined));
    }

    /// Whether none of the accounts that a `Join` names will come.
    pub(crate) fn nobody_comes(&mut self, room: &Room, join: &Join) -> bool {
        join.accounts.iter().all(|name| {
            let account = name.parse::<Account>();
            let admission = account.and_then(|account| self.admission(room, join, &account));
            matches!(admission, Ok(Admission::Declined))
        })
    }

    fn admission(&mut self, room: &Room, join: &Join, account: &Account) -> Result<Admission, ErrorCode> {
        let failed = |error: store::StoreError| error.code();
        let row = self.store.account(account).map_err(failed)?;
        let is_here = |row: &AccountRow| row.keys.is_some() && may_act(row).is_ok();
        let Some(row) = row.filter(is_here) else { return Ok(Admission::Declined) };
        if self.may_enter(account).is_err() {
            return Ok(Admission::Declined);
        }
        if self.has_asked_for(&room.row.room, account)? {
            return Ok(Admission::Member);
        }
        let inviter: Account = join.inviter.parse()?;
        let policy = self.policy(row.policy);
        let is_ours = room.view.is_some();
        // [SYNC-21] Whom another hub names as inviter is its word: it opens no door that is shut, and
        // counts for a friend's only if the hub speaks for that friend.
        if policy == ContactPolicy::Deny && !(is_ours && inviter.domain() == account.domain()) {
            return Ok(Admission::Declined);
        }
        if self.is_colleague(room, account, &inviter) {
            return Ok(Admission::Member);
        }
        let vouched = is_ours || *inviter.domain() == room.row.hub;
        Ok(match policy {
            ContactPolicy::Open => Admission::Member,
            ContactPolicy::Deny => Admission::Declined,
            _ if vouched && self.shares_a_room(account, &inviter, &room.row.hub)? => Admission::Member,
            ContactPolicy::Ask | ContactPolicy::Unspecified => {
                let waiting = self.store.invitations(account).map_err(failed)?;
                if waiting.len() >= limits::INVITATIONS_PENDING_MAX {
                    Admission::Declined
                } else {
                    Admission::Invited
                }
            }
        })
    }

    /// The account's own policy, or that of the domain.
    pub(crate) const fn policy(&self, own: ContactPolicy) -> ContactPolicy {
        match own {
            ContactPolicy::Unspecified => self.config.policy,
            set => set,
        }
    }

    // [SYNC-21] Another domain's word that a colleague invites counts only for a colleague who is there.
    fn is_colleague(&self, room: &Room, account: &Account, inviter: &Account) -> bool {
        let here = room.view.is_some() || room.standing(inviter).may_submit().is_ok();
        inviter.domain() == account.domain() && here
    }

    /// [SYNC-21] The account itself has founded this direct room, another was first, and it has not been
    /// in it yet: whoever has left a room does not ask for it.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn has_asked_for(&self, room: &RoomId, account: &Account) -> Result<bool, ErrorCode> {
        let memberships = self.store.memberships(account).map_err(|error| error.code())?;
        let periods: Vec<_> = memberships.iter().filter(|member| member.room == *room).collect();
        Ok(matches!(periods[..], [MemberRow { from_seq: 0, to_seq: Some(0), .. }]))
    }

    /// Whether the account may enter another room: it counts those that it is in now.
    ///
    /// # Errors
    /// [SYNC-24] `Quota` at `ROOMS_PER_ACCOUNT_MAX`, and those of the store.
    pub(crate) fn may_enter(&self, account: &Account) -> Result<(), ErrorCode> {
        let memberships = self.store.memberships(account).map_err(|error| error.code())?;
        let open = memberships.iter().filter(|member| member.to_seq.is_none()).count();
        if open < limits::ROOMS_PER_ACCOUNT_MAX { Ok(()) } else { Err(ErrorCode::Quota) }
    }

    /// [ROOM-29] Whether an account, of this domain or of a peer, may found another room here.
    ///
    /// # Errors
    /// `Quota` as [`Self::may_enter`], `RateLimited` if its domain has founded too many.
    pub(crate) fn may_found(&mut self, account: &Account) -> Result<(), ErrorCode> {
        self.may_enter(account)?;
        let is_own = *account.domain() == self.config.domain;
        if is_own || self.founding_rate.is_within(self.now, account.domain()) {
            Ok(())
        } else {
            Err(ErrorCode::RateLimited)
        }
    }

    /// [ROOM-29] A peer's account founds a direct room here only with somebody who is here.
    ///
    /// # Errors
    /// `NotFound`, and those of the store.
    pub(crate) fn founded_with(&self, founder: &Account, view: &RoomView) -> Result<(), ErrorCode> {
        if *founder.domain() == self.config.domain {
            return Ok(());
        }
        for account in view.state.admins.iter().filter(|account| **account != *founder) {
            self.account_keys(account)?;
        }
        Ok(())
    }

    // [SYNC-21] The account is in another room with the inviter, which it accepted or began. A search
    // reads many rows: it is made once in a drain, and the peer that caused it pays with its turn.
    fn shares_a_room(
        &mut self,
        account: &Account,
        inviter: &Account,
        hub: &DomainName,
    ) -> Result<bool, ErrorCode> {
        let pair = (account.clone(), inviter.clone());
        if let Some(known) = self.drain.acquainted.get(&pair) {
            return Ok(*known);
        }
        let memberships = self.store.memberships(account).map_err(|error| error.code())?;
        let mut found = false;
        for member in memberships.iter().filter(|member| member.to_seq.is_none()) {
            self.turns.charge(hub, limits::COST_MESSAGE);
            let names = self.store.roster(&member.room).map_err(|error| error.code())?;
            found = names.is_some_and(|bytes| roster::names(bytes, inviter));
            if found {
                break;
            }
        }
        self.drain.acquainted.insert(pair, found);
        Ok(found)
    }
}
