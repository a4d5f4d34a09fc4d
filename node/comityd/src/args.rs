//! The command line. The comments of the fields are the help texts.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};
use wire::{DomainName, name::Endpoint};

use crate::config::{Flags, key};

/// The node of a domain: carries end-to-end encrypted conversations between this organisation and
/// others
#[derive(Debug, Parser)]
#[command(name = "comityd", version, max_term_width = 100, after_help = MAIN_EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const MAIN_EXAMPLES: &str = "\
Examples:
  comityd init acme.example --data /var/lib/comity
  comityd run --data /var/lib/comity

Administration of a running node: `comity peer`, `comity user` (see `comity help`).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Run(Run),
    Check(Check),
    Doctor(Doctor),
    #[command(subcommand)]
    Config(Config),
    Renew(Renew),
    #[command(subcommand)]
    Key(Key),
    Backup(Backup),
    Verify(Verify),
    Restore(Restore),
    SupportBundle(SupportBundle),
    #[command(subcommand)]
    Util(Util),
}

/// Make the data directory of a new domain: configuration, keys, first domain document
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd init acme.example --data /var/lib/comity
  comityd init acme.example --data ./acme --listen 0.0.0.0:4433 --endpoint node.acme.example:4433
  comityd init --answers acme.toml --data ./acme --json

On a terminal what is not given is asked for. An answers file is TOML with any of `domain`, `listen`,
`endpoints` and `passphrase_file`. In a directory that holds the domain already nothing is changed.")]
pub(crate) struct Init {
    /// The domain, a DNS name of your organisation; it cannot be changed later
    #[arg(value_parser = domain)]
    pub(crate) domain: Option<DomainName>,
    #[command(flatten)]
    pub(crate) data: Data,
    /// The UDP address to listen on [default: 0.0.0.0:4433]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where others reach this node; may be given several times, best first [default: DOMAIN:PORT]
    #[arg(long = "endpoint", value_name = "HOST:PORT", value_parser = endpoint)]
    pub(crate) endpoints: Vec<Endpoint>,
    /// A TOML file with what would be asked; flags go before it
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// A file whose first line is the passphrase for root, next-root and recovery key
    #[arg(long, value_name = "FILE", conflicts_with = "no_passphrase")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Leave the root keys open without asking
    #[arg(long)]
    pub(crate) no_passphrase: bool,
    /// Ask nothing
    #[arg(long)]
    pub(crate) non_interactive: bool,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Serve the domain until SIGTERM or SIGINT
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd run --data /var/lib/comity
  COMITY_DATA=/var/lib/comity comityd run --log-format json

SIGHUP reads the configuration again and applies what can be changed without a restart; SIGTERM
and SIGINT end the node in good order.")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
}

/// What goes before the environment and the file.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Overrides {
    /// The UDP address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = |text: &str| key::LISTEN.checked(text))]
    listen: Option<String>,
    /// How accounts are reached from other domains: open, ask or deny
    #[arg(long, value_name = "POLICY", value_parser = |text: &str| key::CONTACT_POLICY.checked(text))]
    contact_policy: Option<String>,
    /// Whether a password that is set lets people in: on or off
    #[arg(long, value_name = "SWITCH", value_parser = |text: &str| key::AUTH_PASSWORD.checked(text))]
    auth_password: Option<String>,
    /// Memory for checking a password, in KiB
    #[arg(long, value_name = "KIB", value_parser = |text: &str| key::AUTH_MEMORY.checked(text))]
    auth_memory_kib: Option<String>,
    /// Passes over that memory
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| key::AUTH_PASSES.checked(text))]
    auth_passes: Option<String>,
    /// How many passwords are checked at a time
    #[arg(long, value_name = "COUNT", value_parser = |text: &str| key::AUTH_WORKERS.checked(text))]
    auth_workers: Option<String>,
    /// How to write the log on stderr: text or json
    #[arg(long, value_name = "FORMAT", value_parser = |text: &str| key::LOG_FORMAT.checked(text))]
    log_format: Option<String>,
    /// What to log: error, warn, info, debug or trace, also by part (net=debug)
    #[arg(long, value_name = "LEVEL", value_parser = |text: &str| key::LOG_LEVEL.checked(text))]
    log_level: Option<String>,
    /// The TCP address for health checks and metrics, or off
    #[arg(long, value_name = "ADDR:PORT", value_parser = |text: &str| key::HEALTH_LISTEN.checked(text))]
    health_listen: Option<String>,
}

