//! `comity config set`.

use super::{get::Shown, key, path_of};
use crate::{
    config::{self, Key, Origin},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::Show as _,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Wait at most ten seconds", "comity config set timeout 10"),
    Example("Who to be, if several are logged in", "comity config set account alice@acme.test"),
    Example("Another colour", "comity config set theme.account bright-cyan"),
];

/// Write a setting to the file
///
/// Every other line of the file stays as it is, comments too.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which, as `comity config list` names it
    #[arg(value_parser = key)]
    key: &'static Key,
    /// Its value
    value: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let (key, value) = (args.key, args.value.as_str());
    if !(key.usable)(value) {
        return Err(CliError::usage(format!(
            "`{}` is not usable for {}",
            crate::output::line(value),
            key.name
        ))
        .hint(format!("it must be {}", key.looks_like)));
    }
    config::set(path_of(context)?, key, value)?;
    if let origin @ (Origin::Option | Origin::Variable(_)) = context.settings().origin(key.name) {
        let who = match origin {
            Origin::Variable(name) => name,
            _ => key.option,
        };
        context.warn(&format!("{who} says something else, and wins while it does"));
    }
    context.show(&Shown { key: key.name, value: value.to_owned() })
}
