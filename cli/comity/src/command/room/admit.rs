//! `comity room admit`.

use super::changed::{Needs, Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who is meant, and why nothing is sent", "comity room show \"#ops\""),
    Example("What waits in the room is sent", "comity room admit \"#ops\" carol@third.test"),
];

/// Send to an account whose keys could not be checked
///
/// Whoever is added to a group is checked by this device. If that is not possible, or fails, nothing is
/// sent in the group until it succeeds, an admin removes the account, or you say here that it may read
/// what you send. It stays marked.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// Whom
    #[arg(value_parser = device::account)]
    account: client::Account,
    #[command(flatten)]
    patience: Patience,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let shown = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        if args.patience.dry_run {
            Needs::Membership.check(client, &room).await?;
            return Ok(Shown::planned(Some(&room), "admitted", &[]));
        }
        let admitting = client.admit(room.id, &args.account);
        device::within(client, "cannot admit", context.timeout(args.patience.timeout), admitting).await?;
        Ok(Shown::plain(&room.id, "admitted"))
    })
    .await?;
    context.show(&shown)
}
