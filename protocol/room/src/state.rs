//! Decides whether a `RoomState` is well-formed: the group context extension that members and hub
//! enforce.

use std::collections::BTreeSet;

use wire::{
    Account, DomainName, ErrorCode, RoomId,
    proto::{RoomKind, RoomState},
};

use crate::direct_room;

/// The version of these rules.
pub const VERSION: u32 = 1;

/// A checked `RoomState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The room.
    pub room: RoomId,
    /// The domain that orders it.
    pub hub: DomainName,
    /// Direct or group.
    pub kind: RoomKind,
    /// Who may add, remove and change this. In a direct room its two accounts, for ever.
    pub admins: BTreeSet<Account>,
}

impl State {
    /// The state of a new group with one admin.
    #[must_use]
    pub fn group(room: RoomId, hub: DomainName, founder: Account) -> Self {
        Self { room, hub, kind: RoomKind::Group, admins: BTreeSet::from([founder]) }
    }

    /// The state of the direct room of two accounts.
    #[must_use]
    pub fn direct(one: &Account, other: &Account) -> Self {
        let (room, hub) = direct_room(one, other);
        Self { room, hub, kind: RoomKind::Direct, admins: BTreeSet::from([one.clone(), other.clone()]) }
    }

    /// Checks the message ([ROOM-3]).
    ///
    /// # Errors
    /// `Unsupported` for a version or kind that is not known, else `Malformed`.
    pub fn parse(state: &RoomState) -> Result<Self, ErrorCode> {
        if state.version != VERSION {
            return Err(ErrorCode::Unsupported);
        }
        let kind = match state.kind() {
            RoomKind::Unspecified => return Err(ErrorCode::Unsupported),
            kind @ (RoomKind::Direct | RoomKind::Group) => kind,
        };
        let admins: Vec<Account> = state.admins.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        if !admins.is_sorted_by(|one, next| one < next) || admins.is_empty() {
            return Err(ErrorCode::Malformed);
        }
        let parsed = Self {
            room: RoomId::try_from(state.room.as_ref())?,
            hub: state.hub.parse()?,
            kind,
            admins: admins.into_iter().collect(),
        };
        parsed.direct_id_is_right().then_some(parsed).ok_or(ErrorCode::Malformed)
    }

    /// The message: the one encoding that [`State::parse`] accepts.
    #[must_use]
    pub fn to_proto(&self) -> RoomState {
        RoomState {
            room: self.room.to_bytes(),
            hub: self.hub.as_str().into(),
            kind: self.kind.into(),
            admins: self.admins.iter().map(|admin| admin.as_str().into()).collect(),
            version: VERSION,
        }
    }

    /// Whether this account has the role `admin`.
    #[must_use]
    pub fn is_admin(&self, account: &Account) -> bool {
        self.admins.contains(account)
    }

    // [ROOM-3] The two accounts of a direct room stand in it from the start, so that nobody can
    // found the room of two others.
    fn direct_id_is_right(&self) -> bool {
        if self.kind != RoomKind::Direct {
            return true;
        }
        let mut admins = self.admins.iter();
        match (admins.next(), admins.next(), admins.next()) {
            (Some(lower), Some(higher), None) => direct_room(lower, higher) == (self.room, self.hub.clone()),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{account, acme, group, group_state};

    #[test]
    fn what_is_made_here_is_well_formed() {
        for state in [group_state(&["alice", "bob"]), State::direct(&account("bob"), &account("alice"))] {
            assert_eq!(State::parse(&state.to_proto()), Ok(state));
        }
    }

    // [ROOM-3]
    #[test]
    fn every_state_that_is_not_well_formed_is_refused_by_name() {
        type Change<'a> = &'a dyn Fn(&mut RoomState);
        let admins = |names: &[&str]| names.iter().map(|name| account(name).as_str().into()).collect();
        let cases: &[(&str, ErrorCode, Change<'_>)] = &[
            ("a later version", ErrorCode::Unsupported, &|s| s.version = 2),
            ("no version", ErrorCode::Unsupported, &|s| s.version = 0),
            ("no kind", ErrorCode::Unsupported, &|s| s.kind = 0),
            ("no admin", ErrorCode::Malformed, &|s| s.admins.clear()),
            ("admins out of order", ErrorCode::Malformed, &|s| s.admins = admins(&["bob", "alice"])),
            ("an admin twice", ErrorCode::Malformed, &|s| s.admins = admins(&["alice", "alice"])),
            ("an admin that is no account", ErrorCode::Malformed, &|s| s.admins = vec!["alice".into()]),
            ("a short id", ErrorCode::Malformed, &|s| s.room = Default::default()),
            ("a hub that is no domain", ErrorCode::Malformed, &|s| s.hub = "acme".into()),
        ];
        for (what, expected, change) in cases {
            let mut state = group_state(&["alice", "bob"]).to_proto();
            change(&mut state);
            assert_eq!(State::parse(&state), Err(*expected), "{what}");
        }
    }

    #[test]
    fn a_direct_room_names_its_two_accounts_and_follows_from_them() {
        let direct = State::direct(&account("alice"), &account("bob"));
        let with = |change: &dyn Fn(&mut State)| {
            let mut state = direct.clone();
            change(&mut state);
            State::parse(&state.to_proto())
        };
        let malformed = Err(ErrorCode::Malformed);
        assert_eq!(with(&|s| drop(s.admins.pop_first())), malformed);
        assert_eq!(with(&|s| s.admins.extend([account("carol")])), malformed);
        assert_eq!(with(&|s| s.room = group()), malformed);
        assert_eq!(with(&|s| s.hub = "umbrella.test".parse().unwrap()), malformed);
        assert_eq!(direct.hub, acme());
    }
}
