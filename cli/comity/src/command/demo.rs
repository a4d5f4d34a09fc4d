//! `comity demo`.

use crate::{context::Context, error::CliError};

/// Watch two organisations chat on this machine
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Context, _: Args) -> Result<(), CliError> {
    Err(CliError::bug("not built"))
}
