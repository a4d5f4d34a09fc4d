//! Reading `comity.toml`: unknown keys and wrong values are refused with their line.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use wire::{DomainName, proto::ContactPolicy};

use super::Config;
use crate::{
    failure::{Exit, Failure},
    logging::Format,
};

/// All keys, with their section.
pub(crate) const KEYS: &[&str] = &["domain", "listen", "contact_policy", "log.format", "log.level"];

pub(super) fn parse(path: &Path, text: &str) -> Result<Config, Failure> {
    let source = Source { path, text };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        source.failure("ConfigSyntax", at, error.message().to_owned(), "correct the line")
    })?;
    let mut values = Vec::new();
    flatten("", table.get_ref(), &mut values);
    if let Some((name, at, _)) = values.iter().find(|(name, ..)| !KEYS.contains(&name.as_str())) {
        return Err(source.unknown(name, *at));
    }
    Reader { source, values }.config()
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
            Some(_) if KEYS.iter().any(|known| known.starts_with(&format!("{name}."))) => {}
            _ => values.push((name, key.span().start, value)),
        }
    }
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn failure(&self, name: &'static str, at: usize, what: String, hint: &str) -> Failure {
        let line = self.text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        Failure::new(Exit::Usage, name, format!("{}:{line}: {what}", self.path.display()), hint)
    }

    fn unknown(&self, name: &str, at: usize) -> Failure {
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        let nearest = KEYS.iter().min_by_key(|known| distance(known, name)).copied().unwrap_or_default();
        let hint = match distance(nearest, name) <= name.len().max(3) / 2 {
            true => format!("did you mean `{nearest}`?"),
            false => format!("the keys are {}", KEYS.join(", ")),
        };
        self.failure("ConfigUnknownKey", at, format!("there is no key `{shown}`"), &hint)
    }
}

struct Reader<'a> {
    source: Source<'a>,
    values: Vec<Entry<'a>>,
}

impl Reader<'_> {
    fn config(&self) -> Result<Config, Failure> {
        let domain = self.text("domain", |text| DomainName::from_input(text).ok(), "a DNS name")?;
        let listen = self.text("listen", |text| text.parse().ok(), "ADDR:PORT, such as 0.0.0.0:4433")?;
        let policy = self.text("contact_policy", contact_policy, "open, ask or deny")?;
        let format = self.text("log.format", Format::parse, "text or json")?;
        let level = self.text("log.level", |text| Some(text.to_owned()), "a text")?;
        let Some(domain) = domain else {
            return Err(self.source.failure(
                "ConfigValue",
                0,
                "the key `domain` is missing".to_owned(),
                "add `domain = \"your.domain\"`, the one that `comityd init` was given",
            ));
        };
        Ok(Config {
            domain,
            listen: listen.unwrap_or_else(|| ([0, 0, 0, 0], 4433).into()),
            contact_policy: policy.unwrap_or(ContactPolicy::Ask),
            log_format: format.unwrap_or(Format::Text),
            log_level: level.unwrap_or_else(|| "info".to_owned()),
        })
    }

    fn text<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, Failure> {
        let Some((_, at, value)) = self.values.iter().find(|(key, ..)| key == name) else { return Ok(None) };
        match value.get_ref().as_str().and_then(parse) {
            Some(value) => Ok(Some(value)),
            None => Err(self.source.failure(
                "ConfigValue",
                *at,
                format!("the value of `{name}` cannot be used"),
                &format!("it must be {expected}, in quotes"),
            )),
        }
    }
}

fn contact_policy(text: &str) -> Option<ContactPolicy> {
    match text {
        "open" => Some(ContactPolicy::Open),
        "ask" => Some(ContactPolicy::Ask),
        "deny" => Some(ContactPolicy::Deny),
        _ => None,
    }
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

    fn refused(text: &str) -> Failure {
        parse(Path::new("comity.toml"), text).expect_err("it is wrong")
    }

    #[test]
    fn wrong_files_are_refused_with_their_line_and_the_next_step() {
        for (text, name, line, hint) in [
            ("domain = ", "ConfigSyntax", 1, "correct"),
            ("domain = \"a.b\"\nlisten = 4433", "ConfigValue", 2, "0.0.0.0:4433"),
            ("domain = \"a.b\"\n\nlisen = \"\"", "ConfigUnknownKey", 3, "`listen`"),
            ("domain = \"a.b\"\n[log]\nlevl = \"info\"", "ConfigUnknownKey", 3, "`log.level`"),
            ("domain = \"a.b\"\n[logging]\nlevel = \"info\"", "ConfigUnknownKey", 3, "`log.level`"),
            ("domain = \"a.b\"\n[wholly_other]", "ConfigUnknownKey", 2, "the keys are"),
            ("domain = \"nodots\"", "ConfigValue", 1, "a DNS name"),
            ("listen = \"0.0.0.0:1\"", "ConfigValue", 1, "domain"),
            ("domain = \"a.b\"\ncontact_policy = \"maybe\"", "ConfigValue", 2, "open, ask or deny"),
            ("domain = \"a.b\"\nlog = \"info\"", "ConfigUnknownKey", 2, "log"),
        ] {
            let failure = refused(text);
            assert_eq!(failure.name, name, "{text:?}: {failure:?}");
            assert!(failure.what.starts_with(&format!("comity.toml:{line}:")), "{text:?}: {failure:?}");
            assert!(failure.hint.contains(hint), "{text:?}: {failure:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_given_has_its_default() {
        let config = parse(Path::new("comity.toml"), "domain = \"A.Test\"\n[log]\n").expect("it is right");
        assert_eq!(config.domain.as_str(), "a.test");
        assert_eq!(config.contact_policy, ContactPolicy::Ask);
        assert_eq!(config.log_format, Format::Text);
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
