//! What the client shows: plain data, the same for the process that owns the device and for those
//! that it serves. Everything textual in here that a member or a node wrote is foreign: a program
//! that prints it must make it safe first.

use serde::{Deserialize, Serialize};
use wire::{Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId};

use crate::seal::Protection;

mod contact;
mod file;
mod happening;
pub(crate) mod text;

pub use contact::{Contact, ContactState};
pub use file::{FileInfo, Saved, Transfer, Upload};
pub use happening::Happening;

/// What a room is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomKind {
    /// Two accounts; the room's id follows from them.
    Direct,
    /// Any number.
    Group,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May add, remove and promote.
    Admin,
    /// May read and write.
    Member,
}

/// How this account stands to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Being made or joined; messages wait.
    Joining,
    /// Invited, not yet accepted.
    Invited,
    /// In it.
    Member,
    /// Out of it; what was said before stays readable.
    Left,
    /// Stopped, because the client cannot or must not go on; `Room::problem` says why.
    Paused,
    /// This device could not follow the room, and is coming back into it by itself.
    Rejoining,
    /// Not founded, and `Room::problem` says why; what is sent next tries anew.
    Refused,
}

/// An account in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    #[serde(with = "text")]
    pub account: Account,
    /// What it may do.
    pub role: Role,
    /// Why its keys are not verified; `None` if they are.
    #[serde(with = "text::error")]
    pub unverified: Option<ErrorCode>,
    /// Whether its organisation holds its account key.
    pub managed: bool,
    /// Whether it declined the invitation, as the hub says.
    pub declined: bool,
    /// Whether it came in without its keys having passed: nothing is sent in the room before they do,
    /// it is removed, or [`crate::Client::admit`] is called.
    #[serde(default)]
    pub held: bool,
}

/// What of a room may disturb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Everything that somebody else says.
    #[default]
    All,
    /// Only what names this account.
    Mentions,
    /// Nothing.
    None,
}

impl Notify {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::All, Self::Mentions, Self::None];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }
}

/// A room as this device sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The room's id.
    #[serde(with = "text")]
    pub id: RoomId,
    /// Direct or group.
    pub kind: RoomKind,
    /// The encrypted name that a member gave it; empty if none did. Foreign.
    pub name: String,
    /// What it is about. Foreign.
    pub topic: String,
    /// The other account of a direct room.
    #[serde(with = "text::option")]
    pub peer: Option<Account>,
    /// The domain that orders its events.
    #[serde(with = "text::option")]
    pub hub: Option<DomainName>,
    /// How this account stands to it.
    pub standing: Standing,
    /// Who invited, while `standing` is `Invited`.
    #[serde(with = "text::option")]
    pub inviter: Option<Account>,
    /// Who is in it.
    pub members: Vec<Member>,
    /// The group's epoch.
    pub epoch: u64,
    /// The newest event that this device has applied.
    pub seq: u64,
    /// Everything up to this seq was read on this device.
    pub read_seq: u64,
    /// Messages of others that were not marked as read.
    pub unread: u64,
    /// Those of them that name this account; beyond a thousand unread nobody counts on.
    pub mentions: u64,
    /// What of it may disturb, as was said on this device.
    pub notify: Notify,
    /// Time of the newest message, milliseconds since 1970; 0 if there is none.
    pub time_ms: u64,
    /// Events, or keys that are needed to judge them, are being fetched.
    pub behind: bool,
    /// What is wrong with the room: why it is paused or was not founded, or `ForkedLog` if it goes on although a member
    /// has seen another history of it.
    #[serde(with = "text::error")]
    pub problem: Option<ErrorCode>,
}

impl Room {
    /// What a person calls it: the other account of a direct room, `#name` of a group that has a
    /// name, else the beginning of its id. Foreign.
    #[must_use]
    pub fn called(&self) -> String {
        match (&self.peer, &self.inviter) {
            (Some(peer), _) => peer.to_string(),
            (None, Some(inviter)) if self.kind == RoomKind::Direct => inviter.to_string(),
            _ if !self.name.is_empty() => format!("#{}", self.name),
            _ => self.id.to_string().chars().take(8).collect(),
        }
    }
}

/// How far a message has come. Ordered: each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// On this device's disk.
    Queued,
    /// The home node has it durably and owns delivery from here.
    Accepted,
    /// The hub gave it its place.
    Ordered,
    /// Every member's domain holds it durably.
    Stored,
    /// A device of every other member has it on disk.
    Delivered,
    /// Every other member has read it.
    Read,
}

