//! `comity bot`: programs that take part in rooms. A node cannot read what is said, so a bot is a
//! device like any other, and these verbs run beside it.

mod hook;
mod run;

use crate::{context::Context, error::CliError};

/// The verbs of bots.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    Run(run::Args),
    Hook(hook::Args),
}

/// The text that a report on this path would post; `event` is the header of a GitHub webhook.
pub(crate) fn posted(path: &str, event: Option<&str>, body: &[u8]) -> Option<String> {
    hook::posted(path, event, body)
}

/// Whether a line of a program is an action.
pub(crate) fn is_action(line: &str) -> bool {
    run::is_action(line)
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Run(args) => run::run(context, args).await,
        Verb::Hook(args) => hook::run(context, args).await,
    }
}
