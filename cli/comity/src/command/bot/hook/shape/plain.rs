//! `{"text": "…", "title": "…"}`.

use serde_json::Value;

use super::{Report, field};
use crate::command::bot::hook::refusal::Refusal;

pub(super) fn read(value: &Value) -> Result<Report, Refusal> {
    let missing = Refusal::BadShape("send an object with a `text` that is not empty");
    let text = value.get("text").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or(missing)?;
    let title = field(value, "/title");
    Ok(Report::Post(if title.is_empty() { text.to_owned() } else { format!("{title}\n{text}") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stands_above_the_text() {
        let read = |value| read(&value);
        let posted = |text: &str| Ok(Report::Post(text.to_owned()));
        assert_eq!(read(serde_json::json!({"text": " hi\nthere "})), posted("hi\nthere"));
        assert_eq!(read(serde_json::json!({"text": "hi", "title": "Door", "more": 1})), posted("Door\nhi"));
    }
}