/// How a room changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was founded.
    Founded,
    /// The accounts were added.
    Added,
    /// The accounts were removed.
    Removed,
    /// The accounts went away.
    Left,
    /// The accounts are the admins now.
    Roles,
    /// The accounts declined the invitation.
    Declined,
    /// A device of the accounts could not follow.
    Nack,
    /// A device of the sender came back that could not follow. If it is this one, the accounts came in
    /// meanwhile, and what was said meanwhile cannot be read.
    Rejoined,
    /// The hub had lost the room, and it is founded anew; what was said before stays readable here.
    Refounded,
    /// The hub does not know the room any more: nothing goes in or out.
    Gone,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageBody {
    /// Text, at most 64 KiB. Foreign.
    Text(String),
    /// A file. Foreign.
    File(FileInfo),
    /// Its author took it back.
    Deleted,
    /// It cannot be read, and why.
    Unreadable(String),
    /// Only in a [`Happening`]: another text for an earlier message.
    Edit {
        /// Which.
        #[serde(with = "text")]
        target: MessageId,
        /// The new text. Foreign.
        text: String,
    },
    /// Only in a [`Happening`]: an earlier message is taken back.
    Delete {
        /// Which.
        #[serde(with = "text")]
        target: MessageId,
    },
    /// Only in a [`Happening`]: a reaction to an earlier message.
    Reaction {
        /// To which.
        #[serde(with = "text")]
        target: MessageId,
        /// The reaction. Foreign.
        emoji: String,
        /// It was taken away.
        withdrawn: bool,
    },
    /// The room has another name. Foreign.
    Renamed {
        /// The name.
        name: String,
        /// What it is about.
        topic: String,
    },
    /// The room changed.
    Changed {
        /// How.
        change: Change,
        /// Whom it concerns.
        accounts: Vec<String>,
    },
}

/// Reactions with one emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji. Foreign.
    pub emoji: String,
    /// By whom.
    pub by: Vec<String>,
}

/// A message as this device sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// In which room.
    #[serde(with = "text")]
    pub room: RoomId,
    /// Its id: what an answer, an edit or a reaction names.
    #[serde(with = "text")]
    pub id: MessageId,
    /// A message of this device: the name that [`Sent`] gave, which stays while the id may change
    /// until it is ordered.
    #[serde(with = "text::option")]
    pub intent: Option<MessageId>,
    /// Its place in the room; 0 while it is not ordered.
    pub seq: u64,
    /// Who wrote it; `None` for what the hub says.
    #[serde(with = "text::option")]
    pub sender: Option<Account>,
    /// Whether this account wrote it.
    pub own: bool,
    /// The hub's clock, milliseconds since 1970; this device's while it is not ordered.
    pub time_ms: u64,
    /// What it says.
    pub body: MessageBody,
    /// Whether its author changed it afterwards.
    pub edited: bool,
    /// The message that it answers.
    #[serde(with = "text::option")]
    pub reply_to: Option<MessageId>,
    /// Reactions to it.
    pub reactions: Vec<Reaction>,
    /// How far it has come, if it is one's own.
    pub level: Option<Level>,
    /// Why it will not go further.
    #[serde(with = "text::error")]
    pub failed: Option<ErrorCode>,
}

/// How far a message is with one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// With whom.
    #[serde(with = "text")]
    pub account: Account,
    /// How far.
    pub level: Level,
}

/// A message that is on this device's disk and will be sent, over restarts and outages if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// In which room.
    #[serde(with = "text")]
    pub room: RoomId,
    /// Its lasting name on this device.
    #[serde(with = "text")]
    pub intent: MessageId,
}

/// What came of a change to a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The room.
    #[serde(with = "text")]
    pub room: RoomId,
    /// Who is in now.
    pub added: Vec<String>,
    /// Who could not be added, and the name of the error.
    pub refused: Vec<(String, String)>,
}

/// What this device knows of an account, and how far that may be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    #[serde(with = "text")]
    pub account: Account,
    /// Whether the key was compared with its owner.
    pub belief: Belief,
    /// Who holds the account key.
    pub mode: Mode,
    /// The SHA-256 of the account key in use, 64 hexadecimal digits; empty while none was seen.
    pub fingerprint: String,
    /// That of another key which the account's domain has shown since, and which is not used.
    pub changed: Option<String>,
    /// That of the root key of the account's domain, as one's own node shows it; `None` if no
    /// document of it was seen.
    pub domain_fingerprint: Option<String>,
    /// What both sides compare at once: 60 digits for one's own key and the one in use; `None` for
    /// oneself, and while no key was seen.
    pub safety_number: Option<String>,
    /// The user wants to hear nothing of the account.
    pub blocked: bool,
}

