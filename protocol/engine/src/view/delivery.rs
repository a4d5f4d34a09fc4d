//! How far an own message is.

use wire::{Account, ErrorCode};

use super::RoomView;

/// How far an own message is. States before `Failed` only rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// Stored on this device, to be sent.
    Queued,
    /// The home node has it durably and owns its delivery.
    Accepted,
    /// The hub gave it a place in the room.
    Ordered,
    /// Every domain with members in the room holds it durably.
    Stored,
    /// Every other member has it on a device.
    Delivered,
    /// Every other member has read it.
    Read,
    /// It will never be ordered.
    Failed(ErrorCode),
}

impl Delivery {
    /// The word for it in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Ordered => "ordered",
            Self::Stored => "stored",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

/// How far an ordered message of one's own is, by what the members of the room have said: with all
/// others, or with `account` alone. Nobody else in the room: `Ordered`. Members that were added
/// later are not waited for.
#[must_use]
pub fn delivery(room: &RoomView, own: &Account, seq: u64, account: Option<&Account>) -> Delivery {
    if let Some(past) = room.past_at(seq) {
        return match () {
            () if past.read >= seq => Delivery::Read,
            () if past.delivered >= seq => Delivery::Delivered,
            () => Delivery::Ordered,
        };
    }
    let others = || {
        room.members.iter().filter(|member| {
            member.account != *own
                && member.since < seq
                && account.is_none_or(|account| member.account == *account)
        })
    };
    let stored = |member: &super::MemberView| {
        member.delivered >= seq
            || member.account.domain() == &room.hub
            || room.stored.iter().any(|(domain, held)| domain == member.account.domain() && *held >= seq)
    };
    if others().next().is_none() {
        Delivery::Ordered
    } else if others().all(|member| member.read >= seq) {
        Delivery::Read
    } else if others().all(|member| member.delivered.max(member.read) >= seq) {
        Delivery::Delivered
    } else if others().all(stored) {
        Delivery::Stored
    } else {
        Delivery::Ordered
    }
}
