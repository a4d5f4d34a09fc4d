//! Messages, one to a line in a pipe and readable on a terminal.

use client::{Change, FileInfo, Level, Message, MessageBody, Reaction};

use super::{Label, Paper, Show, body_lines, clock_time, line, rfc3339, size};

/// A message.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct MessageShown {
    pub(crate) room: String,
    pub(crate) id: String,
    pub(crate) seq: u64,
    sender: Option<String>,
    own: bool,
    time: String,
    kind: &'static str,
    text: String,
    target: Option<String>,
    edited: bool,
    reply_to: Option<String>,
    reactions: Vec<Reaction>,
    level: Option<Level>,
    failed: Option<&'static str>,
    #[serde(skip)]
    time_ms: u64,
    #[serde(skip)]
    label: String,
}

/// A message that stands alone, not among other events.
#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct MessageAlone(pub(crate) MessageShown);

impl Show for MessageAlone {
    const FIELDS: &'static [&'static str] = MessageShown::FIELDS;

    fn show(&self, paper: &mut Paper) {
        self.0.show(paper, None);
    }
}

/// A message that was searched for: with its room, for it may be of any.
#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct SearchHit(pub(crate) MessageShown);

impl Show for SearchHit {
    const FIELDS: &'static [&'static str] = MessageShown::FIELDS;

    fn show(&self, paper: &mut Paper) {
        // In a pipe the room stands in every line already.
        self.0.show(paper, paper.terminal().then_some("message"));
    }
}

/// The word for a level.
pub(crate) const fn level(level: Level) -> &'static str {
    match level {
        Level::Queued => "queued",
        Level::Accepted => "accepted",
        Level::Ordered => "ordered",
        Level::Stored => "stored",
        Level::Delivered => "delivered",
        Level::Read => "read",
    }
}

/// The levels that a message has come through on its way from one to another: where it passed
/// several at once, all of them.
pub(crate) fn passed(before: Level, now: Level) -> String {
    const ALL: [Level; 6] =
        [Level::Queued, Level::Accepted, Level::Ordered, Level::Stored, Level::Delivered, Level::Read];
    let passed = ALL.into_iter().filter(|step| *step > before && *step <= now);
    passed.map(level).collect::<Vec<_>>().join(" → ")
}

/// A file in words. Foreign.
fn file_text(file: &FileInfo) -> String {
    let what = format!("{} ({})", file.name, size(file.size));
    if file.caption.is_empty() { what } else { format!("{what}: {}", file.caption) }
}

/// How a room changed, in words; safe to print.
fn change_text(change: Change, accounts: &[String]) -> String {
    let who = accounts.iter().map(|account| line(account)).collect::<Vec<_>>().join(", ");
    match change {
        Change::Founded => "the room was made".to_owned(),
        Change::Added => format!("{who} joined"),
        Change::Removed => format!("{who} was removed"),
        Change::Left => format!("{who} left"),
        Change::Roles => format!("admins are now {who}"),
        Change::Declined => format!("{who} declined the invitation"),
        Change::Nack => format!("a device of {who} could not follow"),
        Change::Rejoined if accounts.is_empty() => "a device came back that could not follow".to_owned(),
        Change::Rejoined => format!("came back, what was said meanwhile is lost; new here: {who}"),
        Change::Refounded => "this room was lost by its hub and founded anew".to_owned(),
        Change::Gone => "this room was lost by its hub: nothing can be said here any more".to_owned(),
    }
}

