//! `comity contact list`.

use super::people;
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{List, PersonShown, Row},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Whose keys are known, those that changed first", "comity contact list"),
    Example("For a script", "comity contact list --json=account,state,fingerprint"),
];

/// List whose keys are known, and whether they were compared
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

pub(super) async fn run(context: &Context, Args {}: Args) -> Result<(), CliError> {
    context.check_fields(<PersonShown as Row>::FIELDS)?;
    let people = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        people(client).await
    })
    .await?;
    let rows = people.into_iter().map(PersonShown::from).collect();
    context.list(&List { rows, empty: "No keys are known yet: comity send ACCOUNT \"hello\"" })
}
