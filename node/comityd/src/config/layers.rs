//! Where each value comes from: the command line goes before the environment, that before the file,
//! and that before the default.

use std::{collections::BTreeMap, path::Path};

use zeroize::Zeroizing;

use super::{
    file,
    key::{self, Key},
};
use crate::{
    failure::{Exit, Failure},
    passphrase,
};

/// Who gave a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody: it is the default.
    Default,
    /// The file, at this line.
    File(String, usize),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path, line) => write!(out, "{path}:{line}"),
            Self::Variable(name) | Self::Flag(name) => out.write_str(name),
        }
    }
}

/// A value as text, which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// As it was given.
    pub(crate) text: Zeroizing<String>,
    /// By whom.
    pub(crate) origin: Origin,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a value of {}", self.origin)
    }
}

/// Reads an environment variable; a parameter, so that tests have an environment of their own.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the command line says, by key.
pub(crate) type Flags = Vec<(&'static Key, String)>;

/// Every key that has a value.
#[derive(Debug)]
pub(crate) struct Layers(BTreeMap<&'static str, Value>);

impl Layers {
    /// Puts the layers upon each other.
    ///
    /// # Errors
    /// `ConfigSyntax`, `ConfigUnknownKey`, `ConfigValue` of the file.
    pub(crate) fn gather(
        path: &Path,
        text: &str,
        environment: Environment<'_>,
        flags: &Flags,
    ) -> Result<Self, Failure> {
        let defaults =
            key::ALL.iter().filter_map(|key| Some((key.name, (key.default?.to_owned(), Origin::Default))));
        let file = file::parse(path, text)?
            .into_iter()
            .map(|(key, text, line)| (key.name, (text, Origin::File(path.display().to_string(), line))));
        let mut variables = Vec::new();
        for key in key::ALL {
            let value = variable(key, environment)?;
            variables.extend(value.map(|value| (key.name, value)));
        }
        let flags = flags.iter().map(|(key, text)| (key.name, (text.clone(), Origin::Flag(key.flag()))));
        let all = defaults.chain(file).chain(variables).chain(flags);
        Ok(Self(
            all.map(|(name, (text, origin))| (name, Value { text: Zeroizing::new(text), origin })).collect(),
        ))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.0.get(key.name)
    }

    /// The value of a key as what it means.
    ///
    /// # Errors
    /// `ConfigValue`, with who gave it.
    pub(crate) fn typed<T>(&self, key: &Key, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        let Some(value) = self.get(key) else {
            return Err(Failure::new(
                Exit::Usage,
                "ConfigValue",
                format!("the key `{}` is missing", key.name),
                format!("add `{} = …` to the file: {}", key.name, key.expected),
            ));
        };
        parse(&value.text).ok_or_else(|| {
            let what = format!("{}: the value of `{}` cannot be used", value.origin, key.name);
            Failure::new(Exit::Usage, "ConfigValue", what, format!("it must be {}", key.expected))
        })
    }
}

/// What the environment says of a key: a secret may stand in a file whose name it gives.
fn variable(key: &Key, environment: Environment<'_>) -> Result<Option<(String, Origin)>, Failure> {
    let (name, file_name) = (key.variable(), key.file_variable());
    let file = environment(&file_name).filter(|_| key.secret);
    match (environment(&name), file) {
        (Some(_), Some(_)) => Err(Failure::new(
            Exit::Usage,
            "ConfigValue",
            format!("{name} and {file_name} are both set"),
            "keep one of them",
        )),
        (Some(value), None) => Ok(Some((value, Origin::Variable(name)))),
        (None, Some(file)) => {
            let text = passphrase::read(Path::new(&file))
                .map_err(|failure| Failure { what: format!("{file_name}: {}", failure.what), ..failure })?;
            Ok(Some((text.to_string(), Origin::Variable(file_name))))
        }
        (None, None) => Ok(None),
    }
}
