//! The keys of the configuration: one table from which the file is read, the template written, the
//! environment asked and the reference printed.

use super::parse;
use crate::logging;

/// One key. Its values are text, in quotes in the file; a number may also stand there as it is.
#[derive(Debug)]
pub(crate) struct Key {
    /// With its section: `log.level`.
    pub(crate) name: &'static str,
    /// What holds if nobody says otherwise; a key without a default must be given.
    pub(crate) default: Option<&'static str>,
    /// What a value looks like, to end the sentence "it must be …".
    pub(crate) expected: &'static str,
    /// Whether a text can be its value.
    pub(crate) usable: fn(&str) -> bool,
    /// Whether SIGHUP applies a change.
    pub(crate) reloaded: bool,
    /// Whether it is never shown, and may come out of a file of its own.
    pub(crate) secret: bool,
    /// What it is for, and why the default is as it is.
    pub(crate) explanation: &'static str,
}

impl Key {
    /// The environment variable that goes before the file: `COMITY_LOG_LEVEL`.
    pub(crate) fn variable(&self) -> String {
        format!("COMITY_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// The environment variable with the name of a file that has the value: `COMITY_ROOT_PASSPHRASE_FILE`.
    pub(crate) fn file_variable(&self) -> String {
        format!("{}_FILE", self.variable())
    }

    /// The flag of `comityd run` that goes before the environment: `--log-level`.
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.name.replace(['.', '_'], "-"))
    }

    /// The text, if it can be its value; else what a value looks like.
    pub(crate) fn checked(&self, text: &str) -> Result<String, String> {
        (self.usable)(text).then(|| text.to_owned()).ok_or_else(|| format!("it must be {}", self.expected))
    }

    /// Whether its values are numbers.
    pub(crate) fn is_number(&self) -> bool {
        self.default.is_some_and(|default| default.parse::<u64>().is_ok())
    }

    /// Its section and its name there.
    pub(crate) fn parts(&self) -> (Option<&'static str>, &'static str) {
        match self.name.split_once('.') {
            Some((section, name)) => (Some(section), name),
            None => (None, self.name),
        }
    }
}

