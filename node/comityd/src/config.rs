//! The configuration of a node: flags, environment and `comity.toml` as one checked value. The only
//! room that reads the environment.

mod file;
pub(crate) mod key;
mod layers;
mod parse;
pub(crate) mod template;

use std::{net::SocketAddr, num::NonZeroUsize, path::Path};

use auth::Cost;
use blobs::Allowance;
use hyper::Uri;
use wire::{DomainName, SecretKey, proto::ContactPolicy};
use zeroize::Zeroizing;

pub(crate) use file::nearest;
#[cfg(test)]
pub(crate) use layers::Origin;
pub(crate) use layers::{Environment, Flags, Layers};

use crate::{
    failure::{Exit, Failure},
    keys::Stored,
    logging,
};

/// What a node is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// `domain`: whom this node serves.
    pub(crate) domain: DomainName,
    /// `listen`: the UDP address.
    pub(crate) listen: SocketAddr,
    /// `contact_policy`: of accounts that have set none.
    pub(crate) contact_policy: ContactPolicy,
    /// `presence`: whether accounts of this domain see who of them is here.
    pub(crate) presence: bool,
    /// `auth.password`: whether passwords let people in.
    pub(crate) passwords: bool,
    /// `auth.memory_kib`, `auth.passes`: what checking one costs.
    pub(crate) password_cost: Cost,
    /// `auth.workers`: how many are checked at a time.
    pub(crate) password_workers: NonZeroUsize,
    /// `log.format`.
    pub(crate) log_format: logging::Format,
    /// `log.level`, which can be used.
    pub(crate) log_level: String,
    /// `health.listen`: the TCP address, if it is not off.
    pub(crate) health: Option<SocketAddr>,
    /// `telemetry.otlp_endpoint`: where traces go, if it is not off.
    pub(crate) collector: Option<Uri>,
    /// `media`: how much is kept of files, and for how long.
    pub(crate) media: Allowance,
    /// `root_passphrase`, if there is one.
    root_passphrase: Option<Secret>,
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("(secret)")
    }
}

