//! `comity config unset`.

use super::{get::Shown, key, path_of};
use crate::{
    config::{self, Key},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::Show as _,
};

pub(crate) const EXAMPLES: &[Example] = &[Example("As if never set", "comity config unset timeout")];

/// Take a setting out of the file
///
/// What holds then is the default, unless a variable says something.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which, as `comity config list` names it
    #[arg(value_parser = key)]
    key: &'static Key,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let path = path_of(context)?;
    if !config::unset(path, args.key)? {
        return Err(CliError::not_found(format!("{} is not set in {}", args.key.name, path.display()))
            .hint("comity config list"));
    }
    context.show(&Shown { key: args.key.name, value: args.key.default.to_owned() })
}
