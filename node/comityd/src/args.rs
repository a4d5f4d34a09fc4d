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
    #[command(subcommand)]
    Config(Config),
    Renew(Renew),
}

/// Make the data directory of a new domain: configuration, keys, first domain document
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd init acme.example --data /var/lib/comity
  comityd init acme.example --data ./acme --listen 0.0.0.0:4433 --endpoint node.acme.example:4433")]
pub(crate) struct Init {
    /// The domain, a DNS name of your organisation; it cannot be changed later
    #[arg(value_parser = DomainName::from_input)]
    pub(crate) domain: DomainName,
    #[command(flatten)]
    pub(crate) data: Data,
    /// The UDP address to listen on
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:4433")]
    pub(crate) listen: SocketAddr,
    /// Where others reach this node; may be given several times, best first [default: DOMAIN:PORT]
    #[arg(long = "endpoint", value_name = "HOST:PORT")]
    pub(crate) endpoints: Vec<Endpoint>,
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
  comityd config template > comity.toml")]
pub(crate) struct ConfigTemplate {}

/// Say whether the data directory is in order; nothing is changed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 in order, 7 not in order, 9 cannot tell.

Examples:
  comityd check --data /var/lib/comity
  comityd check --data /var/lib/comity && systemctl restart comityd")]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) data: Data,
}

/// Issue a new domain document now, for example after the endpoints have changed
///
/// `comityd run` renews the document by itself long before it expires.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  comityd renew --data /var/lib/comity
  comityd renew --data /var/lib/comity --endpoint node2.acme.example:4433")]
pub(crate) struct Renew {
    #[command(flatten)]
    pub(crate) data: Data,
    /// New endpoints in place of those in the last document
    #[arg(long = "endpoint", value_name = "HOST:PORT")]
    pub(crate) endpoints: Vec<Endpoint>,
}

/// Where the domain lives.
#[derive(Debug, clap::Args)]
pub(crate) struct Data {
    /// The data directory: configuration, keys, database, local socket
    #[arg(long = "data", value_name = "DIR", env = "COMITY_DATA")]
    pub(crate) directory: PathBuf,
}
