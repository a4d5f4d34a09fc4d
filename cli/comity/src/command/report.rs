//! `comity report`: how a node is doing and what was done to it. For its administrator.

mod audit;
mod health;
mod quarantine;
mod usage;

use crate::{context::Context, error::CliError};

/// The reports.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Health(health::Args),
    Usage(usage::Args),
    Audit(audit::Args),
    Quarantine(quarantine::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Health(args) => health::run(context, args).await,
        Verb::Usage(args) => usage::run(context, args).await,
        Verb::Audit(args) => audit::run(context, args).await,
        Verb::Quarantine(args) => quarantine::run(context, args).await,
    }
}
