//! `comity domain`: what a node's domain says about itself. For its administrator.

mod show;

use crate::{context::Context, error::CliError};

/// The verbs of a domain.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Show(show::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Show(args) => show::run(context, args).await,
    }
}
