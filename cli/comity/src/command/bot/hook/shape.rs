//! What a report says, as text for a room. Everything in it is foreign, bounded, and only text.

mod alertmanager;
mod github;
mod plain;

use serde_json::Value;

use super::refusal::Refusal;

/// Characters of one name or title.
const FIELD_CHARS_MAX: usize = 300;
/// Bytes of the whole text.
const TEXT_BYTES_MAX: usize = 8_192;

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The webhook of Prometheus' Alertmanager, version 4.
    Alertmanager,
    /// A webhook of GitHub.
    Github,
    /// `{"text": …}`.
    Plain,
}

/// What becomes of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// This is posted.
    Post(String),
    /// Nothing is, and why.
    Nothing(&'static str),
}

impl Shape {
    /// Of a path.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/alertmanager" => Some(Self::Alertmanager),
            "/github" => Some(Self::Github),
            "/json" => Some(Self::Plain),
            _ => None,
        }
    }

    /// Reads a report. `event` is the header `X-GitHub-Event`.
    ///
    /// # Errors
    /// `BadJson`, `BadShape`.
    pub(super) fn read(self, body: &[u8], event: Option<&str>) -> Result<Report, Refusal> {
        let value: Value = serde_json::from_slice(body).map_err(|_| Refusal::BadJson)?;
        let report = match self {
            Self::Alertmanager => alertmanager::read(&value)?,
            Self::Github => github::read(event, &value)?,
            Self::Plain => plain::read(&value)?,
        };
        Ok(match report {
            Report::Post(text) => Report::Post(bounded(text)),
            nothing @ Report::Nothing(_) => nothing,
        })
    }
}

/// A text below its bound, cut between two characters.
fn bounded(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let mut end = TEXT_BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A text or a number of the report on one line, cut if it is long; empty if it is not there.
fn field(value: &Value, pointer: &str) -> String {
    let text = match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return String::new(),
    };
    let line = text.lines().next().unwrap_or_default().trim();
    let mut cut: String = line.chars().take(FIELD_CHARS_MAX).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_report_has_its_name() {
        use Shape::{Alertmanager, Github, Plain};
        let shape = |shape: Shape, body: &[u8], event| shape.read(body, event).map_err(Refusal::name);
        for (which, body, event, name) in [
            (Plain, &b""[..], None, "BadJson"),
            (Plain, b"{", None, "BadJson"),
            (Plain, b"\xff\xfe", None, "BadJson"),
            (Plain, b"text=hi", None, "BadJson"),
            (Plain, b"[]", None, "BadShape"),
            (Plain, b"{}", None, "BadShape"),
            (Plain, b"{\"text\":5}", None, "BadShape"),
            (Plain, b"{\"text\":\" \\n\"}", None, "BadShape"),
            (Alertmanager, b"{}", None, "BadShape"),
            (Alertmanager, b"{\"alerts\":{}}", None, "BadShape"),
            (Alertmanager, b"null", None, "BadShape"),
            (Github, b"{}", None, "BadShape"),
            (Github, b"{}", Some(""), "BadShape"),
            (Github, b"{}", Some("push\x1b"), "BadShape"),
            (Github, b"[]", Some("push"), "BadShape"),
        ] {
            assert_eq!(shape(which, body, event), Err(name), "{which:?} {body:?}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(shape(Plain, deep.as_bytes(), None), Err("BadJson"));
    }

    #[test]
    fn however_large_a_report_is_its_text_is_short() {
        let body = serde_json::json!({"text": "é".repeat(50_000)}).to_string();
        let Ok(Report::Post(text)) = Shape::Plain.read(body.as_bytes(), None) else { panic!("posted") };
        assert!(text.len() <= TEXT_BYTES_MAX + 4 && text.ends_with('…'));
        let value = serde_json::json!({"a": format!("{}\nsecond line", "x".repeat(1_000))});
        assert_eq!(field(&value, "/a").chars().count(), FIELD_CHARS_MAX + 1);
        assert_eq!(field(&value, "/b"), "");
    }
}
