//! What a handle of the client asks the process that owns the device, and what comes back. The
//! same within a process and over the directory's socket.

use std::path::PathBuf;

use engine::{Command, Target};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use wire::{Account, DomainName, ErrorCode, MessageId, RoomId, WireError, limits, proto::ContactPolicy};

use crate::{
    ClientError,
    seal::Unlock,
    view::{
        Changed, Contact, ContactState, Cursor, Level, Notify, Outgoing, Page, PeerView, Person, Receipt,
        Room, Saved, Sent, Status, Upload,
    },
};

mod text {
    //! The names and ids of a request as text.
    pub(super) use crate::view::text::*;
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum To {
    /// A room that is known here.
    Room(#[serde(with = "text")] RoomId),
    /// The direct room with this account, which is made if there is none.
    Account(#[serde(with = "text")] Account),
}

/// What a handle asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Status,
    Rooms,
    Page {
        #[serde(with = "text")]
        room: RoomId,
        cursor: Cursor,
    },
    Reached {
        sent: Sent,
    },
    Receipts {
        #[serde(with = "text")]
        room: RoomId,
        seq: u64,
    },
    EpochAuthenticator {
        #[serde(with = "text")]
        room: RoomId,
    },
    Peers,
    PeersOf {
        #[serde(with = "text::list")]
        domains: Vec<DomainName>,
    },
    ContactPolicy,
    People,
    LookUp {
        #[serde(with = "text")]
        account: Account,
    },
    Trust {
        #[serde(with = "text")]
        account: Account,
        fingerprint: [u8; 32],
        changed: bool,
    },
    Send {
        to: To,
        what: Outgoing,
        /// Its lasting name, which whoever asks has made.
        #[serde(with = "text")]
        id: MessageId,
        /// It may have been asked before.
        again: bool,
    },
    Cancel {
        #[serde(with = "text")]
        room: RoomId,
        #[serde(with = "text")]
        message: MessageId,
    },
    MarkRead {
        #[serde(with = "text")]
        room: RoomId,
        seq: u64,
    },
    Typing {
        #[serde(with = "text")]
        room: RoomId,
        active: bool,
    },
    Create {
        name: String,
        topic: String,
        #[serde(with = "text::list")]
        members: Vec<Account>,
    },
    Direct {
        #[serde(with = "text")]
        account: Account,
    },
    Invite {
        #[serde(with = "text")]
        room: RoomId,
        #[serde(with = "text::list")]
        accounts: Vec<Account>,
    },
    Remove {
        #[serde(with = "text")]
        room: RoomId,
        #[serde(with = "text")]
        account: Account,
    },
    Role {
        #[serde(with = "text")]
        room: RoomId,
        #[serde(with = "text")]
        account: Account,
        admin: bool,
    },
    Admit {
        #[serde(with = "text")]
        room: RoomId,
        #[serde(with = "text")]
        account: Account,
    },
    Rename {
        #[serde(with = "text")]
        room: RoomId,
        name: String,
        topic: String,
    },
    Leave {
        #[serde(with = "text")]
        room: RoomId,
    },
    Answer {
        #[serde(with = "text")]
        room: RoomId,
        accept: bool,
    },
    Presence {
        shown: bool,
    },
    Contact {
        policy: Contact,
    },
    Lock,
    Block {
        #[serde(with = "text")]
        account: Account,
        blocked: bool,
    },
    /// Encrypts a local file and takes it into what is to be sent.
    PutFile {
        #[serde(with = "text")]
        room: RoomId,
        path: PathBuf,
        name: Option<String>,
        caption: String,
    },
    /// Waits until a file's message is on its way.
    AwaitUpload(Upload),
    /// Fetches a file into a local one.
    GetFile {
        #[serde(with = "text")]
        room: RoomId,
        seq: u64,
        to: PathBuf,
        replace: bool,
        patience_s: u64,
    },
    Notify {
        #[serde(with = "text")]
        room: RoomId,
        notify: Notify,
    },
}

impl Request {
    /// Whether nothing comes of it but an answer, or twice the same as once.
    pub(crate) const fn may_be_repeated(&self) -> bool {
        matches!(
            self,
            Self::Status
                | Self::Rooms
                | Self::Page { .. }
                | Self::Reached { .. }
                | Self::Receipts { .. }
                | Self::EpochAuthenticator { .. }
                | Self::Peers
                | Self::PeersOf { .. }
                | Self::ContactPolicy
                | Self::People
                | Self::LookUp { .. }
                | Self::MarkRead { .. }
                | Self::Typing { .. }
                | Self::Presence { .. }
                | Self::Notify { .. }
                | Self::Send { .. }
        )
    }

    /// The same for another owner of the device: the one before may have done it.
    pub(crate) fn repeated(self) -> Self {
        match self {
            Self::Send { to, what, id, .. } => Self::Send { to, what, id, again: true },
            other => other,
        }
    }
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Done,
    Status(Status),
    Rooms(Vec<Room>),
    Page(Page),
    Reached(Level),
    Receipts(Vec<Receipt>),
    EpochAuthenticator(Option<Vec<u8>>),
    Peers(Vec<PeerView>),
    ContactPolicy(ContactState),
    People(Vec<Person>),
    Sent(Sent),
    Changed(Changed),
    Upload(Upload),
    Saved(Saved),
}

/// A failure as it crosses the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    code: Option<u32>,
    value: u64,
    retry_after_ms: u64,
    text: String,
}

/// A question with the place for its answer.
pub(crate) enum Ask {
    /// Answer this.
    Request(Request, oneshot::Sender<Result<Reply, ClientError>>),
    /// Unlock the device with this. Does not cross the socket.
    Unlock(Unlock, oneshot::Sender<Result<Reply, ClientError>>),
    /// End in good order and say so.
    Close(oneshot::Sender<()>),
}

impl Request {
    /// The command for the engine, unless the request only reads. Lengths are checked by the
    /// engine too; here they are refused before they are queued.
    ///
    /// # Errors
    /// `TooLarge` for a text beyond its limit.
    pub(crate) fn command(&self) -> Result<Option<Command>, ErrorCode> {
        Ok(Some(match self.clone() {
            Self::Status
            | Self::Rooms
            | Self::Page { .. }
            | Self::Reached { .. }
            | Self::Receipts { .. }
            | Self::EpochAuthenticator { .. }
            | Self::People
            | Self::Notify { .. }
            | Self::Trust { .. }
            | Self::PutFile { .. }
            | Self::AwaitUpload(_)
            | Self::GetFile { .. } => return Ok(None),
            Self::LookUp { account } => Command::LookUp { account },
            Self::Block { account, blocked } => Command::Block { account, blocked },
            Self::Peers => Command::PeerStates { domains: Vec::new() },
            // None would mean all.
            Self::PeersOf { domains } if domains.is_empty() => return Err(ErrorCode::Malformed),
            Self::PeersOf { domains } => Command::PeerStates { domains },
            Self::ContactPolicy => Command::ContactPolicy,
            Self::Send { to, what, id, .. } => Command::Once { id, command: Box::new(send(to, what)?) },
            Self::Cancel { room, message } => Command::Cancel { room, message },
            Self::MarkRead { room, seq } => Command::MarkRead { room, seq },
            Self::Typing { room, active } => Command::Typing { room, active },
            Self::Create { name, topic, members } => {
                bounded(&name, limits::ROOM_NAME_BYTES_MAX)?;
                Command::CreateRoom { name, topic, members }
            }
            Self::Direct { account } => Command::OpenDirect { account },
            Self::Invite { room, accounts } => Command::Invite { room, accounts },
            Self::Remove { room, account } => Command::Remove { room, account },
            Self::Role { room, account, admin } => Command::SetRole { room, account, admin },
            Self::Admit { room, account } => Command::Admit { room, account },
            Self::Rename { room, name, topic } => {
                bounded(&name, limits::ROOM_NAME_BYTES_MAX)?;
                Command::Rename { room, name, topic }
            }
            // A device that no passphrase protects opens again at once.
            Self::Lock => return Err(ErrorCode::Unsupported),
            Self::Leave { room } => Command::Leave { room },
            Self::Answer { room, accept } => Command::AnswerInvitation { room, accept },
            Self::Presence { shown } => Command::ShowPresence { shown },
            Self::Contact { policy } => Command::SetContactPolicy {
                policy: match policy {
                    Contact::Open => ContactPolicy::Open,
                    Contact::Ask => ContactPolicy::Ask,
                    Contact::Deny => ContactPolicy::Deny,
                },
            },
        }))
    }

