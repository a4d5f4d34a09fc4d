//! `comity config get`.

use super::key;
use crate::{
    config::Key,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show, line},
};

pub(crate) const EXAMPLES: &[Example] = &[Example("What holds", "comity config get timeout")];

/// Print the value of a setting
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which, as `comity config list` names it
    #[arg(value_parser = key)]
    key: &'static Key,
}

/// A setting.
#[derive(Debug, serde::Serialize)]
pub(super) struct Shown {
    pub(super) key: &'static str,
    pub(super) value: String,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["key", "value"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&line(&self.value));
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    context.check_settings()?;
    let name = args.key.name;
    context.show(&Shown { key: name, value: context.settings().get(name).to_owned() })
}
