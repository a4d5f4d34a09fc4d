//! Decides what becomes of accounts of this domain that a commit added to a room: members at once,
//! invited, or declined by policy ([SYNC-20]).

use machine::Entropy;
use prost::Message as _;
use store::{Store, Write, row::InvitationRow};
use wire::{
    Account, ErrorCode, limits,
    proto::{ContactPolicy, Declined, Invitation, Join, RoomKind, entry, item},
};

use crate::{Core, room_table::Room, roster};

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
            self.drain.batch.push(Write::PutMember(row));
            self.add_entry(account, None, entry::Entry::Join(join.clone()));
        }
    }

    fn invite(&mut self, room: &Room, account: &Account, join: &Join) {
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

    fn admission(&self, room: &Room, join: &Join, account: &Account) -> Result<Admission, ErrorCode> {
        let failed = |error: store::StoreError| error.code();
        let row = self.store.account(account).map_err(failed)?;
        let Some(row) = row.filter(|row| row.keys.is_some()) else { return Ok(Admission::Declined) };
        if self.store.memberships(account).map_err(failed)?.len() >= limits::ROOMS_PER_ACCOUNT_MAX {
            return Ok(Admission::Declined);
        }
        let inviter: Account = join.inviter.parse()?;
        if self.is_colleague(room, account, &inviter) || self.has_asked_for(room, account)? {
            return Ok(Admission::Member);
        }
        Ok(match self.policy(row.policy) {
            ContactPolicy::Open => Admission::Member,
            ContactPolicy::Deny => Admission::Declined,
            _ if self.shares_a_room(account, &inviter)? => Admission::Member,
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

    // [SYNC-21] The account itself has founded this direct room, and another was first.
    fn has_asked_for(&self, room: &Room, account: &Account) -> Result<bool, ErrorCode> {
        let memberships = self.store.memberships(account).map_err(|error| error.code())?;
        let asked = memberships.iter().any(|member| member.room == room.row.room);
        Ok(asked && room.row.kind == RoomKind::Direct)
    }

    // [SYNC-21] The account is in another room with the inviter, which it accepted or began.
    fn shares_a_room(&self, account: &Account, inviter: &Account) -> Result<bool, ErrorCode> {
        let memberships = self.store.memberships(account).map_err(|error| error.code())?;
        for member in memberships.iter().filter(|member| member.to_seq.is_none()) {
            let names = self.store.roster(&member.room).map_err(|error| error.code())?;
            if names.is_some_and(|bytes| roster::names(bytes, inviter)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
