//! What was said in a room, with edits, deletions and reactions applied.

use std::collections::BTreeMap;

use wire::{Account, ErrorCode, MessageId, proto};

use super::{Delivery, RoomView, delivery};
use crate::record::{IntentKind, IntentRow, ItemKind, MessageRow, Progressed};

/// One item of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineItem {
    /// Its place in the room; 0 while it is not ordered.
    pub seq: u64,
    /// Its id.
    pub message: MessageId,
    /// An own message: the lasting name of its intent.
    pub intent: Option<MessageId>,
    /// Who sent it; `None` for what the hub said.
    pub sender: Option<Account>,
    /// Sent by this account.
    pub own: bool,
    /// The hub's clock, in milliseconds since 1970; of this device while it is not ordered.
    pub time_ms: u64,
    /// The sending device's clock.
    pub sent_ms: u64,
    /// What it says.
    pub body: Body,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// Its text is a later one.
    pub edited: bool,
    /// Reactions to it, in the order in which they first came.
    pub reactions: Vec<Reaction>,
    /// How far it is, if it is one's own.
    pub delivery: Option<Delivery>,
}

/// What an item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A text.
    Text(String),
    /// A file, and how it is fetched and read.
    File(proto::File),
    /// A text or a file that was taken back.
    Deleted,
    /// A message that cannot be read.
    Unreadable(ErrorCode),
    /// Another text for an earlier message; `timeline` applies it.
    Edit {
        /// The message.
        target: MessageId,
        /// Its new text.
        text: String,
    },
    /// Takes an earlier message back; `timeline` applies it.
    Delete {
        /// The message.
        target: MessageId,
    },
    /// A reaction; `timeline` applies it.
    Reaction {
        /// The message.
        target: MessageId,
        /// The reaction.
        emoji: String,
        /// It is withdrawn.
        withdrawn: bool,
    },
    /// The room's new name and topic.
    RoomInfo {
        /// The name.
        name: String,
        /// The topic.
        topic: String,
    },
    /// The room was founded.
    Founded,
    /// These accounts were added.
    Added(Vec<Account>),
    /// These accounts were removed.
    Removed(Vec<Account>),
    /// These accounts went away.
    Left(Vec<Account>),
    /// These are the admins now.
    Roles(Vec<Account>),
    /// These accounts declined the invitation.
    Declined(Vec<Account>),
    /// A device of these accounts could not process a commit.
    Nack(Vec<Account>),
    /// A device of the sender came back that had lost its way. If it is this one, these accounts came
    /// in meanwhile.
    Rejoined(Vec<Account>),
    /// The room's hub had lost it, and it is founded anew.
    Refounded,
    /// The room's hub does not know it any more.
    Gone,
}

/// A reaction and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The reaction.
    pub emoji: String,
    /// Who gave it, in the order of giving.
    pub accounts: Vec<Account>,
}

/// A part of a room's timeline: `rows` ascending by seq, then what this device has queued. Edits and
/// deletions count only from the account that sent the message, and only for messages in `rows`.
#[must_use]
pub fn timeline(
    own: &Account,
    room: &RoomView,
    rows: &[MessageRow],
    queued: &[IntentRow],
) -> Vec<TimelineItem> {
    let mut items: Vec<TimelineItem> = Vec::new();
    let mut places: BTreeMap<MessageId, usize> = BTreeMap::new();
    let ordered = rows.iter().filter_map(|row| {
        let mut item = TimelineItem::from_row(row)?;
        item.delivery = item.own.then(|| delivery(room, own, item.seq, None));
        Some(item)
    });
    let waiting = queued.iter().filter_map(|row| TimelineItem::from_intent(own, row));
    for item in ordered.chain(waiting) {
        let target = match &item.body {
            Body::Edit { target, .. } | Body::Delete { target } | Body::Reaction { target, .. } => *target,
            _ => {
                places.insert(item.message, items.len());
                items.push(item);
                continue;
            }
        };
        if let Some(earlier) = places.get(&target).and_then(|place| items.get_mut(*place)) {
            earlier.change(item);
        }
    }
    items
}

