//! What a user may want.

use wire::{
    Account, DomainName, MessageId, RoomId,
    proto::{self, ContactPolicy},
};

/// Chosen by the driver for each command; comes back in the notices that answer it. Means nothing
/// after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A room that is known here.
    Room(RoomId),
    /// The direct room with this account, which is made if there is none.
    Account(Account),
}

/// What a user may want. Each is answered by exactly one `Notice::Finished`; one that takes effect
/// later is first announced by `Notice::Queued`, from which moment on it survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A text message, at most `CONTENT_BODY_BYTES_MAX` bytes. Finished when it is ordered.
    Send {
        /// Where to.
        target: Target,
        /// The text.
        text: String,
        /// The message that it answers.
        reply_to: Option<MessageId>,
    },
    /// One of the commands that make a message, under an id of the caller's making, 128 random bits.
    /// Repeated while the message waits or was refused, it is the same message. `Malformed` for any other
    /// command, `Conflict` if the id stands for another message that waits. What was ordered is known to
    /// the store alone: a caller that repeats looks there first.
    Once {
        /// The id.
        id: MessageId,
        /// What is to be sent.
        command: Box<Command>,
    },
    /// A file whose blob the home node has taken whole (`spec/09-media.md`). Finished when it is ordered.
    SendFile {
        /// The room that the blob was put into.
        room: RoomId,
        /// What the others need to fetch and read it.
        file: proto::File,
    },
    /// Another text for a message of one's own.
    Edit {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageId,
        /// The new text.
        text: String,
    },
    /// Takes a message of one's own back.
    Delete {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageId,
    },
    /// A reaction to a message, at most `REACTION_BYTES_MAX` bytes.
    React {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageId,
        /// The reaction.
        emoji: String,
        /// Take it back instead.
        remove: bool,
    },
    /// Everything up to this seq is read: sends a receipt if that is news.
    MarkRead {
        /// The room.
        room: RoomId,
        /// The seq of the newest event that was shown.
        seq: u64,
    },
    /// The user is typing, or stopped. Sent if there is a session, stored nowhere.
    Typing {
        /// The room.
        room: RoomId,
        /// Whether it goes on.
        active: bool,
    },
    /// A group with these accounts besides one's own, at the hub of one's own domain.
    CreateRoom {
        /// Its name, at most `ROOM_NAME_BYTES_MAX` bytes; encrypted.
        name: String,
        /// What it is about; encrypted.
        topic: String,
        /// Whom to invite.
        members: Vec<Account>,
    },
    /// The direct room with an account, without a message.
    OpenDirect {
        /// The other account.
        account: Account,
    },
    /// Adds accounts to a group.
    Invite {
        /// The room.
        room: RoomId,
        /// Whom.
        accounts: Vec<Account>,
    },
    /// Removes an account from a group.
    Remove {
        /// The room.
        room: RoomId,
        /// Whom.
        account: Account,
    },
    /// Makes an account an admin of a group, or takes that back.
    SetRole {
        /// The room.
        room: RoomId,
        /// Whose role.
        account: Account,
        /// Admin, or member.
        admin: bool,
    },
    /// Another name and topic for a group; encrypted.
    Rename {
        /// The room.
        room: RoomId,
        /// The name.
        name: String,
        /// The topic.
        topic: String,
    },
    /// Goes away from a room.
    Leave {
        /// The room.
        room: RoomId,
    },
    /// Accepts or declines an invitation.
    AnswerInvitation {
        /// The room.
        room: RoomId,
        /// Accept, or decline.
        accept: bool,
    },
    /// Gives up a message that is not ordered yet, named by its intent or its message id. One that
    /// the home node has accepted may still arrive.
    Cancel {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageId,
    },
    /// Who of other domains may start a conversation.
    SetContactPolicy {
        /// The policy.
        policy: ContactPolicy,
    },
    /// Who of other domains may start a conversation at present, by the word of the home node.
    ContactPolicy,
    /// Hear nothing of an account, or hear of it again. What it says while it is blocked is part of
    /// no timeline, not afterwards either; its invitations are declined.
    Block {
        /// Whom.
        account: Account,
        /// Block, or take that back.
        blocked: bool,
    },
    /// Show this account's fellows in rooms, of its own domain, that it is here, and hear who of them is;
    /// or stop to. On this session and on those that follow, as far as the node lets it ([SYNC-32]).
    ShowPresence {
        /// Show, or stop to.
        shown: bool,
    },
    /// How this node stands with other domains; empty: all with a backlog.
    PeerStates {
        /// Which.
        domains: Vec<DomainName>,
    },
    /// Fetches an account's keys anew and compares them with the pin.
    LookUp {
        /// Whose.
        account: Account,
    },
    /// Says what is said in a group to an account that came in although its keys could not be checked.
    Admit {
        /// The room.
        room: RoomId,
        /// Whom.
        account: Account,
    },
    /// Trusts the account key that was last seen for this account in place of the pinned one. Only
    /// after comparing it out of band.
    TrustKey {
        /// Whose.
        account: Account,
        /// The key that was compared, 32 bytes.
        key: wire::PublicKey,
    },
}
