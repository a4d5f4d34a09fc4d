//! What a program is told. The fields are those of `schema.json`, which a test compares.

use client::{Happening, Level, Message, MessageBody, Role, Room, RoomKind, Standing};
use serde_json::Value;

use crate::output::rfc3339;

/// A line on the program's stdin.
#[derive(Debug, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// The first of all.
    Ready { protocol: u32, account: String, rooms: Vec<RoomRef> },
    /// Somebody else said something.
    Message {
        room: String,
        label: String,
        direct: bool,
        seq: u64,
        id: String,
        sender: Option<String>,
        time: String,
        text: String,
        reply_to: Option<String>,
    },
    /// Somebody else changed a text of theirs.
    Edit { room: String, id: String, sender: Option<String>, text: String },
    /// Somebody else took a text of theirs back.
    Redact { room: String, id: String, sender: Option<String> },
    /// Somebody else reacted, or took that away.
    Reaction { room: String, id: String, sender: Option<String>, emoji: String, removed: bool },
    /// Somebody invites this account.
    Invitation { room: String, inviter: Option<String> },
    /// A room is new or changed.
    Room { room: String, label: String, standing: Standing, members: Vec<MemberRef> },
    /// An action is done.
    Done {
        #[serde(rename = "ref")]
        reference: Value,
        room: String,
        message: Option<String>,
        seq: Option<u64>,
        level: Option<Level>,
    },
    /// An action is not done.
    Error {
        #[serde(rename = "ref")]
        reference: Value,
        name: String,
        number: Option<u64>,
        retryable: bool,
        message: String,
        hint: Option<String>,
    },
}

/// A room that the account is in.
#[derive(Debug, serde::Serialize)]
pub(super) struct RoomRef {
    room: String,
    label: String,
    direct: bool,
}

/// A member of a room.
#[derive(Debug, serde::Serialize)]
pub(super) struct MemberRef {
    account: String,
    role: Role,
}

/// What a room is called: `#name`, the other account, or nothing.
fn label(room: &Room) -> String {
    match (&room.peer, room.name.is_empty()) {
        (Some(peer), _) => peer.to_string(),
        (None, false) => format!("#{}", room.name),
        (None, true) => String::new(),
    }
}

pub(super) fn room_ref(room: &Room) -> RoomRef {
    RoomRef { room: room.id.to_string(), label: label(room), direct: room.kind == RoomKind::Direct }
}

impl Event {
    /// A text; `None` for what is none.
    pub(super) fn message(message: Message, room: Option<&Room>) -> Option<Self> {
        let MessageBody::Text(text) = message.body else { return None };
        Some(Self::Message {
            room: message.room.to_string(),
            label: room.map(label).unwrap_or_default(),
            direct: room.is_some_and(|room| room.kind == RoomKind::Direct),
            seq: message.seq,
            id: message.id.to_string(),
            sender: message.sender.map(|sender| sender.to_string()),
            time: rfc3339(message.time_ms),
            text,
            reply_to: message.reply_to.map(|id| id.to_string()),
        })
    }

    /// What else a program may want to know; `None` for the rest.
    pub(super) fn happening(happening: Happening) -> Option<Self> {
        match happening {
            Happening::Message(message) if !message.own => {
                let room = message.room.to_string();
                let sender = message.sender.map(|sender| sender.to_string());
                match message.body {
                    MessageBody::Edit { target, text } => {
                        Some(Self::Edit { room, id: target.to_string(), sender, text })
                    }
                    MessageBody::Delete { target } => {
                        Some(Self::Redact { room, id: target.to_string(), sender })
                    }
                    MessageBody::Reaction { target, emoji, withdrawn } => {
                        let id = target.to_string();
                        Some(Self::Reaction { room, id, sender, emoji, removed: withdrawn })
                    }
                    // A text comes with the messages, where none is missed.
                    _ => None,
                }
            }
            Happening::Room(room) if room.standing == Standing::Invited => {
                let inviter = room.inviter.as_ref().map(ToString::to_string);
                Some(Self::Invitation { room: room.id.to_string(), inviter })
            }
            Happening::Room(room) => {
                let members = room.members.iter();
                let members = members
                    .map(|member| MemberRef { account: member.account.to_string(), role: member.role });
                let (members, label) = (members.collect(), label(&room));
                Some(Self::Room { room: room.id.to_string(), label, standing: room.standing, members })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Event> {
        let text = String::new;
        vec![
            Event::Ready {
                protocol: 1,
                account: text(),
                rooms: vec![RoomRef { room: text(), label: text(), direct: true }],
            },
            Event::Message {
                room: text(),
                label: text(),
                direct: false,
                seq: 1,
                id: text(),
                sender: None,
                time: text(),
                text: text(),
                reply_to: None,
            },
            Event::Edit { room: text(), id: text(), sender: None, text: text() },
            Event::Redact { room: text(), id: text(), sender: None },
            Event::Reaction { room: text(), id: text(), sender: None, emoji: text(), removed: false },
            Event::Invitation { room: text(), inviter: None },
            Event::Room {
                room: text(),
                label: text(),
                standing: Standing::Member,
                members: vec![MemberRef { account: text(), role: Role::Admin }],
            },
            Event::Done { reference: Value::Null, room: text(), message: None, seq: None, level: None },
            Event::Error {
                reference: Value::Null,
                name: text(),
                number: None,
                retryable: false,
                message: text(),
                hint: None,
            },
        ]
    }

    #[test]
    fn every_event_is_in_the_schema_with_its_fields_and_no_other_is() {
        let schema: Value = serde_json::from_str(super::super::SCHEMA).expect("JSON");
        let described = schema["$defs"]["event"]["oneOf"].as_array().expect("a list");
        let mut names = Vec::new();
        for event in all() {
            let value = serde_json::to_value(&event).expect("serialises");
            let name = value["event"].as_str().expect("a name").to_owned();
            let described = described
                .iter()
                .find(|one| one["properties"]["event"]["const"] == name.as_str())
                .unwrap_or_else(|| panic!("{name} is not described"));
            let mut fields: Vec<&String> = value.as_object().expect("an object").keys().collect();
            let mut known: Vec<&String> =
                described["properties"].as_object().expect("fields").keys().collect();
            fields.sort();
            known.sort();
            assert_eq!(fields, known, "{name}");
            names.push(name);
        }
        assert_eq!(names.len(), described.len());
    }
}
