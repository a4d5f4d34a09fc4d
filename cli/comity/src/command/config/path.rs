//! `comity config path`.

use super::path_of;
use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[Example("To open it in an editor", "comity config path")];

/// Print where the file is
///
/// COMITY_CONFIG if it is set; else `config.toml` in COMITY_HOME if that is set; else in
/// ~/.config/comity. It need not exist.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

/// Where the settings are.
#[derive(Debug, serde::Serialize)]
struct Shown {
    path: String,
    exists: bool,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["path", "exists"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&self.path);
    }
}

pub(super) fn run(context: &Context, Args {}: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let path = path_of(context)?;
    context.show(&Shown { path: path.display().to_string(), exists: path.exists() })
}
