//! Reading `comity.toml`: unknown keys and values of another kind are refused with their line.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use super::key::{self, Key};
use crate::failure::{Exit, Failure};

/// The values of the file, each with the line of its key.
///
/// # Errors
/// `ConfigSyntax`, `ConfigUnknownKey`, `ConfigValue`.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<(&'static Key, String, usize)>, Failure> {
    let source = Source { path, text };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        source.failure("ConfigSyntax", at, error.message().to_owned(), "correct the line")
    })?;
    let mut entries = Vec::new();
    flatten("", table.get_ref(), &mut entries);
    entries.iter().map(|entry| source.value(entry)).collect()
}

/// A key with its section, where it stands, and its value.
type Entry<'a> = (String, usize, &'a Spanned<DeValue<'a>>);

fn flatten<'a>(prefix: &str, table: &'a DeTable<'a>, values: &mut Vec<Entry<'a>>) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref().as_table() {
            Some(inner) if prefix.is_empty() && inner.iter().next().is_some() => {
                flatten(&format!("{name}."), inner, values);
            }
            Some(_) if key::ALL.iter().any(|known| known.parts().0 == Some(&name)) => {}
            _ => values.push((name, key.span().start, value)),
        }
    }
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count() + 1
    }

    fn value(&self, (name, at, value): &Entry<'_>) -> Result<(&'static Key, String, usize), Failure> {
        let Some(key) = key::ALL.into_iter().find(|key| key.name == name) else {
            return Err(self.unknown(name, *at));
        };
        match (value.get_ref().as_str(), value.get_ref().as_integer()) {
            (Some(text), _) => Ok((key, text.to_owned(), self.line(*at))),
            (None, Some(number)) if key.is_number() => Ok((key, decimal(number), self.line(*at))),
            (None, _) => {
                let (kind, quotes) = if key.is_number() { ("number", "") } else { ("text", ", in quotes") };
                let what = format!("the value of `{name}` is no {kind}");
                let hint = format!("it must be {}{quotes}", key.expected);
                Err(self.failure("ConfigValue", *at, what, &hint))
            }
        }
    }

    fn failure(&self, name: &'static str, at: usize, what: String, hint: &str) -> Failure {
        let line = self.line(at);
        Failure::new(Exit::Usage, name, format!("{}:{line}: {what}", self.path.display()), hint)
    }

    fn unknown(&self, name: &str, at: usize) -> Failure {
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        let section = key::ALL.iter().filter_map(|key| key.parts().0).find(|known| close(known, name));
        let hint = match section {
            Some(section) => format!("did you mean the section `[{section}]`?"),
            None => nearest(&key::ALL.map(|key| key.name), name),
        };
        self.failure("ConfigUnknownKey", at, format!("there is no key `{shown}`"), &hint)
    }
}

/// Which of the known names a word may have meant to be.
pub(crate) fn nearest(names: &[&str], word: &str) -> String {
    let nearest = names.iter().min_by_key(|known| distance(known, word)).copied().unwrap_or_default();
    match close(nearest, word) {
        true => format!("did you mean `{nearest}`?"),
        false => format!("the keys are {}", names.join(", ")),
    }
}

fn close(known: &str, word: &str) -> bool {
    distance(known, word) <= word.len().max(3) / 2
}

/// A number of the file as digits; one that is not written as such is left for its key to refuse.
fn decimal(number: &DeInteger<'_>) -> String {
    let read = i128::from_str_radix(number.as_str(), number.radix());
    read.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string())
}

/// Insertions, deletions and replacements that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (right, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = *cell;
            before = replaced.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_files_are_refused_with_their_line_and_the_next_step() {
        for (text, name, line, hint) in [
            ("domain = ", "ConfigSyntax", 1, "correct"),
            ("domain = \"a.b\"\nlisten = 4433", "ConfigValue", 2, "0.0.0.0:4433"),
            ("domain = \"a.b\"\n\nlisen = \"\"", "ConfigUnknownKey", 3, "`listen`"),
            ("domain = \"a.b\"\n[log]\nlevl = \"info\"", "ConfigUnknownKey", 3, "`log.level`"),
            ("domain = \"a.b\"\n[logging]\nlevel = \"info\"", "ConfigUnknownKey", 3, "`log.level`"),
            ("domain = \"a.b\"\n[wholly_other]", "ConfigUnknownKey", 2, "the keys are"),
            ("domain = \"a.b\"\nlog = \"info\"", "ConfigUnknownKey", 2, "log"),
            ("domain = \"a.b\"\ndomain = \"c.d\"", "ConfigSyntax", 2, "correct"),
            ("[log]\nlevel = \"info\"\n[log]\n", "ConfigSyntax", 3, "correct"),
            ("domain = \"a.b", "ConfigSyntax", 1, "correct"),
            ("\n\n[[", "ConfigSyntax", 3, "correct"),
            ("domain = { a = 1 }", "ConfigUnknownKey", 1, "`domain`"),
            ("domain = [\"a.b\"]", "ConfigValue", 1, "a DNS name"),
            ("root_passphrase = 7", "ConfigValue", 1, "text"),
            ("[auth]\npasses = true", "ConfigValue", 2, "a number from 2 to 64"),
            ("[logg]", "ConfigUnknownKey", 1, "the section `[log]`"),
            ("[medai]\n", "ConfigUnknownKey", 1, "the section `[media]`"),
            ("root_passfrase = \"secret\"", "ConfigUnknownKey", 1, "`root_passphrase`"),
            ("[health]\nlisten = false", "ConfigValue", 2, "127.0.0.1:9464"),
            ("[health]\nlisten.port = 1", "ConfigValue", 2, "127.0.0.1:9464"),
        ] {
            let failure = parse(Path::new("comity.toml"), text).expect_err("it is wrong");
            assert_eq!(failure.name, name, "{text:?}: {failure:?}");
            assert!(failure.what.starts_with(&format!("comity.toml:{line}:")), "{text:?}: {failure:?}");
            assert!(failure.hint.contains(hint), "{text:?}: {failure:?}");
        }
    }

    #[test]
    fn a_file_that_goes_very_deep_is_refused_like_any_other() {
        let (dots, lists) = ("a.".repeat(30_000), "[".repeat(30_000));
        for text in
            [format!("{dots}a = 1"), format!("a = {lists}"), format!("[{dots}a]"), "a = {a=".repeat(9_000)]
        {
            let failure = parse(Path::new("comity.toml"), &text).expect_err("it is wrong");
            assert!(failure.what.starts_with("comity.toml:1:"), "{:?}", failure.name);
        }
    }

    #[test]
    fn a_number_may_stand_in_quotes_or_not() {
        for text in ["keep_days = 30", "keep_days = \"30\"", "keep_days = 0x1e"] {
            let text = format!("[media]\n{text}\n");
            let values = parse(Path::new("comity.toml"), &text).expect("it is right");
            assert_eq!(values[0].1, "30", "{text}");
        }
    }

    #[test]
    fn a_dotted_key_is_one_of_a_section() {
        let text = "domain = \"a.b\"\nlog.level = \"warn\"\n";
        let values = parse(Path::new("comity.toml"), text).expect("it is right");
        let read: Vec<_> = values.iter().map(|(key, text, line)| (key.name, text.as_str(), *line)).collect();
        assert_eq!(read, [("domain", "a.b", 1), ("log.level", "warn", 2)]);
    }

    #[test]
    fn distance_counts_changes() {
        for (a, b, expected) in
            [("", "", 0), ("listen", "lisen", 1), ("abc", "", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
