//! Rooms, their members and the invitations to them.

use wire::{Account, DeviceId, DomainName, ErrorCode, RoomId, proto::RoomKind};

use crate::record::{InvitationRow, PastRow, RoomPhase};

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// The room.
    pub room: RoomId,
    /// Direct or group.
    pub kind: RoomKind,
    /// The domain that orders it.
    pub hub: DomainName,
    /// Where this device stands with it.
    pub phase: RoomPhase,
    /// Its name; empty for a direct room.
    pub name: String,
    /// What it is about.
    pub topic: String,
    /// The other account of a direct room.
    pub peer: Option<Account>,
    /// Its members, sorted by account, one's own included.
    pub members: Vec<MemberView>,
    /// Domains that hold events durably, and up to which seq.
    pub stored: Vec<(DomainName, u64)>,
    /// The seq of the newest event that was applied.
    pub head_seq: u64,
    /// The hash of that event's head.
    pub head_hash: [u8; 32],
    /// The group's epoch.
    pub epoch: u64,
    /// The newest seq that was read on this device. Unread are the later rows whose
    /// `MessageRow::counts`.
    pub read_seq: u64,
    /// The seq of the newest text by somebody else: the room is unread if it is after `read_seq`.
    pub last_text_seq: u64,
    /// Why nothing goes in or out; `None` if it does.
    pub paused: Option<ErrorCode>,
    /// Why this device cannot follow the room, as long as it means to come back into it.
    pub lost: Option<ErrorCode>,
    /// Members that have seen another history of the room than this device, and of which seq they
    /// first said so: its hub shows different things to different people.
    pub forks: Vec<(Account, u64)>,
    /// Why it could not be founded; what is sent next tries anew.
    pub refused: Option<ErrorCode>,
    /// How far the other side was each time that the room's hub had lost it, oldest first. All seqs
    /// that are shown count on from then.
    pub past: Vec<PastRow>,
    /// Events are being fetched, or keys that are needed to judge them.
    pub behind: bool,
    /// What this device still wants to do in it.
    pub waiting: usize,
}

impl RoomView {
    /// How far the other side was at the end of the time to which a place belongs, if the room was
    /// founded anew since.
    #[must_use]
    pub fn past_at(&self, seq: u64) -> Option<&PastRow> {
        self.past.iter().find(|past| seq <= past.until)
    }

    /// The member with this account.
    #[must_use]
    pub fn member(&self, account: &Account) -> Option<&MemberView> {
        self.members.iter().find(|member| member.account == *account)
    }
}

/// A member of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// The account.
    pub account: Account,
    /// Whether it is an admin.
    pub admin: bool,
    /// Its devices in the room.
    pub devices: Vec<DeviceId>,
    /// Why its keys are not verified; `None` if they are.
    pub unverified: Option<ErrorCode>,
    /// One of its devices has all events up to this seq.
    pub delivered: u64,
    /// It has read all events up to this seq.
    pub read: u64,
    /// It has asked to leave.
    pub leaving: bool,
    /// It declined the invitation, as the hub says: an admin may remove it, or invite it again.
    pub declined: bool,
    /// It came in without having passed: nothing is sent in the room before its keys are checked, it is
    /// removed, or the user admits it.
    pub held: bool,
    /// The seq of the event that added it; 0 if that was before this device joined.
    pub since: u64,
}

/// An invitation that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationView {
    /// The room.
    pub room: RoomId,
    /// Who invites.
    pub inviter: Account,
    /// Direct or group.
    pub kind: RoomKind,
    /// When, by the hub's clock, in milliseconds since 1970.
    pub time_ms: u64,
    /// The answer that was given and that the node has not confirmed.
    pub answered: Option<bool>,
}

impl InvitationView {
    /// The invitation that a row stands for; `None` if it was declined or makes no sense.
    #[must_use]
    pub fn from_row(row: &InvitationRow) -> Option<Self> {
        if row.answer > 2 {
            return None;
        }
        Some(Self {
            room: RoomId::try_from(row.room.as_ref()).ok()?,
            inviter: row.inviter.parse().ok()?,
            kind: row.kind(),
            time_ms: row.time_ms,
            answered: match row.answer {
                0 => None,
                answer => Some(answer == 1),
            },
        })
    }
}
