//! The client's own settings: each from an option, a variable, the file or its default, in this
//! order, and each knows where it came from.

mod edit;
mod file;
mod key;
mod nearest;

pub(crate) use edit::{set, unset};
pub(crate) use file::{Fault, File, unknown};
pub(crate) use key::{KEYS, Key, PRESENCE, TUI_THEME, find, theme_of};

use std::{collections::BTreeMap, path::PathBuf};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An option of this command.
    Option,
    /// A variable of the environment.
    Variable(&'static str),
    /// The file.
    File,
    /// Nobody said anything.
    Default,
}

/// Every setting with its value.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, (String, Origin)>,
    path: Option<PathBuf>,
}

impl Settings {
    /// From what an option says, then the variable, then the file. A value that is not usable is a
    /// fault, whoever gave it; the others hold all the same.
    pub(crate) fn gather(
        option: impl Fn(&Key) -> Option<String>,
        variable: impl Fn(&str) -> Option<String>,
        path: Option<PathBuf>,
    ) -> (Self, Vec<Fault>) {
        let (file, mut faults) = match &path {
            Some(path) => File::read(path),
            None => (File::default(), Vec::new()),
        };
        let mut values = BTreeMap::new();
        for key in KEYS {
            let said = [
                (option(key), Origin::Option),
                (variable(key.variable), Origin::Variable(key.variable)),
                (file.value(key.name).map(str::to_owned), Origin::File),
            ];
            let usable = said.into_iter().find_map(|(text, origin)| {
                let text = text?;
                match (key.usable)(&text) {
                    true => Some((text, origin)),
                    false => {
                        // What the file says wrongly was found when it was read.
                        if origin != Origin::File {
                            faults.push(Fault::value(key, &text, &origin));
                        }
                        None
                    }
                }
            });
            values.insert(key.name, usable.unwrap_or_else(|| (key.default.to_owned(), Origin::Default)));
        }
        (Self { values, path }, faults)
    }

    /// The value of a key; empty if it is not set and has no default.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |(value, _)| value)
    }

    /// Where the value of a key came from.
    pub(crate) fn origin(&self, name: &str) -> Origin {
        self.values.get(name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// Where the file is, or would be.
    pub(crate) const fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }
}

/// A file that explains every key, as `comity config template` prints it.
pub(crate) fn template() -> String {
    let mut text = String::from(
        "# Settings of comity for this person. An option wins over a variable, a variable over this\n\
         # file. `comity config list` says what holds and who said so.\n",
    );
    for key in KEYS {
        text.push_str(&format!("\n# {}\n# {} or {}\n", key.meaning, key.option, key.variable));
        text.push_str(&format!("#{} = {}\n", key.name, key.written(key.example)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(file: &str, option: Option<&str>, variable: Option<&str>) -> (Settings, Vec<Fault>) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("config.toml");
        std::fs::write(&path, file).expect("written");
        Settings::gather(
            |key| option.filter(|_| key.name == "timeout").map(str::to_owned),
            |name| variable.filter(|_| name == "COMITY_TIMEOUT").map(str::to_owned),
            Some(path),
        )
    }

    #[test]
    fn an_option_wins_over_a_variable_over_the_file_over_the_default() {
        for (file, variable, option, value, origin) in [
            ("timeout = 7", Some("8"), Some("9"), "9", Origin::Option),
            ("timeout = 7", Some("8"), None, "8", Origin::Variable("COMITY_TIMEOUT")),
            ("timeout = 7", None, None, "7", Origin::File),
            ("", None, None, "30", Origin::Default),
        ] {
            let (settings, faults) = gather(file, option, variable);
            assert!(faults.is_empty(), "{faults:?}");
            assert_eq!((settings.get("timeout"), settings.origin("timeout")), (value, origin));
        }
    }

    #[test]
    fn a_bad_value_is_a_fault_whoever_gave_it_and_the_next_one_holds() {
        let (settings, faults) = gather("timeout = 7", Some("soon"), Some("x"));
        assert_eq!((settings.get("timeout"), faults.len()), ("7", 2), "{faults:?}");
    }

    #[test]
    fn the_template_says_nothing_and_uncommented_it_is_a_good_file() {
        let (_, faults) = gather(&template(), None, None);
        assert!(faults.is_empty(), "{faults:?}");
        let uncommented: String = template()
            .lines()
            .map(|line| {
                format!("{}\n", line.strip_prefix('#').filter(|l| !l.starts_with(' ')).unwrap_or(line))
            })
            .collect();
        let (settings, faults) = gather(&uncommented, None, None);
        assert!(faults.is_empty(), "{faults:?}\n{uncommented}");
        assert!(KEYS.iter().all(|key| settings.origin(key.name) == Origin::File), "{uncommented}");
    }
}
