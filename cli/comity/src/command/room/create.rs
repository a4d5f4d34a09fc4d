//! `comity room create`.

use client::Account;

use super::changed::{Patience, Shown};
use crate::{
    bounds,
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::Show,
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("A group across organisations", "comity room create ops bob@umbrella.test carol@acme.test")];

/// Make a group
///
/// Its name is encrypted like everything that is said in it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Its name
    name: String,
    /// Whom to invite
    #[arg(value_name = "ACCOUNT", value_parser = device::account)]
    accounts: Vec<Account>,
    #[command(flatten)]
    patience: Patience,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let name = args.name.trim_start_matches('#').trim();
    bounds::room_name("cannot make the room", name)?;
    if name.is_empty() {
        return Err(CliError::usage(format!("a name has 1 to {} bytes", wire::limits::ROOM_NAME_BYTES_MAX)));
    }
    if args.patience.dry_run {
        return context.show(&Shown::planned(None, "created", &args.accounts));
    }
    let shown = device::with(context, async |client| {
        let creating = client.create_room(name, &args.accounts);
        let changed =
            device::within(client, "cannot make the room", context.timeout(args.patience.timeout), creating)
                .await?;
        let mut shown = Shown::of(changed, "created");
        // The room is there all the same.
        let _ = shown.explain(client).await;
        Ok(shown)
    })
    .await?;
    context.show(&shown)
}
