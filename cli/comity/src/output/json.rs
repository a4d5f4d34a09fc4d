//! `--json` and `--json=a,b`: one object to a line, with all fields or the chosen ones.

use serde_json::Value;

use crate::error::CliError;

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
        Ok(self.pick(value).to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

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
