//! Decides who may submit to a room at all.

use std::collections::BTreeSet;

use wire::{Account, DeviceId, DomainName, ErrorCode, RoomId, WireError};

use crate::{Request, Roster, State};

/// What a hub knows of a room when it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// The room.
    pub room: RoomId,
    /// Roles and kind, in the current epoch.
    pub state: State,
    /// The current epoch.
    pub epoch: u64,
    /// The leaves of the current epoch.
    pub roster: Roster,
    /// Accounts with a leaf whose leave was ordered.
    pub leaving: BTreeSet<Account>,
    /// Accounts with a leaf that declined the invitation: they receive nothing.
    pub declined: BTreeSet<Account>,
    /// Accounts that had a leaf in an earlier epoch and have none now.
    pub former: BTreeSet<Account>,
}

/// What an account is in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A member.
    Member,
    /// It was one, or is on its way out, or its domain was: it may know that the room exists.
    Former,
    /// The room does not exist as far as it may know.
    Stranger,
}

impl Standing {
    /// Whether it may submit ([ROOM-11]).
    ///
    /// # Errors
    /// `Forbidden` for a former member, `NotFound` for a stranger, who learns no more than if the
    /// room did not exist.
    pub const fn may_submit(self) -> Result<(), ErrorCode> {
        match self {
            Self::Member => Ok(()),
            Self::Former => Err(ErrorCode::Forbidden),
            Self::Stranger => Err(ErrorCode::NotFound),
        }
    }
}

impl RoomView {
    /// What this account is in the room ([ROOM-11]).
    #[must_use]
    pub fn standing(&self, account: &Account) -> Standing {
        let out = self.leaving.contains(account) || self.declined.contains(account);
        if self.roster.contains_key(account) && !out {
            return Standing::Member;
        }
        let of_domain = |other: &Account| other.domain() == account.domain();
        if self.roster.keys().any(of_domain) || self.former.iter().any(of_domain) {
            Standing::Former
        } else {
            Standing::Stranger
        }
    }

    /// Whether this account may know that the room exists: it or its domain is or was in it, or it is
    /// one of the two of a direct room.
    #[must_use]
    pub fn may_know(&self, account: &Account) -> bool {
        self.standing(account) != Standing::Stranger || self.state.admins.contains(account)
    }

    /// Whether this account was in the room and is out, or on its way out.
    #[must_use]
    pub fn has_been_in(&self, account: &Account) -> bool {
        [&self.leaving, &self.declined, &self.former].iter().any(|out| out.contains(account))
    }

    /// The domains that receive the room's events: those of members that are not on their way out.
    #[must_use]
    pub fn recipients(&self) -> BTreeSet<DomainName> {
        let stays =
            |account: &&Account| !self.leaving.contains(*account) && !self.declined.contains(*account);
        self.roster.keys().filter(stays).map(|account| account.domain().clone()).collect()
    }

    /// [ROOM-11] The account is a member and the device has a leaf.
    pub(crate) fn submitter(&self, request: &Request) -> Result<(), WireError> {
        self.standing(&request.account).may_submit()?;
        self.has_leaf(&request.account, &request.device).then_some(()).ok_or(ErrorCode::Forbidden.into())
    }

    fn has_leaf(&self, account: &Account, device: &DeviceId) -> bool {
        self.roster.get(account).is_some_and(|devices| devices.contains(device))
    }
}

/// The authenticated peer may speak for this account ([ROOM-12]).
///
/// # Errors
/// `OriginMismatch`.
pub fn origin(peer: &DomainName, account: &Account) -> Result<(), ErrorCode> {
    (account.domain() == peer).then_some(()).ok_or(ErrorCode::OriginMismatch)
}
