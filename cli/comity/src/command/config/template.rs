//! `comity config template`.

use crate::{
    config,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("A file to begin with", "comity config template > config.toml")];

/// Print a file that explains every setting
///
/// All of it is comments, so it changes nothing until something is uncommented.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

/// The text of the file.
#[derive(Debug, serde::Serialize)]
struct Shown {
    template: String,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["template"];

    fn show(&self, paper: &mut Paper) {
        paper.line(self.template.trim_end());
    }
}

pub(super) fn run(context: &Context, Args {}: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    context.show(&Shown { template: config::template() })
}
