//! The command line as a whole: the options before all verbs and the tree of verbs, most used
//! first. What belongs to one verb stands in the file of that verb.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::command;

/// Chat across organisations, end-to-end encrypted
///
/// `comity` is what a person types: everyday verbs stand alone (`comity send`), everything else
/// is NOUN VERB (`comity room invite`). Results go to stdout, everything else to stderr.
/// `comity util exit-codes` lists what the exit code says.
#[derive(Debug, Parser)]
#[command(name = "comity", version, max_term_width = 100)]
pub(crate) struct Args {
    /// What stands before all verbs
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options before all verbs.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct Global {
    /// Print JSON, one object to a line; --json=a,b picks fields
    #[arg(long, global = true, value_name = "FIELDS", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) json: Option<String>,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Act as this account, if several are logged in [env: COMITY_AS]
    #[arg(id = "as", long = "as", global = true, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Where the devices of this person live [env: COMITY_HOME]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// The passphrase of the device is the first line of this file; `-` is stdin [env: COMITY_PASSPHRASE_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// When to colour [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub(crate) color: Option<Colour>,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// All verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Send(command::send::Args),
    Read(command::read::Args),
    Watch(command::watch::Args),
    Pub(command::publish::Args),
    Sub(command::subscribe::Args),
    Tui(command::tui::Args),
    Status(command::status::Args),
    Verify(command::contact::verify::Args),
    Login(command::login::Args),
    /// Your account's device on this machine
    #[command(subcommand)]
    Account(command::account::Verb),
    /// Rooms and who is in them
    #[command(subcommand)]
    Room(command::room::Verb),
    /// Messages of a room, page by page
    #[command(subcommand)]
    Message(command::message::Verb),
    /// Files of a room, encrypted as messages are
    #[command(subcommand)]
    File(command::file::Verb),
    /// Whose keys are known, and comparing them
    #[command(subcommand)]
    Contact(command::contact::Verb),
    /// Programs that take part in rooms
    #[command(subcommand)]
    Bot(command::bot::Verb),
    /// Settings of this person
    #[command(subcommand)]
    Config(command::config::Verb),
    /// Administer the domains that a node federates with
    #[command(subcommand)]
    Peer(command::peer::Verb),
    /// Administer the accounts of a node
    #[command(subcommand)]
    User(command::user::Verb),
    /// Show, check and publish a node's domain
    #[command(subcommand)]
    Domain(command::domain::Verb),
    /// How a node is doing, and what was done to it
    #[command(subcommand)]
    Report(command::report::Verb),
    Demo(command::demo::Args),
    /// Shell completion and reference tables
    #[command(subcommand)]
    Util(command::reference::Verb),
}
