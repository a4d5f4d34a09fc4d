//! The rows of timelines.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use wire::{RoomId, proto};

use super::{Row, Table};

/// What an item of a timeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ItemKind {
    /// Not said.
    Unspecified = 0,
    /// A text.
    Text = 1,
    /// Another text for an earlier message.
    Edit = 2,
    /// Takes an earlier message back.
    Delete = 3,
    /// A reaction to an earlier message, or its withdrawal.
    Reaction = 4,
    /// Another name and topic of the room.
    RoomInfo = 5,
    /// A message that cannot be read: not decrypted, or not well-formed inside. `error` says why.
    Unreadable = 6,
    /// `accounts` were added.
    Added = 7,
    /// `accounts` were removed.
    Removed = 8,
    /// `accounts` went away.
    Left = 9,
    /// The roles changed; `accounts` are the admins.
    Roles = 10,
    /// The room was founded.
    Founded = 11,
    /// `accounts` declined the invitation.
    Declined = 12,
    /// A device of `accounts` could not process a commit.
    Nack = 13,
    /// A device came back that had lost its way. If it is this one: `accounts` came in meanwhile, and
    /// what was said meanwhile cannot be read.
    Rejoined = 14,
    /// A file.
    File = 15,
    /// The room's hub had lost it, and it is founded anew: this device says so, the hub does not.
    Refounded = 16,
    /// The room's hub does not know it any more: this device says so.
    Gone = 17,
}

/// One item of a room's timeline. Key: `room ‖ seq`. Read receipts and typing make no row.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MessageRow {
    /// The room, 32 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub room: Bytes,
    /// Its place in the room.
    #[prost(uint64, tag = "2")]
    pub seq: u64,
    /// The id that the sending device made, 16 bytes.
    #[prost(bytes = "bytes", tag = "3")]
    pub message: Bytes,
    /// What it is.
    #[prost(enumeration = "ItemKind", tag = "4")]
    pub kind: i32,
    /// Who sent it; empty for what the hub said.
    #[prost(string, tag = "5")]
    pub sender: String,
    /// From which device, 16 bytes.
    #[prost(bytes = "bytes", tag = "6")]
    pub device: Bytes,
    /// The hub's clock, in milliseconds since 1970. Orders nothing.
    #[prost(uint64, tag = "7")]
    pub time_ms: u64,
    /// The sending device's clock.
    #[prost(uint64, tag = "8")]
    pub sent_ms: u64,
    /// Text: the text. File: its caption. Edit: the new text. Reaction: the reaction. RoomInfo: the name.
    #[prost(string, tag = "9")]
    pub body: String,
    /// RoomInfo: the topic.
    #[prost(string, tag = "10")]
    pub topic: String,
    /// Text: the message that it answers, or empty. Edit, Delete, Reaction: the message that it
    /// concerns. 16 bytes.
    #[prost(bytes = "bytes", tag = "11")]
    pub target: Bytes,
    /// Reaction: it is withdrawn.
    #[prost(bool, tag = "12")]
    pub withdrawn: bool,
    /// Why it is unreadable, as an error's number; 0 if it is not.
    #[prost(uint32, tag = "13")]
    pub error: u32,
    /// The accounts that it is about.
    #[prost(string, repeated, tag = "14")]
    pub accounts: Vec<String>,
    /// An own message: the lasting name of its intent, 16 bytes.
    #[prost(bytes = "bytes", tag = "15")]
    pub intent: Bytes,
    /// Sent by this account.
    #[prost(bool, tag = "16")]
    pub own: bool,
    /// Its sender was blocked when it came: it is part of no timeline.
    #[prost(bool, tag = "17")]
    pub hidden: bool,
    /// File: how it is fetched and read.
    #[prost(message, optional, tag = "18")]
    pub file: Option<proto::File>,
}

impl Row for MessageRow {
    const TABLE: Table = Table::Message;

    fn key(&self) -> Bytes {
        Self::key_of(&self.room, self.seq)
    }
}

impl MessageRow {
    /// The key of the item at this place.
    #[must_use]
    pub fn key_of(room: &[u8], seq: u64) -> Bytes {
        let mut key = BytesMut::with_capacity(RoomId::BYTES + 8);
        key.extend_from_slice(room);
        key.put_u64(seq);
        key.freeze()
    }

    /// The row with this value.
    ///
    /// # Errors
    /// `Malformed` if the store gives back other bytes than it was given.
    pub fn parse(value: &[u8]) -> Result<Self, wire::ErrorCode> {
        Self::decode(value).map_err(|_| wire::ErrorCode::Malformed)
    }

    /// What was said, as it is sent; `None` if it was not said by anybody.
    pub(crate) fn to_content(&self) -> Option<proto::Content> {
        use proto::content::Kind;
        let (body, target) = (self.body.clone(), self.target.clone());
        let kind = match self.kind() {
            ItemKind::Text => Kind::Text(proto::Text { body, reply_to: target }),
            ItemKind::File => Kind::File(self.file.clone()?),
            ItemKind::Edit => Kind::Edit(proto::Edit { target, body }),
            ItemKind::Delete => Kind::Delete(proto::Delete { target }),
            ItemKind::Reaction => {
                Kind::Reaction(proto::Reaction { target, emoji: body, remove: self.withdrawn })
            }
            _ => return None,
        };
        let kind = Some(kind);
        Some(proto::Content { version: 1, time_ms: self.sent_ms, kind, ..proto::Content::default() })
    }

    /// Whether it counts as unread until it is read: a text or a file by somebody else.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.own && !self.hidden && matches!(self.kind(), ItemKind::Text | ItemKind::File)
    }

    /// Fills in what the content says; `None` if it makes no item of the timeline.
    pub(crate) fn with_content(mut self, content: &proto::Content) -> Option<Self> {
        use proto::content::Kind;
        self.sent_ms = content.time_ms;
        match content.kind.as_ref()? {
            Kind::Text(text) => {
                self.set_kind(ItemKind::Text);
                self.body.clone_from(&text.body);
                self.target = text.reply_to.clone();
            }
            Kind::File(file) => {
                self.set_kind(ItemKind::File);
                self.body.clone_from(&file.caption);
                self.file = Some(file.clone());
            }
            Kind::Edit(edit) => {
                self.set_kind(ItemKind::Edit);
                self.body.clone_from(&edit.body);
                self.target = edit.target.clone();
            }
            Kind::Delete(delete) => {
                self.set_kind(ItemKind::Delete);
                self.target = delete.target.clone();
            }
            Kind::Reaction(reaction) => {
                self.set_kind(ItemKind::Reaction);
                self.body.clone_from(&reaction.emoji);
                self.target = reaction.target.clone();
                self.withdrawn = reaction.remove;
            }
            Kind::RoomInfo(info) => {
                self.set_kind(ItemKind::RoomInfo);
                self.body.clone_from(&info.name);
                self.topic.clone_from(&info.topic);
            }
            Kind::Read(_) | Kind::Typing(_) => return None,
        }
        Some(self)
    }
}