impl Overrides {
    /// Those that were given.
    pub(crate) fn flags(&self) -> Flags {
        let given = [
            (&key::LISTEN, &self.listen),
            (&key::CONTACT_POLICY, &self.contact_policy),
            (&key::AUTH_PASSWORD, &self.auth_password),
            (&key::AUTH_MEMORY, &self.auth_memory_kib),
            (&key::AUTH_PASSES, &self.auth_passes),
            (&key::AUTH_WORKERS, &self.auth_workers),
            (&key::LOG_FORMAT, &self.log_format),
            (&key::LOG_LEVEL, &self.log_level),
            (&key::HEALTH_LISTEN, &self.health_listen),
        ];
        given.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
    }
}

/// Say what the configuration is, and where each value comes from
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Config {
    Show(ConfigShow),
    Template(ConfigTemplate),
}

/// Print the configuration that holds: flags before environment before file before defaults
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd config show --data /var/lib/comity
  comityd config show --origin --data /var/lib/comity
  comityd config show --json --data /var/lib/comity")]
pub(crate) struct ConfigShow {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Say behind each value who gave it
    #[arg(long)]
    pub(crate) origin: bool,
    /// Print one JSON object for each key
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
}

/// Print a configuration file with every key, its meaning and its default
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd config template
  comityd config template > comity.toml
  comityd config template --json")]
pub(crate) struct ConfigTemplate {
    /// Print one JSON object for each key instead
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say whether the data directory is in order; nothing is changed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 in order, 7 not in order, 9 cannot tell.

Examples:
  comityd check --data /var/lib/comity
  comityd check --data /var/lib/comity && systemctl restart comityd
  comityd check --data /var/lib/comity --json")]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Print one JSON object for each finding
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check the data directory, the running node, and whether each peer can be reached
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 in order (warnings and notes included), 7 not in order, 9 cannot tell.

Examples:
  comityd doctor --data /var/lib/comity
  comityd doctor --data /var/lib/comity --json")]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Print one JSON object for each finding
    #[arg(long)]
    pub(crate) json: bool,
}

/// Issue a new domain document now, for example after the endpoints have changed
///
/// `comityd run` renews the document by itself long before it expires.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd renew --data /var/lib/comity
  comityd renew --data /var/lib/comity --endpoint node2.acme.example:4433
  comityd renew --data /var/lib/comity --root-key /media/safe/acme/root.key