/// How far the key of an account may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Belief {
    /// Its domain shows another key than before. Nothing is encrypted to the new one.
    Changed,
    /// It is the first one that was seen: as good as the word of one's own node.
    Seen,
    /// The user has compared it.
    Verified,
    /// It is the user's own.
    Own,
    /// No key was seen: the account is known by name only.
    Unseen,
}

/// Who holds an account key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The person, on their devices only.
    UserHeld,
    /// The organisation, which can therefore read what is sent to the account.
    Managed,
    /// Not known yet.
    Unknown,
}

/// Which part of a room's messages: `before` and `after` are seqs, both exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Only earlier ones.
    pub before: Option<u64>,
    /// Only later ones; the page then begins with the oldest of them.
    pub after: Option<u64>,
    /// At most so many, 1 to 200.
    pub limit: u32,
}

/// A page of messages, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether older ones exist: ask with `before` the first seq of `span`.
    pub older: bool,
    /// Whether newer ones exist: ask with `after` the last seq of `span`.
    pub newer: bool,
    /// The first and the last seq that were looked at. Not all of them need be among the messages:
    /// what somebody says who is blocked is not.
    pub span: Option<(u64, u64)>,
}

/// What a person or a bot writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outgoing {
    /// A text, possibly an answer.
    Text {
        /// At most 64 KiB of UTF-8.
        body: String,
        /// The message that it answers.
        #[serde(with = "text::option")]
        reply_to: Option<MessageId>,
    },
    /// A new text for a message of one's own.
    Edit {
        /// Which.
        #[serde(with = "text")]
        target: MessageId,
        /// The new text.
        body: String,
    },
    /// Takes back a message of one's own.
    Delete {
        /// Which.
        #[serde(with = "text")]
        target: MessageId,
    },
    /// Adds a reaction, or takes it away.
    React {
        /// To which message.
        #[serde(with = "text")]
        target: MessageId,
        /// At most 64 bytes.
        emoji: String,
        /// Take it away.
        remove: bool,
    },
}

impl Outgoing {
    /// A text that answers nothing.
    #[must_use]
    pub fn text(body: impl Into<String>) -> Self {
        Self::Text { body: body.into(), reply_to: None }
    }
}

/// The link from the home node to another domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// Which domain.
    #[serde(with = "text")]
    pub domain: DomainName,
    /// `connected`, `connecting`, `waiting`, `held` or `idle`.
    pub phase: String,
    /// Items that wait for it.
    pub queued: u64,
    /// Time of the oldest of them, milliseconds since 1970; 0 if none.
    pub oldest_ms: u64,
    /// Why the last attempt failed.
    #[serde(with = "text::error")]
    pub last_error: Option<ErrorCode>,
    /// When it is tried again, milliseconds since 1970; 0 if not planned.
    pub next_retry_ms: u64,
    /// Since when it has been away, milliseconds since 1970; 0 while connected.
    pub absent_since_ms: u64,
}

/// This device and what waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The account.
    #[serde(with = "text")]
    pub account: Account,
    /// The device.
    #[serde(with = "text")]
    pub device: DeviceId,
    /// Whether the session with the home node stands.
    pub connected: bool,
    /// How what the device keeps is protected.
    pub protection: Protection,
    /// The endpoint in use or tried last.
    pub endpoint: String,
    /// Why the last attempt failed; our own words.
    pub problem: Option<String>,
    /// Why the home node wants no session with this device, until somebody changes that: `Blocked`
    /// while the account is suspended.
    #[serde(default, with = "text::error")]
    pub shut_out: Option<ErrorCode>,
    /// Whether everything that the node has is here.
    pub caught_up: bool,
    /// Rooms that the account is in.
    pub rooms: u64,
    /// Invitations that wait for an answer.
    pub invitations: u64,
    /// Unread messages in all rooms.
    pub unread: u64,
    /// Own messages that the home node has not accepted yet.
    pub unsent: u64,
    /// Links of the home node to other domains with something waiting.
    pub peers: Vec<PeerView>,
    /// Accounts of this domain, in a room with this one, that show that they are here.
    #[serde(default)]
    pub present: Vec<String>,
}
