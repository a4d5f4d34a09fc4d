//! `comity room invite`.

use client::Account;

use super::changed::{Needs, Patience, Shown};
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

/// What is said if nobody could be added.
const UNCHANGED: &str = "unchanged";

fn invited(changed: client::Changed) -> Shown {
    let nobody = changed.added.is_empty() && !changed.refused.is_empty();
    Shown::of(changed, if nobody { UNCHANGED } else { "invited" })
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let shown = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        if args.patience.dry_run {
            Needs::Admin.check(client, &room).await?;
            return Ok(Shown::planned(Some(&room), "invited", &args.accounts));
        }
        device::within(
            "cannot invite",
            context.timeout(args.patience.timeout),
            client.invite(room.id, &args.accounts),
        )
        .await
        .map(invited)
    })
    .await?;
    let nobody = shown.done == UNCHANGED;
    context.show(&shown)?;
    if nobody {
        return Err(CliError::wire("nobody was added", client::ErrorCode::Policy.into()));
    }
    Ok(())
}