A sealed root key needs its passphrase: from the file, from the configuration, or asked for.")]
pub(crate) struct Renew {
    #[command(flatten)]
    pub(crate) data: Data,
    /// New endpoints in place of those in the last document
    #[arg(long = "endpoint", value_name = "HOST:PORT", value_parser = endpoint)]
    pub(crate) endpoints: Vec<Endpoint>,
    /// The root key, if it is kept elsewhere [default: keys/root.key of the data directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
    /// A file whose first line is the passphrase of the root key
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// See, seal and take away the keys that a running node does not need
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Key {
    List(KeyList),
    Seal(KeySeal),
    Unseal(KeyUnseal),
    Export(KeyExport),
}

/// Whose keys, and how they are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct OfDomain {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Print one JSON object for each key
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say which keys are here, and which of them a passphrase protects
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd key list --data /var/lib/comity
  comityd key list --data /var/lib/comity --json")]
pub(crate) struct KeyList {
    #[command(flatten)]
    pub(crate) keys: OfDomain,
}

/// Protect root, next-root and recovery key by a passphrase, or by another one
///
/// The node runs without them. Renewing the domain document, once a year, needs the root key: `comityd
/// renew` asks for the passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd key seal --data /var/lib/comity
  comityd key seal --data /var/lib/comity --passphrase-file /run/secrets/root --json")]
pub(crate) struct KeySeal {
    /// A file whose first line is the new passphrase
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// A file whose first line is the passphrase of keys that are sealed already
    #[arg(long, value_name = "FILE")]
    pub(crate) old_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: OfDomain,
}

/// Take the passphrase off the keys
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd key unseal --data /var/lib/comity
  comityd key unseal --data /var/lib/comity --passphrase-file /run/secrets/root --json")]
pub(crate) struct KeyUnseal {
    /// A file whose first line is the passphrase
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: OfDomain,
}

/// Copy root, next-root and recovery key to another place, for keeping them offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd key export /media/safe/acme --data /var/lib/comity
  comityd key export /media/safe/acme --data /var/lib/comity --remove --json

The node runs without them; `comityd renew --root-key FILE` uses the root key from where it is kept.")]
pub(crate) struct KeyExport {
    /// The directory to make
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Remove them here, once the copies have been read back
    #[arg(long)]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) keys: OfDomain,
}

/// Copy the domain into a new directory, while it is served or not
///
/// The copy is of one moment: database, keys, documents, configuration, and a signed list of them. It
/// holds the secret keys of the domain: keep it as safe as the data directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd backup /backup/comity-monday --data /var/lib/comity
  comityd backup /backup/comity-tuesday --data /var/lib/comity --json
  comityd backup /backup/comity-sealed --data /var/lib/comity --passphrase-file /run/secrets/backup")]
pub(crate) struct Backup {
    /// The directory to make; its parent must exist
    #[arg(value_name = "BACKUP")]
    pub(crate) destination: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Seal the keys in the backup by a passphrase, which is asked for
    #[arg(long)]
    pub(crate) seal: bool,
    /// Seal them by the passphrase in the first line of this file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say whether a backup is whole, unchanged and of its domain
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 good, 7 not good, 9 cannot tell.

Examples:
  comityd verify /backup/comity-monday
  comityd verify /backup/comity-monday --json")]
pub(crate) struct Verify {
    /// The directory that `comityd backup` made
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make a data directory of a backup
///
/// The domain goes on from the moment of the backup: what other domains have seen since is asked of
/// them, devices begin anew, nothing is handed out twice. The node of the old directory must never run
/// again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd restore /backup/comity-monday --data /var/lib/comity
  comityd restore /backup/comity-monday --data /var/lib/comity --json")]
pub(crate) struct Restore {
    /// The directory that `comityd backup` made
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// A file whose first line is the passphrase of a backup whose keys are sealed
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Only if this is the fingerprint of its root key, as `init` and `verify` print it
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    pub(crate) fingerprint: Option<[u8; 32]>,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Gather what somebody who helps needs to see, without anything secret
///
/// Versions, configuration, findings, counts and metrics; no key, passphrase, invitation, account, room or
/// message.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd support-bundle acme-support.tar --data /var/lib/comity
  comityd support-bundle acme-support.tar --data /var/lib/comity --json")]
pub(crate) struct SupportBundle {
    /// The archive to make
    #[arg(value_name = "FILE")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What packages and shells need
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Util {
    Completion(UtilCompletion),
    Man(UtilMan),
}

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd util completion bash > /etc/bash_completion.d/comityd
  comityd util completion fish > comityd.fish")]
pub(crate) struct UtilCompletion {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
}

/// Write manual pages into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd util man man
  comityd util man /usr/local/share/man/man1")]
pub(crate) struct UtilMan {
    /// The directory; made if it is not there
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
}

/// Where the domain lives.
#[derive(Debug, clap::Args)]
pub(crate) struct Data {
    /// The data directory: configuration, keys, database, local socket
    #[arg(long = "data", value_name = "DIR", env = "COMITY_DATA")]
    pub(crate) directory: PathBuf,
}

/// Upper case and a final dot are forgiven.
fn domain(text: &str) -> Result<DomainName, String> {
    DomainName::from_input(text).map_err(|_| "a domain is a DNS name such as acme.example".to_owned())
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    text.parse().map_err(|_| "an endpoint is HOST:PORT, such as chat.acme.example:4433".to_owned())
}

/// Digits, with or without the gaps.
fn fingerprint(text: &str) -> Result<[u8; 32], String> {
    let digits: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
    let fingerprint = bytes.and_then(|bytes| bytes.try_into().ok());
    fingerprint.ok_or_else(|| "a fingerprint has 64 digits, 0 to 9 and a to f".to_owned())
}
