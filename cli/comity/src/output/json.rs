//! `--json` and `--json=a,b`: one object to a line, with all fields or the chosen ones.

use std::fmt::Write as _;

use serde_json::Value;

use crate::error::CliError;
use engine::view::text::is_plain;

/// Which fields of each object are printed: none chosen means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<String>);

impl Fields {
    /// From the value of `--json`: a comma-separated list, empty for all.
    pub(crate) fn parse(list: &str) -> Self {
        Self(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// Refuses a field that the verb does not have, before the verb does anything.
    ///
    /// # Errors
    /// A usage error that lists the fields there are.
    pub(crate) fn check(&self, known: &[&str]) -> Result<(), CliError> {
        match self.0.iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(unknown) => Err(CliError::usage(format!("this verb has no field `{unknown}`"))
                .hint(format!("its fields are: {}", known.join(", ")))),
        }
    }

    /// The object as one line.
    ///
    /// # Errors
    /// If the value cannot be serialised, which is a bug.
    pub(crate) fn line<T: serde::Serialize>(&self, value: &T) -> Result<String, CliError> {
        let value = serde_json::to_value(value).map_err(|error| CliError::bug(error.to_string()))?;
        Ok(plain(&self.pick(value).to_string()))
    }

    fn pick(&self, value: Value) -> Value {
        match value {
            Value::Object(mut object) if !self.0.is_empty() => {
                Value::Object(self.0.iter().filter_map(|name| object.remove_entry(name.as_str())).collect())
            }
            other => other,
        }
    }
}

/// The same JSON with every character that a terminal might obey as `\u` and its number: such
/// characters stand in strings only, and there an escape means the same.
pub(crate) fn plain(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if is_plain(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_that_a_terminal_obeys_is_printed_and_every_value_is_kept() {
        let hostile = "\u{9b}2J\u{7f}\u{202e}\u{1b}\u{e0041}\u{34f}\n\u{1f600}é\\";
        let object = serde_json::json!({"text": hostile});
        let line = Fields::default().line(&object).expect("serialises");
        assert!(line.chars().all(is_plain), "{line:?}");
        assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON"), object);
        assert!(line.contains("\u{1f600}é"), "what is plain is as it was: {line}");
    }

    #[test]
    fn chosen_fields_and_no_others() {
        let fields = Fields::parse("b, c");
        assert_eq!(
            fields.line(&serde_json::json!({"a": 1, "b": 2, "c": 3})).expect("serialises"),
            r#"{"b":2,"c":3}"#
        );
        assert_eq!(fields.check(&["a", "b"]).expect_err("c is unknown").exit(), 2);
        fields.check(&["c", "b"]).expect("both are known");
    }
}