/// The environment of this process.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Variables that look as if they were meant for this program, and are not.
pub(crate) fn unknown_variables() -> Vec<String> {
    // Those of `comity`, and what a person may be asked for.
    const OTHERS: [&str; 4] = ["COMITY_DATA", "COMITY_HOME", "COMITY_AS", "COMITY_NO_PROMPT"];
    let known = |name: &str| {
        OTHERS.contains(&name)
            || key::ALL
                .iter()
                .any(|key| key.variable() == name || (key.secret && key.file_variable() == name))
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<String> = names.filter(|name| name.starts_with("COMITY_") && !known(name)).collect();
    unknown.sort();
    unknown
}

/// Everything that is said of the keys.
///
/// # Errors
/// `FileUnusable`, `ConfigSyntax`, `ConfigUnknownKey`, `ConfigValue`.
pub(crate) fn layers(path: &Path, environment: Environment<'_>, flags: &Flags) -> Result<Layers, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
    Layers::gather(path, &text, environment, flags)
}

impl Config {
    /// What the layers mean.
    ///
    /// # Errors
    /// `ConfigValue`, with who gave the value.
    pub(crate) fn of(layers: &Layers) -> Result<Self, Failure> {
        Ok(Self {
            domain: layers.typed(&key::DOMAIN, parse::domain)?,
            listen: layers.typed(&key::LISTEN, parse::address)?,
            contact_policy: layers.typed(&key::CONTACT_POLICY, parse::contact_policy)?,
            presence: layers.typed(&key::PRESENCE, parse::presence)?,
            passwords: layers.typed(&key::AUTH_PASSWORD, parse::on_or_off)?,
            password_cost: password_cost(layers)?,
            password_workers: layers.typed(&key::AUTH_WORKERS, parse::workers)?,
            log_format: layers.typed(&key::LOG_FORMAT, logging::Format::parse)?,
            log_level: layers.typed(&key::LOG_LEVEL, logging::checked_level)?,
            health: layers.typed(&key::HEALTH_LISTEN, parse::address_or_off)?,
            collector: layers.typed(&key::TELEMETRY_OTLP, parse::collector_or_off)?,
            media: Allowance {
                file_bytes: layers.typed(&key::MEDIA_FILE_SIZE, parse::file_bytes)?,
                account_bytes: layers.typed(&key::MEDIA_ACCOUNT_SIZE, parse::bytes)?,
                domain_bytes: layers.typed(&key::MEDIA_DOMAIN_SIZE, parse::bytes)?,
                valid_s: layers.typed(&key::MEDIA_KEEP_DAYS, parse::days)?.saturating_mul(86_400),
            },
            root_passphrase: layers.typed(&key::ROOT_PASSPHRASE, |text| {
                Some((!text.is_empty()).then(|| Secret(Zeroizing::new(text.to_owned()))))
            })?,
        })
    }

    /// The root key, if it is open or the configuration has its passphrase.
    ///
    /// # Errors
    /// `WrongPassphrase`.
    pub(crate) fn open_root(&self, stored: &Stored) -> Result<Option<SecretKey>, Failure> {
        match (stored, &self.root_passphrase) {
            (Stored::Open(key), _) => Ok(Some(key.clone())),
            (Stored::Sealed(_), None) => Ok(None),
            (Stored::Sealed(sealed), Some(Secret(passphrase))) => {
                sealed.open(passphrase).map(Some).map_err(|error| {
                    let what = format!("the root key: {error}");
                    let hint = "set `root_passphrase` to the passphrase of keys/root.key, or to nothing";
                    Failure::new(Exit::Unproved, "WrongPassphrase", what, hint)
                })
            }
        }
    }

    /// Reads file and environment.
    ///
    /// # Errors
    /// As [`layers`] and [`Self::of`].
    pub(crate) fn read(path: &Path, flags: &Flags) -> Result<Self, Failure> {
        Self::of(&layers(path, &environment, flags)?)
    }
}

fn password_cost(layers: &Layers) -> Result<Cost, Failure> {
    let memory_kib = layers.typed(&key::AUTH_MEMORY, parse::memory_kib)?;
    let passes = layers.typed(&key::AUTH_PASSES, parse::passes)?;
    // Each is in its range by itself.
    Ok(Cost::new(memory_kib, passes).unwrap_or(Cost::LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "domain = \"A.Test\"\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"\n";

    fn layers(variables: &[(&str, &str)], flags: &Flags) -> Layers {
        let environment = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Layers::gather(Path::new("comity.toml"), FILE, &environment, flags).expect("it is right")
    }

    #[test]
    fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
        let variables = [("COMITY_LISTEN", "127.0.0.1:2"), ("COMITY_LOG_LEVEL", "debug")];
        let flags = vec![(&key::LISTEN, "127.0.0.1:3".to_owned())];
        let layers = layers(&variables, &flags);
        let config = Config::of(&layers).expect("it is right");
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.log_level, "debug");
        assert_eq!(config.domain.as_str(), "a.test");
        assert_eq!(config.contact_policy, ContactPolicy::Ask);
        let expected = |name: &str| match name {
            "domain" => "comity.toml:1",
            "listen" => "--listen",
            "log.level" => "COMITY_LOG_LEVEL",
            _ => "default",
        };
        for key in key::ALL {
            let origin = layers.get(key).map(|value| value.origin.to_string());
            assert_eq!(origin.as_deref(), Some(expected(key.name)), "{}", key.name);
        }
    }

    #[test]
    fn a_wrong_value_names_who_gave_it() {
        for (variable, value, hint) in [
            ("COMITY_DOMAIN", "nodots", "a DNS name"),
            ("COMITY_LISTEN", "4433", "0.0.0.0:4433"),
            ("COMITY_CONTACT_POLICY", "maybe", "open, ask or deny"),
            ("COMITY_AUTH_PASSWORD", "yes", "on or off"),
            ("COMITY_AUTH_MEMORY_KIB", "19455", "19456"),
            ("COMITY_AUTH_MEMORY_KIB", "1048577", "1048576"),
            ("COMITY_AUTH_MEMORY_KIB", "-1", "19456"),
            ("COMITY_AUTH_PASSES", "1", "from 2 to 64"),
            ("COMITY_AUTH_PASSES", "99999999999999999999", "from 2 to 64"),
            ("COMITY_AUTH_WORKERS", "0", "from 1 to 64"),
            ("COMITY_AUTH_WORKERS", "65", "from 1 to 64"),
            ("COMITY_PRESENCE", "everywhere", "off or domain"),
            ("COMITY_LOG_FORMAT", "xml", "text or json"),
            ("COMITY_LOG_LEVEL", "loud=", "info"),
            ("COMITY_LOG_LEVEL", "verbose", "info"),
            ("COMITY_LOG_LEVEL", "info,net=loud", "info"),
            ("COMITY_HEALTH_LISTEN", "on", "127.0.0.1:9464"),
            ("COMITY_TELEMETRY_OTLP_ENDPOINT", "https://x", "http://127.0.0.1:4318"),
            ("COMITY_MEDIA_FILE_SIZE", "2 GiB", "100 MiB"),
            ("COMITY_MEDIA_ACCOUNT_SIZE", "lots", "1 GiB"),
            ("COMITY_MEDIA_DOMAIN_SIZE", "20", "20 GiB"),
            ("COMITY_MEDIA_KEEP_DAYS", "0", "3650"),
        ] {
            let failure = Config::of(&layers(&[(variable, value)], &Vec::new())).expect_err("it is wrong");
            assert_eq!(failure.name, "ConfigValue", "{failure:?}");
            assert!(failure.what.starts_with(&format!("{variable}: ")), "{failure:?}");
            assert!(failure.hint.contains(hint), "{failure:?}");
            assert!(!failure.what.contains(value), "what was given may be a secret: {failure:?}");
        }
    }

    #[test]
    fn a_secret_may_stand_in_a_file_of_its_own_and_is_never_shown() {
        let place = tempfile::tempdir().expect("a directory");
        let file = |name: &str, text: &str, mode: u32| {
            use std::os::unix::fs::PermissionsExt as _;
            let path = place.path().join(name);
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its mode");
            path.display().to_string()
        };
        let gather = |variables: &[(&str, &str)]| {
            let environment = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            Layers::gather(Path::new("comity.toml"), FILE, &environment, &Vec::new())
        };
        let good = file("good", "correct horse\nanything\n", 0o600);
        let layers = gather(&[("COMITY_ROOT_PASSPHRASE_FILE", &good)]).expect("it is right");
        let value = layers.get(&key::ROOT_PASSPHRASE).expect("a value");
        assert_eq!(value.text.as_str(), "correct horse");
        assert_eq!(value.origin, Origin::Variable("COMITY_ROOT_PASSPHRASE_FILE".to_owned()));
        let config = Config::of(&layers).expect("it is right");
        assert!(!format!("{layers:?}{config:?}").contains("horse"));
        let (open, empty) = (file("open", "correct horse", 0o644), file("empty", "\n", 0o600));
        let (long, none) = (file("long", &"x".repeat(5_000), 0o600), place.path().join("none"));
        for (path, name) in [
            (open.as_str(), "ReadableByOthers"),
            (empty.as_str(), "PassphraseFile"),
            (long.as_str(), "PassphraseFile"),
            (none.to_str().expect("a path"), "FileUnusable"),
        ] {
            let failure = gather(&[("COMITY_ROOT_PASSPHRASE_FILE", path)]).expect_err("it is wrong");
            assert_eq!(failure.name, name, "{failure:?}");
            assert!(failure.what.starts_with("COMITY_ROOT_PASSPHRASE_FILE: "), "{failure:?}");
        }
        let both = [("COMITY_ROOT_PASSPHRASE", "x"), ("COMITY_ROOT_PASSPHRASE_FILE", good.as_str())];
        assert_eq!(gather(&both).expect_err("one of them").name, "ConfigValue");
        let no_secret = gather(&[("COMITY_LISTEN_FILE", &good)]).expect("it means nothing");
        assert_eq!(
            no_secret.get(&key::LISTEN).map(|value| &value.origin),
            Some(&Origin::File("comity.toml".to_owned(), 2))
        );
    }

    #[test]
    fn a_file_without_a_domain_is_none() {
        let layers = Layers::gather(Path::new("comity.toml"), "", &|_| None, &Vec::new());
        let failure = Config::of(&layers.expect("it parses")).expect_err("a key is missing");
        assert!(failure.what.contains("`domain`"), "{failure:?}");
    }
}
