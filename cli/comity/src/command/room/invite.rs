//! `comity room invite`.

use client::Account;

use super::changed::{Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Add somebody of another organisation", "comity room invite \"#ops\" bob@umbrella.test")];

/// Add accounts to a group
///
/// They see what is said from then on. Across organisations the other person is asked first.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// Whom
    #[arg(value_name = "ACCOUNT", required = true, value_parser = device::account)]
    accounts: Vec<Account>,
    #[command(flatten)]
    patience: Patience,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let changed = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        device::within("cannot invite", args.patience.timeout, client.invite(room, &args.accounts)).await
    })
    .await?;
    let nobody = changed.added.is_empty() && !changed.refused.is_empty();
    context.show(&Shown::of(changed, if nobody { "unchanged" } else { "invited" }))?;
    if nobody {
        return Err(CliError::wire("nobody was added", client::ErrorCode::Policy.into()));
    }
    Ok(())
}
