//! The command line. The comments of the fields are the help texts.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};
use wire::{DomainName, name::Endpoint};

use crate::logging::Format;

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
  COMITY_DATA=/var/lib/comity comityd run --log-format json")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) data: Data,
    /// The UDP address to listen on, instead of the configuration's; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", env = "COMITY_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// How to write the log on stderr
    #[arg(long, value_name = "FORMAT", env = "COMITY_LOG_FORMAT")]
    pub(crate) log_format: Option<Format>,
    /// What to log: error, warn, info, debug or trace, also by part (net=debug)
    #[arg(long, value_name = "LEVEL", env = "COMITY_LOG")]
    pub(crate) log_level: Option<String>,
}

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
