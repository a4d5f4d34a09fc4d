//! Rooms, as a list and one by one.

use client::{Member, Room, RoomId, RoomKind, Standing};

use super::{Label, Paper, Row, Show, ago, line, rfc3339};

/// Hexadecimal digits of an id that are shown to eyes.
const SHORT: usize = 8;

/// A room.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct RoomShown {
    room: String,
    kind: RoomKind,
    name: String,
    topic: String,
    peer: Option<String>,
    hub: Option<String>,
    standing: Standing,
    inviter: Option<String>,
    members: Vec<MemberShown>,
    epoch: u64,
    seq: u64,
    unread: u64,
    mentions: u64,
    notify: client::Notify,
    time: Option<String>,
    problem: Option<&'static str>,
    #[serde(skip)]
    label: String,
    #[serde(skip)]
    time_ms: u64,
}

/// A member of it.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct MemberShown {
    account: String,
    role: client::Role,
    unverified: Option<&'static str>,
    managed: bool,
    declined: bool,
    held: bool,
}

impl From<Room> for RoomShown {
    fn from(room: Room) -> Self {
        let member = |member: &Member| MemberShown {
            account: member.account.to_string(),
            role: member.role,
            unverified: member.unverified.map(client::ErrorCode::name),
            managed: member.managed,
            declined: member.declined,
            held: member.held,
        };
        Self {
            label: room_label(&room),
            room: room.id.to_string(),
            kind: room.kind,
            peer: room.peer.as_ref().map(ToString::to_string),
            hub: room.hub.as_ref().map(ToString::to_string),
            standing: room.standing,
            inviter: room.inviter.as_ref().map(ToString::to_string),
            members: room.members.iter().map(member).collect(),
            epoch: room.epoch,
            seq: room.seq,
            unread: room.unread,
            mentions: room.mentions,
            notify: room.notify,
            time: (room.time_ms > 0).then(|| rfc3339(room.time_ms)),
            time_ms: room.time_ms,
            problem: room.problem.map(client::ErrorCode::name),
            name: room.name,
            topic: room.topic,
        }
    }
}

/// What a person calls a room, safe to print.
pub(crate) fn room_label(room: &Room) -> String {
    line(&room.called())
}

/// The beginning of a room's id.
pub(crate) fn short(room: &RoomId) -> String {
    room.to_string().chars().take(SHORT).collect()
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Joining => "joining",
        Standing::Invited => "invited",
        Standing::Member => "member",
        Standing::Left => "left",
        Standing::Paused => "paused",
        Standing::Rejoining => "rejoining",
        Standing::Refused => "refused",
    }
}

impl RoomShown {
    const FIELDS: &'static [&'static str] = &[
        "room", "kind", "name", "topic", "peer", "hub", "standing", "inviter", "members", "epoch", "seq",
        "unread", "mentions", "notify", "time", "problem",
    ];
}

impl Row for RoomShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;
    const COLUMNS: &'static [&'static str] = &["ROOM", "ID", "STANDING", "MEMBERS", "UNREAD", "NEWEST"];

    fn cells(&self, paper: &Paper) -> Vec<(Label, String)> {
        let id = if paper.terminal() { self.room.chars().take(SHORT).collect() } else { self.room.clone() };
        let newest = match self.time_ms {
            0 => String::new(),
            _ if !paper.terminal() => rfc3339(self.time_ms),
            time => ago(paper.now_ms(), time),
        };
        let warn = if self.standing == Standing::Member { Label::Dim } else { Label::Warning };
        let unread = if self.unread > 0 { Label::Good } else { Label::Dim };
        vec![
            (Label::Account, self.label.clone()),
            (Label::Id, id),
            (warn, standing(self.standing).to_owned()),
            (Label::Dim, self.members.len().to_string()),
            (unread, self.unread.to_string()),
            (Label::Dim, newest),
        ]
    }
}

impl Show for RoomShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;

    fn show(&self, paper: &mut Paper) {
        paper.pair("room", &self.room);
        paper.pair("called", &paper.paint(Label::Account, &self.label));
        let kind = if self.kind == RoomKind::Direct { "direct" } else { "group" };
        paper.pair("kind", kind);
        paper.pair("standing", standing(self.standing));
        if !self.topic.is_empty() {
            paper.pair("topic", &line(&self.topic));
        }
        if let Some(inviter) = &self.inviter {
            paper.pair("invited by", &paper.paint(Label::Account, inviter));
        }
        if let Some(hub) = &self.hub {
            paper.pair("hub", &paper.paint(Label::Domain, hub));
            paper.pair("seq", &self.seq.to_string());
            paper.pair("epoch", &self.epoch.to_string());
            paper.pair("unread", &self.unread.to_string());
            paper.pair("notify", self.notify.name());
        }
        if let Some(problem) = self.problem {
            paper.pair("problem", &paper.paint(Label::Warning, problem));
        }
        for member in &self.members {
            let role = if member.role == client::Role::Admin { " (admin)" } else { "" };
            let trust = match member.unverified {
                Some(error) => paper.paint(Label::Warning, &format!(" ! not verified: {error}")),
                None => String::new(),
            };
            let held = match member.held {
                true => paper.paint(Label::Warning, " (nothing is sent before it is checked or admitted)"),
                false => String::new(),
            };
            // [ID-10]
            let managed = if member.managed { " (managed)" } else { "" };
            let declined = if member.declined { " (declined)" } else { "" };
            paper.pair(
                "member",
                &format!(
                    "{}{role}{managed}{declined}{trust}{held}",
                    paper.paint(Label::Account, &member.account)
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Style, table::List};

    fn room(name: &str) -> RoomShown {
        RoomShown::from(Room {
            id: RoomId::new([0xab; 32]),
            kind: RoomKind::Group,
            name: name.to_owned(),
            topic: "\u{1b}[2J".to_owned(),
            peer: None,
            hub: None,
            standing: Standing::Member,
            inviter: None,
            members: Vec::new(),
            epoch: 0,
            seq: 0,
            read_seq: 0,
            unread: 0,
            mentions: 0,
            notify: client::Notify::All,
            time_ms: 0,
            behind: false,
            problem: None,
        })
    }

    #[test]
    fn a_hostile_name_does_not_reach_the_terminal() {
        let hostile = room("x\u{1b}]0;owned\u{7}\nfake\tline");
        for terminal in [true, false] {
            let mut paper = Paper::new(Style::new(false), terminal, 0);
            hostile.show(&mut paper);
            List { rows: vec![hostile.clone()], empty: "" }.show(&mut paper);
            let text = paper.into_text();
            assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
            assert!(!text.lines().any(|line| line.starts_with("fake")), "{text:?}");
        }
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(room("x")).expect("serialises");
        let mut fields: Vec<&str> = RoomShown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
