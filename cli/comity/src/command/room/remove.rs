//! `comity room remove`.

use super::changed::{Needs, Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Show, room_label, short},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("It reads nothing that is said later", "comity room remove \"#ops\" bob@umbrella.test")];

/// Remove an account from a group
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
            Needs::Admin.check(client, &room).await?;
        }
        if !room.members.iter().any(|member| member.account == args.account) {
            let label = room_label(&room);
            return Err(CliError::not_found(format!("{} is not in {label}", args.account))
                .hint(format!("comity room show {}", short(&room.id))));
        }
        if args.patience.dry_run {
            return Ok(Shown::planned(Some(&room), "removed", &[]));
        }
        device::within(
            client,
            "cannot remove",
            context.timeout(args.patience.timeout),
            client.remove(room.id, &args.account),
        )
        .await?;
        Ok(Shown::plain(&room.id, "removed"))
    })
    .await?;
    context.show(&shown)
}