impl MessageShown {
    /// The fields of the JSON object.
    pub(crate) const FIELDS: &'static [&'static str] = &[
        "room",
        "id",
        "seq",
        "sender",
        "own",
        "time",
        "kind",
        "text",
        "target",
        "edited",
        "reply_to",
        "reactions",
        "level",
        "failed",
    ];

    /// A message of the room that a person calls `label`, which is safe to print.
    pub(crate) fn new(message: Message, label: &str) -> Self {
        let (kind, text, target) = match message.body {
            MessageBody::Text(text) => ("text", text, None),
            MessageBody::File(file) => ("file", file_text(&file), None),
            MessageBody::Deleted => ("deleted", String::new(), None),
            MessageBody::Unreadable(why) => ("unreadable", why, None),
            MessageBody::Edit { target, text } => ("edit", text, Some(target)),
            MessageBody::Delete { target } => ("delete", String::new(), Some(target)),
            MessageBody::Reaction { target, emoji, withdrawn } => {
                (if withdrawn { "withdrawn_reaction" } else { "reaction" }, emoji, Some(target))
            }
            MessageBody::Renamed { name, .. } => ("renamed", name, None),
            MessageBody::Changed { change, accounts } => ("change", change_text(change, &accounts), None),
        };
        Self {
            room: message.room.to_string(),
            id: message.id.to_string(),
            seq: message.seq,
            sender: message.sender.as_ref().map(ToString::to_string),
            own: message.own,
            time: rfc3339(message.time_ms),
            kind,
            text,
            target: target.map(|id| id.to_string()),
            edited: message.edited,
            reply_to: message.reply_to.map(|id| id.to_string()),
            reactions: message.reactions,
            level: message.level,
            failed: message.failed.map(client::ErrorCode::name),
            time_ms: message.time_ms,
            label: label.to_owned(),
        }
    }

    /// Whether this account wrote it.
    pub(crate) const fn own(&self) -> bool {
        self.own
    }

    /// Writes it: in a pipe as `room, seq, time, sender, state, kind, text`, tab-separated. Among
    /// other events it begins with the name of the `event` there, and with the room for eyes.
    pub(crate) fn show(&self, paper: &mut Paper, event: Option<&str>) {
        if !paper.terminal() {
            let cells = [
                self.room.as_str(),
                &self.seq.to_string(),
                &self.time,
                self.sender.as_deref().unwrap_or("-"),
                self.state().unwrap_or("-"),
                self.kind,
                &line(&self.text),
            ];
            let event = event.map(|event| format!("{event}\t")).unwrap_or_default();
            paper.line(&format!("{event}{}", cells.join("\t")));
            return;
        }
        let time = paper.paint(Label::Dim, &clock_time(self.time_ms));
        let room = match event {
            Some(_) => format!("{}  ", paper.paint(Label::Id, &self.label)),
            None => String::new(),
        };
        let sender = match &self.sender {
            Some(sender) => paper.paint(Label::Account, sender),
            None => paper.paint(Label::Dim, "*"),
        };
        let mut lines = self.readable(paper).into_iter();
        let first = lines.next().unwrap_or_default();
        let state = self.state().map_or_else(String::new, |state| {
            let label = if self.failed.is_some() { Label::Error } else { Label::Dim };
            paper.paint(label, &format!("  [{state}]"))
        });
        // What the verbs of a message call it by.
        let place = match self.seq {
            0 => String::new(),
            seq => paper.paint(Label::Dim, &format!("  @{seq}")),
        };
        paper.line(&format!("{time}  {room}{sender}  {first}{place}{state}"));
        for rest in lines {
            paper.line(&format!("           {} {rest}", paper.paint(Label::Dim, "│")));
        }
        for reaction in &self.reactions {
            let by = reaction.by.iter().map(|name| line(name)).collect::<Vec<_>>().join(", ");
            paper.line(&format!("           {} {}", line(&reaction.emoji), paper.paint(Label::Dim, &by)));
        }
    }

    fn readable(&self, paper: &Paper) -> Vec<String> {
        let target = || self.target.as_deref().unwrap_or_default().chars().take(8).collect::<String>();
        match self.kind {
            "text" => {
                let mut lines = body_lines(&self.text);
                if let (true, Some(last)) = (self.edited, lines.last_mut()) {
                    last.push_str(&paper.paint(Label::Dim, " (edited)"));
                }
                lines
            }
            "file" => {
                let get =
                    format!("  comity file get {} {}", self.room.get(..8).unwrap_or_default(), self.seq);
                let mut lines = body_lines(&self.text);
                if let (Some(first), true) = (lines.first_mut(), self.seq > 0) {
                    first.push_str(&paper.paint(Label::Dim, &get));
                }
                lines
            }
            "deleted" => vec![paper.paint(Label::Dim, "(taken back)")],
            "unreadable" => {
                vec![paper.paint(Label::Warning, &format!("! cannot be read: {}", line(&self.text)))]
            }
            "edit" => {
                let mut lines = vec![paper.paint(Label::Dim, &format!("changed {} to:", target()))];
                lines.extend(body_lines(&self.text));
                lines
            }
            "delete" => vec![paper.paint(Label::Dim, &format!("took back {}", target()))],
            "reaction" => {
                vec![format!("{} {}", line(&self.text), paper.paint(Label::Dim, &format!("to {}", target())))]
            }
            "withdrawn_reaction" => vec![paper.paint(Label::Dim, &format!("withdrew {}", line(&self.text)))],
            "renamed" => vec![paper.paint(Label::Dim, &format!("called the room #{}", line(&self.text)))],
            _ => vec![paper.paint(Label::Dim, &line(&self.text))],
        }
    }

    fn state(&self) -> Option<&'static str> {
        self.failed.or_else(|| self.level.map(level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;
    use client::{MessageId, RoomId};

    fn message(text: &str) -> MessageShown {
        let message = Message {
            room: RoomId::new([1; 32]),
            id: MessageId::new([2; 16]),
            intent: None,
            seq: 7,
            sender: "bob@umbrella.test".parse().ok(),
            own: false,
            time_ms: 0,
            body: MessageBody::Text(text.to_owned()),
            edited: false,
            reply_to: None,
            reactions: vec![Reaction { emoji: "\u{9b}2J".to_owned(), by: Vec::new() }],
            level: None,
            failed: None,
        };
        MessageShown::new(message, "#x")
    }

    #[test]
    fn a_message_cannot_forge_a_line_or_move_the_cursor() {
        let hostile = message("hi\n00:00:00Z  alice@acme.test  I owe you\x1b[1A\r\u{202e}");
        for terminal in [true, false] {
            let mut paper = Paper::new(Style::new(false), terminal, 0);
            hostile.show(&mut paper, Some("message"));
            let text = paper.into_text();
            assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{text:?}");
            assert!(!text.lines().any(|line| line.starts_with("00:00:00Z  alice")), "{text:?}");
            assert!(!text.contains('\u{202e}'));
        }
    }

    #[test]
    fn no_acknowledgement_is_left_out() {
        assert_eq!(passed(Level::Queued, Level::Accepted), "accepted");
        assert_eq!(passed(Level::Queued, Level::Ordered), "accepted → ordered");
        assert_eq!(passed(Level::Stored, Level::Read), "delivered → read");
    }

    #[test]
    fn in_a_pipe_a_message_is_one_line_of_seven_cells() {
        let mut paper = Paper::new(Style::new(false), false, 0);
        message("a\tb\nc").show(&mut paper, None);
        let text = paper.into_text();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(text.trim_end().split('\t').count(), 7, "{text:?}");
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(message("x")).expect("serialises");
        let mut fields: Vec<&str> = MessageShown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
