//! `comity room role`.

use super::changed::{Needs, Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Admins add, remove and promote", "comity room role \"#ops\" bob@umbrella.test admin")];

/// Make an account of a group an admin or a member
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// Whose role
    #[arg(value_parser = device::account)]
    account: client::Account,
    /// Which role
    role: Role,
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
            return Ok(Shown::planned(Some(&room), "changed", &[]));
        }
        device::within(
            client,
            "cannot change the role",
            context.timeout(args.patience.timeout),
            client.set_admin(room.id, &args.account, args.role == Role::Admin),
        )
        .await?;
        Ok(Shown::plain(&room.id, "changed"))
    })
    .await?;
    context.show(&shown)
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// May add, remove and promote
    Admin,
    /// May read and write
    Member,
}