impl TimelineItem {
    /// The item that a row stands for, nothing applied; `None` if the row is hidden or makes no
    /// sense.
    #[must_use]
    pub fn from_row(row: &MessageRow) -> Option<Self> {
        if row.hidden {
            return None;
        }
        let target = || MessageId::try_from(row.target.as_ref()).ok();
        let accounts = || row.accounts.iter().filter_map(|name| name.parse().ok()).collect();
        let body = match row.kind() {
            ItemKind::Text => Body::Text(row.body.clone()),
            ItemKind::File => Body::File(row.file.clone()?),
            ItemKind::Edit => Body::Edit { target: target()?, text: row.body.clone() },
            ItemKind::Delete => Body::Delete { target: target()? },
            ItemKind::Reaction => {
                Body::Reaction { target: target()?, emoji: row.body.clone(), withdrawn: row.withdrawn }
            }
            ItemKind::RoomInfo => Body::RoomInfo { name: row.body.clone(), topic: row.topic.clone() },
            ItemKind::Unreadable => Body::Unreadable(ErrorCode::from_code(row.error)),
            ItemKind::Founded => Body::Founded,
            ItemKind::Added => Body::Added(accounts()),
            ItemKind::Removed => Body::Removed(accounts()),
            ItemKind::Left => Body::Left(accounts()),
            ItemKind::Roles => Body::Roles(accounts()),
            ItemKind::Declined => Body::Declined(accounts()),
            ItemKind::Nack => Body::Nack(accounts()),
            ItemKind::Rejoined => Body::Rejoined(accounts()),
            ItemKind::Refounded => Body::Refounded,
            ItemKind::Gone => Body::Gone,
            ItemKind::Unspecified => return None,
        };
        Some(Self {
            seq: row.seq,
            message: MessageId::try_from(row.message.as_ref()).ok()?,
            intent: MessageId::try_from(row.intent.as_ref()).ok(),
            sender: row.sender.parse().ok(),
            own: row.own,
            time_ms: row.time_ms,
            sent_ms: row.sent_ms,
            reply_to: matches!(body, Body::Text(_)).then(target).flatten(),
            body,
            edited: false,
            reactions: Vec::new(),
            delivery: None,
        })
    }

    /// The item that an intent will be; `None` if it will be none.
    #[must_use]
    pub fn from_intent(own: &Account, intent: &IntentRow) -> Option<Self> {
        if intent.kind() != IntentKind::Message || intent.quiet {
            return None;
        }
        let content: &proto::Content = intent.content.as_ref()?;
        let name = MessageId::try_from(intent.intent.as_ref()).ok()?;
        let row = MessageRow {
            room: intent.room.clone(),
            message: if intent.message.is_empty() { intent.intent.clone() } else { intent.message.clone() },
            intent: intent.intent.clone(),
            sender: own.to_string(),
            own: true,
            time_ms: intent.since_ms,
            ..MessageRow::default()
        };
        let mut item = Self::from_row(&row.with_content(content)?)?;
        item.intent = Some(name);
        item.delivery = Some(match intent.progressed() {
            Progressed::Accepted => Delivery::Accepted,
            Progressed::Failed => Delivery::Failed(ErrorCode::from_code(intent.error)),
            Progressed::Waiting | Progressed::Submitted => Delivery::Queued,
        });
        Some(item)
    }

    fn change(&mut self, by: Self) {
        match by.body {
            Body::Edit { text, .. } if by.sender == self.sender && matches!(self.body, Body::Text(_)) => {
                self.body = Body::Text(text);
                self.edited = true;
            }
            Body::Delete { .. }
                if by.sender == self.sender && matches!(self.body, Body::Text(_) | Body::File(_)) =>
            {
                self.body = Body::Deleted;
                self.edited = false;
                self.reactions.clear();
            }
            Body::Reaction { emoji, withdrawn, .. } if self.body != Body::Deleted => {
                if let Some(account) = by.sender {
                    self.react(emoji, account, withdrawn);
                }
            }
            _ => {}
        }
    }

    fn react(&mut self, emoji: String, account: Account, withdrawn: bool) {
        let place = self.reactions.iter().position(|reaction| reaction.emoji == emoji);
        match place.and_then(|place| self.reactions.get_mut(place)) {
            Some(reaction) => {
                reaction.accounts.retain(|other| *other != account);
                if !withdrawn {
                    reaction.accounts.push(account);
                }
            }
            None if !withdrawn => self.reactions.push(Reaction { emoji, accounts: vec![account] }),
            None => {}
        }
        self.reactions.retain(|reaction| !reaction.accounts.is_empty());
    }
}
