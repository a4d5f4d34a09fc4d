//! `comity config`: the settings of this person.

mod check;
mod get;
mod list;
mod path;
mod set;
mod template;
mod unset;

use crate::{
    config::{self, Key},
    context::Context,
    error::CliError,
};

/// The verbs of the settings.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    List(list::Args),
    Get(get::Args),
    Set(set::Args),
    Unset(unset::Args),
    Path(path::Args),
    Template(template::Args),
    Check(check::Args),
}

pub(crate) fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::List(args) => list::run(context, args),
        Verb::Get(args) => get::run(context, &args),
        Verb::Set(args) => set::run(context, &args),
        Verb::Unset(args) => unset::run(context, &args),
        Verb::Path(args) => path::run(context, args),
        Verb::Template(args) => template::run(context, args),
        Verb::Check(args) => check::run(context, args),
    }
}

/// The key that was typed.
///
/// # Errors
/// A sentence with the nearest one that there is.
fn key(text: &str) -> Result<&'static Key, String> {
    config::find(text).ok_or_else(|| config::unknown(text))
}

/// Where the file is.
///
/// # Errors
/// Usage if there is no place for it.
fn path_of(context: &Context) -> Result<&std::path::Path, CliError> {
    context.settings().path().map(std::path::PathBuf::as_path).ok_or_else(|| {
        CliError::usage("there is no place for settings").hint("set COMITY_CONFIG to a file of your own")
    })
}
