//! The verbs: one file each, with its arguments, its examples and what it does. Adding one: copy
//! `command/room/rename.rs`, add it to its noun, accept the reference (cli/README.md).

pub(crate) mod account;
pub(crate) mod bot;
pub(crate) mod config;
pub(crate) mod contact;
mod delivery;
pub(crate) mod demo;
pub(crate) mod domain;
pub(crate) mod file;
pub(crate) mod login;
pub(crate) mod message;
mod page;
pub(crate) mod peer;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod reference;
pub(crate) mod report;
pub(crate) mod room;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod subscribe;
mod text;
pub(crate) mod tui;
pub(crate) mod user;
pub(crate) mod watch;

use crate::{args::Command, context::Context, error::CliError};

/// Runs one verb.
///
/// # Errors
/// Why it failed.
pub(crate) async fn run(context: &Context, command: Command) -> Result<(), CliError> {
    if !matches!(command, Command::Config(_) | Command::Util(_)) {
        context.check_settings()?;
    }
    match command {
        Command::Config(verb) => config::run(context, verb),
        Command::Bot(verb) => bot::run(context, verb).await,
        Command::Send(args) => send::run(context, args).await,
        Command::Read(args) => read::run(context, args).await,
        Command::Watch(args) => watch::run(context, args).await,
        Command::Pub(args) => publish::run(context, args).await,
        Command::Sub(args) => subscribe::run(context, args).await,
        Command::Tui(args) => tui::run(context, args).await,
        Command::Status(args) => status::run(context, args).await,
        Command::Verify(args) => contact::verify::run(context, args).await,
        Command::Login(args) => login::run(context, args).await,
        Command::Account(verb) => account::run(context, verb).await,
        Command::Room(verb) => room::run(context, verb).await,
        Command::Message(verb) => message::run(context, verb).await,
        Command::File(verb) => file::run(context, verb).await,
        Command::Contact(verb) => contact::run(context, verb).await,
        Command::Peer(verb) => peer::run(context, verb).await,
        Command::User(verb) => user::run(context, verb).await,
        Command::Domain(verb) => domain::run(context, verb).await,
        Command::Report(verb) => report::run(context, verb).await,
        Command::Demo(args) => demo::run(context, args).await,
        Command::Util(verb) => reference::run(context, verb).await,
    }
}
