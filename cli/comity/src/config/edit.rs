//! Changes one key of the file and leaves every other line as it is, comments included.

use std::path::Path;

use super::{File, Key};
use crate::{error::CliError, private};

/// Sets a key.
///
/// # Errors
/// Storage; usage if the file has another form than a line to a key.
pub(crate) fn set(path: &Path, key: &Key, value: &str) -> Result<(), CliError> {
    change(path, key, Some(value))
}

/// Takes a key out, so that the default holds; whether it was there.
///
/// # Errors
/// As [`set`].
pub(crate) fn unset(path: &Path, key: &Key) -> Result<bool, CliError> {
    let (file, _) = File::read(path);
    if file.value(key.name).is_none() {
        return Ok(false);
    }
    change(path, key, None).map(|()| true)
}

fn change(path: &Path, key: &Key, value: Option<&str>) -> Result<(), CliError> {
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(CliError::storage(format!("cannot read {}", path.display())).cause(error.to_string()));
        }
    };
    let after = edited(&before, key, value);
    let (file, _) = File::parse(&after, "");
    if file.value(key.name) != value {
        return Err(CliError::usage(format!("{} cannot be changed by a line of its own there", key.name))
            .hint(format!("change it by hand in {}, then: comity config check", path.display())));
    }
    if let Some(parent) = path.parent() {
        private::create_dir(parent)?;
    }
    private::write(path, after.as_bytes())
}

/// The text with the key's line changed, or put in before the first table.
fn edited(text: &str, key: &Key, value: Option<&str>) -> String {
    let written = value.map(|value| format!("{} = {}", key.name, key.written(value)));
    let sets = |line: &str, commented: bool| {
        let line = if commented { line.strip_prefix('#')? } else { line };
        let rest = line.trim_start().strip_prefix(key.name)?;
        rest.trim_start().starts_with('=').then_some(())
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let place = lines.iter().position(|line| sets(line, false).is_some());
    match (place, written) {
        (Some(place), Some(written)) => lines.splice(place..=place, [written]).for_each(drop),
        (Some(place), None) => drop(lines.remove(place)),
        (None, Some(written)) => {
            let first_table = lines.iter().position(|line| line.trim_start().starts_with('['));
            let end = first_table.unwrap_or(lines.len());
            let template = lines.iter().take(end).position(|line| sets(line, true).is_some());
            lines.insert(template.map_or(end, |place| place + 1), written);
        }
        (None, None) => {}
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::key::find;

    fn after(text: &str, name: &str, value: Option<&str>) -> String {
        edited(text, find(name).expect("a key"), value)
    }

    #[test]
    fn one_line_changes_and_no_other() {
        assert_eq!(after("", "timeout", Some("5")), "timeout = 5\n");
        assert_eq!(after("# why\ntimeout = 7 # long\n", "timeout", Some("5")), "# why\ntimeout = 5\n");
        assert_eq!(
            after("a = 1\n[theme]\nid = \"red\"\n", "timeout", Some("5")),
            "a = 1\ntimeout = 5\n[theme]\nid = \"red\"\n"
        );
        assert_eq!(
            after("#timeout = 30\nx = 1\n", "timeout", Some("5")),
            "#timeout = 30\ntimeout = 5\nx = 1\n"
        );
        assert_eq!(after("timeout = 7\nx = 1\n", "timeout", None), "x = 1\n");
        assert_eq!(after("", "account", Some("a\"b")), "account = 'a\"b'\n");
    }

    #[test]
    fn what_a_line_cannot_say_is_refused_and_the_file_is_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("config.toml");
        let text = "[theme]\nid = \"red\"\n";
        std::fs::write(&path, text).expect("written");
        let key = find("theme.id").expect("a key");
        assert_eq!(set(&path, key, "blue").expect_err("it stands in a table").exit(), 2);
        assert_eq!(unset(&path, key).expect_err("it stands in a table").exit(), 2);
        assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
        set(&path, find("timeout").expect("a key"), "5").expect("set");
        assert!(unset(&path, find("timeout").expect("a key")).expect("unset"));
        assert!(!unset(&path, find("timeout").expect("a key")).expect("unset"));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
    }
}
