//! Statements as values, and scripts of them: what SQLite is asked is made here, and nothing is
//! run.

use std::borrow::Cow;

use sqlx::{Arguments as _, AssertSqlSafe, Sqlite, query::Query, sqlite::SqliteArguments};

/// A text of SQL with the values of its parameters. One that goes into a [`Script`] has plain `?`
/// only: numbered ones would count from the beginning of the script.
#[derive(Debug)]
pub(crate) struct Statement {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// A value of a parameter.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Number(flag.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A statement without values yet. Its text is a constant of this crate, or made of such.
pub(crate) fn statement(text: impl Into<Cow<'static, str>>) -> Statement {
    Statement { text: text.into(), values: Vec::new() }
}

impl Statement {
    /// Gives the next parameter its value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// For the connection.
    pub(crate) fn query(self) -> sqlx::Result<Query<'static, Sqlite, SqliteArguments>> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            match value {
                Value::Null => arguments.add(None::<i64>),
                Value::Number(number) => arguments.add(number),
                Value::Text(text) => arguments.add(text),
                Value::Bytes(bytes) => arguments.add(bytes),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        // Nothing comes into a text from outside this crate: values are parameters.
        Ok(sqlx::query_with(AssertSqlSafe(self.text.into_owned()), arguments))
    }
}

/// One statement for many rows: SQLite plans and locks once for all of them.
pub(crate) struct Many {
    /// What stands before the rows.
    pub(crate) before: &'static str,
    /// One row.
    pub(crate) row: &'static str,
    /// What stands after the rows.
    pub(crate) after: &'static str,
}

/// Rows of one statement, at most. The largest row has eight parameters, and SQLite allows 32,766.
const ROWS_MAX: usize = 128;

impl Many {
    /// The statements for all items, in order, in pieces of as many rows as the largest power of two
    /// that fits, so that a handful of texts serves every number of rows and each stays prepared.
    pub(crate) fn statements<'a, T>(
        &'a self,
        mut items: &'a [T],
        bind: impl Fn(Statement, &T) -> Statement + 'a,
    ) -> impl Iterator<Item = Statement> + 'a {
        std::iter::from_fn(move || {
            let count = ROWS_MAX.min(1 << items.len().checked_ilog2()?);
            let (piece, rest) = items.split_at(count);
            items = rest;
            Some(piece.iter().fold(statement(self.text(count)), &bind))
        })
    }

    fn text(&self, count: usize) -> String {
        let bytes = self.before.len() + (self.row.len() + 1) * count + self.after.len();
        let mut text = String::with_capacity(bytes);
        text.push_str(self.before);
        for index in 0..count {
            if index > 0 {
                text.push(',');
            }
            text.push_str(self.row);
        }
        text.push_str(self.after);
        text
    }
}

/// Statements that run one after the other.
///
/// The connection has a thread of its own, and to ask it and wait for it costs two changes of
/// thread, tens of microseconds on a machine that is otherwise idle: more than most statements. A
/// short script is therefore asked as one. A long one is not: its texts would be so many that none
/// stays prepared, and its changes of thread are few for each of its rows.
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<Statement>);

/// Values of a script that is asked as one, at most: a few messages' worth.
const JOINED_VALUES_MAX: usize = 128;

impl Script {
    pub(crate) fn push(&mut self, statement: Statement) {
        debug_assert!(!statement.text.contains("?1"), "a numbered parameter: {}", statement.text);
        self.0.push(statement);
    }

    pub(crate) fn extend(&mut self, statements: impl IntoIterator<Item = Statement>) {
        statements.into_iter().for_each(|statement| self.push(statement));
    }

    /// What is to be run, in order.
    pub(crate) fn into_statements(self) -> Vec<Statement> {
        let values: usize = self.0.iter().map(|statement| statement.values.len()).sum();
        if self.0.is_empty() || values > JOINED_VALUES_MAX {
            return self.0;
        }
        let mut joined = statement(String::with_capacity(self.0.iter().map(|one| one.text.len() + 1).sum()));
        for mut one in self.0 {
            let text = joined.text.to_mut();
            text.push_str(&one.text);
            text.push(';');
            joined.values.append(&mut one.values);
        }
        vec![joined]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(statements: usize, values_each: usize) -> Script {
        let mut script = Script::default();
        for number in 0..statements {
            let with_values = (0..values_each).fold(statement(format!("s{number}")), |made, value| {
                made.bind(i64::try_from(value).unwrap_or_default())
            });
            script.push(with_values);
        }
        script
    }

    #[test]
    fn a_short_script_is_asked_as_one_and_a_long_one_is_not() {
        let joined = script(4, JOINED_VALUES_MAX / 4).into_statements();
        assert_eq!(joined.len(), 1);
        assert!(joined.iter().all(|one| one.text == "s0;s1;s2;s3;" && one.values.len() == JOINED_VALUES_MAX));
        assert_eq!(script(3, JOINED_VALUES_MAX / 2).into_statements().len(), 3);
        assert!(script(0, 0).into_statements().is_empty());
    }

    #[test]
    fn rows_go_into_pieces_that_are_powers_of_two() {
        const ROWS: Many = Many { before: "a ", row: "(?)", after: " b" };
        let items: Vec<i64> = (0..300).collect();
        let pieces: Vec<_> = ROWS.statements(&items, |made, item| made.bind(*item)).collect();
        assert_eq!(pieces.iter().map(|piece| piece.values.len()).collect::<Vec<_>>(), [128, 128, 32, 8, 4]);
        assert_eq!(
            ROWS.statements(&items[..2], |made, item| made.bind(*item)).last().map(|one| one.text),
            Some("a (?),(?) b".into())
        );
        assert_eq!(ROWS.statements(&items[..0], |made, item| made.bind(*item)).count(), 0);
    }
}