    /// Whether the answer names every peer that is waited for.
    pub(crate) const fn asks_for_all_peers(&self) -> bool {
        matches!(self, Self::Peers)
    }

    /// Whether it is about files, which have a way of their own.
    pub(crate) const fn is_of_files(&self) -> bool {
        matches!(self, Self::PutFile { .. } | Self::AwaitUpload(_) | Self::GetFile { .. })
    }

    /// Whether the answer is given as soon as the command is on disk, for it will be carried out
    /// over restarts and outages.
    pub(crate) const fn answered_when_queued(&self) -> bool {
        matches!(self, Self::Send { .. })
    }
}

fn send(to: To, what: Outgoing) -> Result<Command, ErrorCode> {
    let room = match &to {
        To::Room(room) => Ok(*room),
        To::Account(_) => Err(ErrorCode::Malformed),
    };
    Ok(match what {
        Outgoing::Text { body, reply_to } => {
            bounded(&body, limits::CONTENT_BODY_BYTES_MAX)?;
            let target = match to {
                To::Room(room) => Target::Room(room),
                To::Account(account) => Target::Account(account),
            };
            Command::Send { target, text: body, reply_to }
        }
        Outgoing::Edit { target, body } => {
            bounded(&body, limits::CONTENT_BODY_BYTES_MAX)?;
            Command::Edit { room: room?, message: target, text: body }
        }
        Outgoing::Delete { target } => Command::Delete { room: room?, message: target },
        Outgoing::React { target, emoji, remove } => {
            bounded(&emoji, limits::REACTION_BYTES_MAX)?;
            Command::React { room: room?, message: target, emoji, remove }
        }
    })
}

fn bounded(text: &str, max: usize) -> Result<(), ErrorCode> {
    if text.len() > max { Err(ErrorCode::TooLarge) } else { Ok(()) }
}

impl From<&ClientError> for Failure {
    fn from(error: &ClientError) -> Self {
        match error {
            ClientError::Refused(WireError { code, retry_after_ms, value }) => Self {
                code: Some(code.code()),
                value: *value,
                retry_after_ms: *retry_after_ms,
                text: String::new(),
            },
            other => Self { code: None, value: 0, retry_after_ms: 0, text: other.to_string() },
        }
    }
}

impl From<Failure> for ClientError {
    fn from(failure: Failure) -> Self {
        match failure.code {
            Some(code) => Self::Refused(WireError {
                code: ErrorCode::from_code(code),
                retry_after_ms: failure.retry_after_ms,
                value: failure.value,
            }),
            // Whoever it is says nothing at all: a person is told at least that.
            None if failure.text.is_empty() => Self::Owner("failed and does not say why"),
            None => Self::Elsewhere(failure.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Found by the fuzzer.
    #[test]
    fn a_failure_of_which_nothing_is_said_is_told_as_that() {
        let failure = Failure { code: None, value: 0, retry_after_ms: 0, text: String::new() };
        assert!(ClientError::from(failure).to_string().contains("does not say why"));
    }
}
