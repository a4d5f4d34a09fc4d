//! Files in a list, sizes, and how fast something comes.

use std::time::Instant;

use client::{Message, MessageBody};

use super::{Label, Paper, Row, ago, line, rfc3339, size};

/// A file that was sent with a message.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct FileShown {
    room: String,
    seq: u64,
    message: String,
    blob: String,
    sender: Option<String>,
    own: bool,
    time: String,
    name: String,
    size: u64,
    caption: String,
    #[serde(skip)]
    time_ms: u64,
}

impl FileShown {
    /// The file of a message, if it has one.
    pub(crate) fn of(message: Message) -> Option<Self> {
        let MessageBody::File(file) = message.body else { return None };
        Some(Self {
            room: message.room.to_string(),
            seq: message.seq,
            message: message.id.to_string(),
            blob: file.blob.to_string(),
            sender: message.sender.as_ref().map(ToString::to_string),
            own: message.own,
            time: rfc3339(message.time_ms),
            name: file.name,
            size: file.size,
            caption: file.caption,
            time_ms: message.time_ms,
        })
    }
}

impl Row for FileShown {
    const FIELDS: &'static [&'static str] =
        &["room", "seq", "message", "blob", "sender", "own", "time", "name", "size", "caption"];
    const COLUMNS: &'static [&'static str] = &["SEQ", "TIME", "SENDER", "SIZE", "NAME", "CAPTION"];

    fn cells(&self, paper: &Paper) -> Vec<(Label, String)> {
        let (time, size) = match paper.terminal() {
            true => (ago(paper.now_ms(), self.time_ms), size(self.size)),
            false => (self.time.clone(), self.size.to_string()),
        };
        vec![
            (Label::Id, self.seq.to_string()),
            (Label::Dim, time),
            (Label::Account, self.sender.clone().unwrap_or_else(|| "-".to_owned())),
            (Label::Dim, size),
            (Label::Heading, line(&self.name)),
            (Label::Dim, line(&self.caption)),
        ]
    }
}

/// How fast something comes, over the time since it was looked at first.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    first: Option<(Instant, u64)>,
}

impl Rate {
    /// Bytes in a second, now that so many are there; `None` as long as it cannot be said.
    pub(crate) fn at(&mut self, done: u64) -> Option<u64> {
        let (began, from) = *self.first.get_or_insert_with(|| (Instant::now(), done));
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        (ms >= 300).then(|| done.saturating_sub(from).saturating_mul(1_000) / ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{List, Style};
    use client::{BlobId, FileInfo, MessageId, RoomId};

    fn shown(name: &str) -> FileShown {
        let file = FileInfo {
            blob: BlobId::new([3; 16]),
            name: name.to_owned(),
            size: 5 << 20,
            caption: "\u{1b}[2J".to_owned(),
        };
        let message = Message {
            room: RoomId::new([1; 32]),
            id: MessageId::new([2; 16]),
            intent: None,
            seq: 7,
            sender: "bob@umbrella.test".parse().ok(),
            own: false,
            time_ms: 0,
            body: MessageBody::File(file),
            edited: false,
            reply_to: None,
            reactions: Vec::new(),
            level: None,
            failed: None,
        };
        FileShown::of(message).expect("it has a file")
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(shown("x")).expect("serialises");
        let mut fields = <FileShown as Row>::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }

    #[test]
    fn a_name_cannot_forge_a_row_or_move_the_cursor() {
        for terminal in [true, false] {
            let mut paper = Paper::new(Style::new(false), terminal, 0);
            List { rows: vec![shown("a\tb\n8\t\u{1b}[A\u{202e}x")], empty: "" }.show(&mut paper);
            let text = paper.into_text();
            assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{text:?}");
            assert_eq!(text.lines().count(), if terminal { 2 } else { 1 });
            assert!(!text.contains('\u{202e}'));
        }
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (200 << 10, "200 KiB"),
            (5 << 20, "5.0 MiB"),
            (1 << 30, "1.0 GiB"),
            (u64::MAX, "1677721 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