/// The domain.
pub(crate) const DOMAIN: Key = Key {
    name: "domain",
    default: None,
    expected: "a DNS name",
    usable: |text| parse::domain(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "The domain that this node serves. Cannot be changed: it stands in every signed document.",
};

/// The UDP address.
pub(crate) const LISTEN: Key = Key {
    name: "listen",
    default: Some("0.0.0.0:4433"),
    expected: "ADDR:PORT, such as 0.0.0.0:4433",
    usable: |text| parse::address(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "The UDP address for devices and other domains. Port 0 takes any free one.",
};

/// The policy of accounts that have none.
pub(crate) const CONTACT_POLICY: Key = Key {
    name: "contact_policy",
    default: Some("ask"),
    expected: "open, ask or deny",
    usable: |text| parse::contact_policy(text).is_some(),
    reloaded: true,
    secret: false,
    explanation: "How accounts that have not decided for themselves are reached from other domains: \
                  \"open\" lets everybody in, \"ask\" makes an invitation that the person answers, \
                  \"deny\" refuses. Inside the domain contact is always open.",
};

/// The form of the log.
pub(crate) const LOG_FORMAT: Key = Key {
    name: "log.format",
    default: Some("text"),
    expected: "text or json",
    usable: |text| logging::Format::parse(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "How the log is written on stderr: \"text\", or \"json\" with one object on each line.",
};

/// What is logged.
pub(crate) const LOG_LEVEL: Key = Key {
    name: "log.level",
    default: Some("info"),
    expected: "error, warn, info, debug or trace, also by part: info,net=debug",
    usable: |text| logging::checked_level(text).is_some(),
    reloaded: true,
    secret: false,
    explanation: "What is logged: \"error\", \"warn\", \"info\", \"debug\" or \"trace\", also by part: \
                  \"info,net=debug\". Nothing secret is logged at any level.",
};

/// Where machines ask how the node is doing.
pub(crate) const HEALTH_LISTEN: Key = Key {
    name: "health.listen",
    default: Some("off"),
    expected: "ADDR:PORT, such as 127.0.0.1:9464, or off",
    usable: |text| parse::address_or_off(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "The TCP address for /livez, /readyz, /startupz and /metrics over HTTP, or \"off\". \
                  There is no password: keep it on 127.0.0.1 or a network of your own.",
};

/// Who is told who is here.
pub(crate) const PRESENCE: Key = Key {
    name: "presence",
    default: Some("off"),
    expected: "off or domain",
    usable: |text| parse::presence(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "Whether accounts of this domain that are in a room together see which of them are here: \
                  \"off\", or \"domain\" for those who show themselves, as `comity tui` does unless its \
                  user does not want it. Nothing of it is stored, and no other domain learns it.",
};

/// Who gets traces.
pub(crate) const TELEMETRY_OTLP: Key = Key {
    name: "telemetry.otlp_endpoint",
    default: Some("off"),
    expected: "http://HOST:PORT, such as http://127.0.0.1:4318, or off",
    usable: |text| parse::collector_or_off(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "The collector that gets traces, by OpenTelemetry's protocol over HTTP (OTLP), or \"off\": \
                  how long what took, with names of peers, and without any account, room or message. \
                  There is no TLS: keep it on this machine or a network of your own.",
};

/// Whether passwords let people in.
pub(crate) const AUTH_PASSWORD: Key = Key {
    name: "auth.password",
    default: Some("on"),
    expected: "on or off",
    usable: |text| parse::on_or_off(text).is_some(),
    reloaded: true,
    secret: false,
    explanation: "Whether a password that you have set (`comity user password`) lets a person log in on \
                  the first device, as an invitation does. While none is set, \"on\" lets nobody in.",
};

/// The memory of a guess.
pub(crate) const AUTH_MEMORY: Key = Key {
    name: "auth.memory_kib",
    default: Some("19456"),
    expected: "a number from 19456 to 1048576",
    usable: |text| parse::memory_kib(text).is_some(),
    reloaded: true,
    secret: false,
    explanation: "How many KiB of memory argon2id takes to check a password, so that whoever steals the \
                  database pays as much for each guess. A hash of other memory or passes is made anew \
                  when its password is given the next time.",
};

/// The time of a guess.
pub(crate) const AUTH_PASSES: Key = Key {
    name: "auth.passes",
    default: Some("2"),
    expected: "a number from 2 to 64",
    usable: |text| parse::passes(text).is_some(),
    reloaded: true,
    secret: false,
    explanation: "How often argon2id goes over that memory.",
};

/// How many passwords are checked at a time.
pub(crate) const AUTH_WORKERS: Key = Key {
    name: "auth.workers",
    default: Some("1"),
    expected: "a number from 1 to 64",
    usable: |text| parse::workers(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "How many passwords are checked at a time. One keeps a core busy at most, and checks \
                  some fifty a second with the other defaults.",
};

/// What opens a sealed root key.
pub(crate) const ROOT_PASSPHRASE: Key = Key {
    name: "root_passphrase",
    default: Some(""),
    expected: "text",
    usable: |_| true,
    reloaded: false,
    secret: true,
    explanation: "The passphrase of a sealed keys/root.key, so that the node renews its domain document by \
                  itself, once a year. Without it the administrator does so with `comityd renew`. Better \
                  than here it stands in a file of its own, such as a systemd credential.",
};

/// The largest file.
pub(crate) const MEDIA_FILE_SIZE: Key = Key {
    name: "media.file_size",
    default: Some("100 MiB"),
    expected: "a size up to 1 GiB, such as 100 MiB",
    usable: |text| parse::file_bytes(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "The largest file that an account of this domain may send. Files are encrypted on the \
                  device and kept under `media` in the data directory.",
};

/// What one account may keep.
pub(crate) const MEDIA_ACCOUNT_SIZE: Key = Key {
    name: "media.account_size",
    default: Some("1 GiB"),
    expected: "a size, such as 1 GiB",
    usable: |text| parse::bytes(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "How much the files of one account may take here. Beyond it a further file is refused \
                  (Quota) until older ones are over. A file counts for at least 64 KiB.",
};

/// What all accounts may keep.
pub(crate) const MEDIA_DOMAIN_SIZE: Key = Key {
    name: "media.domain_size",
    default: Some("20 GiB"),
    expected: "a size, such as 20 GiB",
    usable: |text| parse::bytes(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "How much the files of all accounts together may take here. Leave room on the disk for \
                  the database, which stops taking messages when the disk is full.",
};

/// How long a file is kept.
pub(crate) const MEDIA_KEEP_DAYS: Key = Key {
    name: "media.keep_days",
    default: Some("30"),
    expected: "a number of days from 1 to 3650",
    usable: |text| parse::days(text).is_some(),
    reloaded: false,
    secret: false,
    explanation: "How many days a file is kept. Devices that have fetched it keep their copy.",
};

/// All of them, those of a section together.
pub(crate) const ALL: [&Key; 17] = [
    &DOMAIN,
    &LISTEN,
    &CONTACT_POLICY,
    &PRESENCE,
    &ROOT_PASSPHRASE,
    &AUTH_PASSWORD,
    &AUTH_MEMORY,
    &AUTH_PASSES,
    &AUTH_WORKERS,
    &LOG_FORMAT,
    &LOG_LEVEL,
    &HEALTH_LISTEN,
    &TELEMETRY_OTLP,
    &MEDIA_FILE_SIZE,
    &MEDIA_ACCOUNT_SIZE,
    &MEDIA_DOMAIN_SIZE,
    &MEDIA_KEEP_DAYS,
];
