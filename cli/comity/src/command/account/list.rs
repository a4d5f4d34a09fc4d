//! `comity account list`.

use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who is logged in here?", "comity account list"),
    Example("A command for each of them", "comity account list --json=account"),
];

/// List the accounts that are logged in on this machine
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

/// An account.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    directory: String,
}

impl Row for Shown {
    const FIELDS: &'static [&'static str] = &["account", "directory"];
    const COLUMNS: &'static [&'static str] = &["ACCOUNT", "DIRECTORY"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        vec![(Label::Account, self.account.clone()), (Label::Dim, self.directory.clone())]
    }
}

pub(super) fn run(context: &Context, Args {}: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let shown = |(account, directory): (String, std::path::PathBuf)| Shown {
        account,
        directory: directory.display().to_string(),
    };
    let rows = context.profiles()?.into_iter().map(shown).collect();
    context.list(&List { rows, empty: "Nobody is logged in here: comity login ACCOUNT" })
}
