//! Reads the file. Every fault has its line, an unknown key the nearest one that there is, and what
//! is good of the file holds beside it.

use std::{collections::BTreeMap, fmt, io::Read as _, path::Path};

use toml::de::{DeTable, DeValue};

use super::{Key, Origin, key, nearest::nearest};
use crate::output::line;

/// A longer file is none of ours.
const BYTES_MAX: u64 = 65_536;

/// What a file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    values: BTreeMap<String, String>,
}

/// Something that is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where: a file and its line, a variable or an option.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) says: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.says)
    }
}

impl Fault {
    /// A value that is none.
    pub(super) fn value(key: &Key, text: &str, origin: &Origin) -> Self {
        let place = match origin {
            Origin::Option => key.option.to_owned(),
            Origin::Variable(name) => (*name).to_owned(),
            Origin::File | Origin::Default => key.name.to_owned(),
        };
        Self { place, says: not_usable(key, text) }
    }
}

fn not_usable(key: &Key, text: &str) -> String {
    format!("`{}` is not usable for {}: it must be {}", line(text), key.name, key.looks_like)
}

impl File {
    /// Reads a file; one that is not there says nothing.
    pub(crate) fn read(path: &Path) -> (Self, Vec<Fault>) {
        let fault = |says: String| (Self::default(), vec![Fault { place: path.display().to_string(), says }]);
        let mut bytes = Vec::new();
        match std::fs::File::open(path) {
            Ok(file) => {
                if let Err(error) = file.take(BYTES_MAX + 1).read_to_end(&mut bytes) {
                    return fault(format!("cannot be read: {error}"));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return (Self::default(), Vec::new());
            }
            Err(error) => return fault(format!("cannot be opened: {error}")),
        }
        if bytes.len() as u64 > BYTES_MAX {
            return fault(format!("is longer than {BYTES_MAX} bytes"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(&text, &path.display().to_string()),
            Err(_) => fault("is not UTF-8".to_owned()),
        }
    }

    /// What a text says, with every fault in it.
    pub(crate) fn parse(text: &str, name: &str) -> (Self, Vec<Fault>) {
        let place = |at: usize| {
            let number = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
            format!("{name}:{number}")
        };
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return (Self::default(), vec![Fault { place: place(at), says: line(error.message()) }]);
            }
        };
        let mut file = Self::default();
        let mut faults = Vec::new();
        let mut flat = Vec::new();
        flatten("", table.get_ref(), &mut flat);
        for (said, at, value) in flat {
            let Some(key) = key::find(&said) else {
                faults.push(Fault { place: place(at), says: unknown(&said) });
                continue;
            };
            match value.filter(|value| (key.usable)(value)) {
                Some(value) => {
                    file.values.insert(said, value);
                }
                None => {
                    let says = format!("{} must be {}", key.name, key.looks_like);
                    faults.push(Fault { place: place(at), says });
                }
            }
        }
        (file, faults)
    }

    /// The value of a key.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

/// What is said of a key that does not exist.
pub(crate) fn unknown(name: &str) -> String {
    let names = super::KEYS.iter().map(|key| key.name);
    match nearest(name, names) {
        Some(near) => format!("there is no key `{}`; is `{near}` meant?", line(name)),
        None => format!("there is no key `{}`", line(name)),
    }
}

/// The keys of tables with their full names and places; a value that is none of ours is `None`.
fn flatten(above: &str, table: &DeTable<'_>, flat: &mut Vec<(String, usize, Option<String>)>) {
    for (name, value) in table {
        let (full, at) = (format!("{above}{}", name.get_ref()), name.span().start);
        match value.get_ref() {
            DeValue::Table(table) => flatten(&format!("{full}."), table, flat),
            DeValue::String(text) => flat.push((full, at, Some(text.to_string()))),
            DeValue::Boolean(value) => flat.push((full, at, Some(value.to_string()))),
            DeValue::Integer(value) => flat.push((full, at, Some(value.to_string()))),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) => flat.push((full, at, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_line_and_says_what_to_do() {
        for (text, place, says) in [
            ("\ntimeout = \"soon\"", "f:2", "seconds"),
            ("timeout = -1", "f:1", "seconds"),
            ("timeout = 1.5", "f:1", "seconds"),
            ("timeout = 99999999999999999999", "f:1", ""),
            ("color = \"often\"", "f:1", "auto, always or never"),
            ("colour = \"auto\"", "f:1", "is `color` meant?"),
            ("acount = \"alice\"", "f:1", "is `account` meant?"),
            ("account = [\"alice\"]", "f:1", "alice@acme.example"),
            ("account = \"alice@\"", "f:1", "alice@acme.example"),
            ("quiet = \"perhaps\"", "f:1", "true or false"),
            ("[theme]\nacount = \"red\"", "f:2", "is `theme.account` meant?"),
            ("[theme]\naccount = \"mauve\"", "f:2", "a colour"),
            ("\n\n= 1", "f:3", ""),
            ("timeout = 1\ntimeout = 2", "f:2", ""),
            ("zzzzzzzzzzzz = 1", "f:1", "there is no key"),
            ("\"\\u001b[2J\" = 1", "f:1", "there is no key"),
        ] {
            let (file, faults) = File::parse(text, "f");
            let fault = faults.first().unwrap_or_else(|| panic!("{text:?} is no fault"));
            assert_eq!(fault.place, place, "{text:?}: {fault}");
            assert!(fault.says.contains(says), "{text:?}: {fault}");
            assert!(!fault.to_string().contains('\u{1b}'), "{fault:?}");
            assert!(file.values.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_goes_very_deep_is_a_fault_like_any_other() {
        let (dots, lists) = ("a.".repeat(30_000), "[".repeat(30_000));
        for text in
            [format!("{dots}a = 1"), format!("a = {lists}"), format!("[{dots}a]"), "a = {a=".repeat(9_000)]
        {
            let (_, faults) = File::parse(&text, "f");
            assert!(faults.first().is_some_and(|fault| fault.place == "f:1"), "{} faults", faults.len());
        }
    }

    #[test]
    fn what_is_good_holds_beside_what_is_not() {
        let (file, faults) = File::parse("timeout = 5\ncolour = \"x\"\n[theme]\nid = \"red\"", "f");
        assert_eq!(
            (file.value("timeout"), file.value("theme.id"), faults.len()),
            (Some("5"), Some("red"), 1)
        );
    }
}
