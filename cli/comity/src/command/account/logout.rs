//! `comity account logout`.

use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Asks first", "comity account logout"),
    Example("Keep what can be read, then go", "comity account export --output me.jsonl"),
];

/// Delete this device with its keys and messages
///
/// The account key lives on this device alone: without it the account can only be used again with
/// new keys, after your administrator has invited you anew, and everybody who knows you will be
/// asked to compare them. End `comity watch` and `comity bot` first.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// A device that is gone.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    directory: String,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "directory"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&format!(
            "{} is no longer logged in on this machine",
            paper.paint(Label::Account, &self.account)
        ));
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let directory = context.profile()?;
    let account = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !args.yes {
        if !context.can_prompt() {
            return Err(CliError::usage(format!("this deletes the keys and messages of {account}"))
                .hint("add --yes if that is meant; comity account export keeps what can be read"));
        }
        let question = format!("Delete the keys and messages of {account} on this machine, for good?");
        if !context.agrees(&question).await? {
            return Err(CliError::failed("nothing was deleted"));
        }
    }
    client::logout(&directory).await.map_err(|error| match error {
        client::ClientError::Owner(_) => {
            CliError::found_by_verb(format!("{account} is in use"), client::ErrorCode::Conflict)
                .hint("end the programs that use it first, such as comity watch")
        }
        other => device::failed("cannot log out", other),
    })?;
    context.show(&Shown { account, directory: directory.display().to_string() })
}
