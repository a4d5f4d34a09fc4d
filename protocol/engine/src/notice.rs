//! What a user is told.

use wire::{
    Account, DomainName, ErrorCode, MessageId, RoomId, WireError,
    proto::{ContactPolicyState, PeerState},
};

use crate::{
    CommandId,
    record::ContactRow,
    view::{Delivery, TimelineItem},
};

/// What a user is told. Everything that a notice says is durable when it comes out. Text in it is
/// foreign: whoever prints it makes it harmless first.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A command is stored and will be carried out, over restarts and outages if need be.
    Queued {
        /// Which command.
        command: CommandId,
        /// Its lasting name: stays the same when the message id must change.
        intent: MessageId,
        /// The room that it concerns.
        room: RoomId,
    },
    /// A command is done, or will never be. The last word about it.
    Finished {
        /// Which command; `None` if it was given before a restart.
        command: Option<CommandId>,
        /// Its lasting name, if it was queued.
        intent: Option<MessageId>,
        /// What came of it. `WireError::value` as in `spec/errors.toml`.
        result: Result<Outcome, WireError>,
    },
    /// An own message got further. States only rise, but for `Failed`.
    Delivery {
        /// The room.
        room: RoomId,
        /// The lasting name of the message's intent.
        intent: MessageId,
        /// The id under which it is (to be) ordered.
        message: MessageId,
        /// How far it is.
        state: Delivery,
    },
    /// A new item of a room's timeline, in order. An edit, a deletion or a reaction comes as an
    /// item too; `view::timeline` applies them.
    Item {
        /// The room.
        room: RoomId,
        /// The item.
        item: TimelineItem,
    },
    /// Name, members, roles or state of a room changed, or it is new: look at `Engine::room`.
    Room(RoomId),
    /// Somebody has read up to a seq.
    Read {
        /// The room.
        room: RoomId,
        /// Who.
        account: Account,
        /// Up to where.
        seq: u64,
    },
    /// Somebody is typing, or stopped.
    Typing {
        /// The room.
        room: RoomId,
        /// Who.
        account: Account,
        /// Whether it goes on.
        active: bool,
    },
    /// An invitation waits for an answer, or is void; see `Engine::invitations`.
    Invitation(RoomId),
    /// This device is in a room now.
    Joined(RoomId),
    /// This account is out of a room.
    Left(RoomId),
    /// A room takes in nothing more and sends nothing, because what the hub or a member did there
    /// breaks the rules. The error is also in the room's view.
    Paused {
        /// The room.
        room: RoomId,
        /// Why.
        error: ErrorCode,
    },
    /// Something is not as it should be, but goes on.
    Warning(Warning),
    /// How this node stands with another domain.
    PeerState(PeerState),
    /// An account of this domain, in a room together with this one, came or went. Whoever was here is
    /// not known to be when the session is over.
    Presence {
        /// Who.
        account: Account,
        /// Whether it is here.
        here: bool,
    },
    /// Everything that the node has stored for this device is here and durable.
    CaughtUp,
    /// The node ends the session and says why.
    Goodbye(WireError),
    /// The store refused a write; the engine is to be opened anew.
    Stopped,
}

/// Something that is not as it should be, but goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A member's keys could not be checked, or do not pass: what it sends is shown with this mark.
    Unverified {
        /// The room.
        room: RoomId,
        /// Who.
        account: Account,
        /// Why.
        error: ErrorCode,
    },
    /// An account came into the room without its keys having passed: nothing is sent there before they
    /// do, it is removed, or the user admits it (`Command::Admit`).
    Held {
        /// The room.
        room: RoomId,
        /// Who.
        account: Account,
        /// Why.
        error: ErrorCode,
    },
    /// The account key is not the one that was seen first.
    KeyChanged {
        /// Whose.
        account: Account,
    },
    /// A member saw another history of the room than this device: the hub shows different things
    /// to different people.
    ForkedLog {
        /// The room.
        room: RoomId,
        /// Who saw another history.
        account: Account,
        /// Of which seq.
        seq: u64,
    },
    /// The hub ordered a message of somebody who is not in the room any more, which it has to refuse.
    /// The message is not shown.
    HubAtFault {
        /// The room.
        room: RoomId,
        /// Whose message.
        account: Account,
        /// Its place.
        seq: u64,
    },
    /// A member's device could not process a commit.
    Nack {
        /// The room.
        room: RoomId,
        /// Who.
        account: Account,
        /// The commit.
        seq: u64,
    },
    /// This device cannot follow a room any more and means to come back by itself; what is said
    /// meanwhile it will not read.
    Lost {
        /// The room.
        room: RoomId,
        /// Whose commit it was, if its signature says so.
        account: Option<Account>,
        /// Its place.
        seq: u64,
        /// Why.
        error: ErrorCode,
    },
    /// A domain's documents do not chain to those that are pinned here.
    DomainKeyChanged {
        /// Which domain.
        domain: DomainName,
    },
    /// A frame or an entry from the node made no sense and was passed over.
    Passed {
        /// What was wrong.
        error: ErrorCode,
    },
    /// The node's store is another one than before: everything is read again.
    StoreChanged,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The message is ordered.
    Ordered {
        /// The room.
        room: RoomId,
        /// The id of the message.
        message: MessageId,
        /// Its place in the room.
        seq: u64,
    },
    /// The room exists, and these accounts were added; those could not be, each with the reason.
    Room {
        /// The room.
        room: RoomId,
        /// Who is in now.
        added: Vec<Account>,
        /// Who is not.
        refused: Vec<(Account, ErrorCode)>,
    },
    /// How this node stands with other domains.
    Peers(Vec<PeerState>),
    /// Who of other domains may start a conversation, by the word of the home node.
    ContactPolicy(ContactPolicyState),
    /// What is known about an account.
    Contact(ContactRow),
}
