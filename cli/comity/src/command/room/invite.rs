//! `comity room invite`.

use client::{Account, Room};

use super::changed::{Needs, Patience, Shown};
use crate::{
    context::Context,
    device::{self, Word, reach},
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
    let nobody = changed.added.is_empty();
    Shown::of(changed, if nobody { UNCHANGED } else { "invited" })
}

/// Those that are not in the room: whoever declined may be asked again.
fn outside(room: &Room, accounts: &[Account]) -> Vec<Account> {
    let is_in =
        |account: &Account| room.members.iter().any(|member| member.account == *account && !member.declined);
    accounts.iter().filter(|account| !is_in(account)).cloned().collect()
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let (shown, refused) = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        if args.patience.dry_run {
            Needs::Admin.check(client, &room).await?;
        }
        let accounts = outside(&room, &args.accounts);
        let done = if accounts.is_empty() { UNCHANGED } else { "invited" };
        if args.patience.dry_run {
            return Ok((Shown::planned(Some(&room), done, &accounts), None));
        }
        if accounts.is_empty() {
            return Ok((Shown::plain(&room.id, UNCHANGED), None));
        }
        let inviting = client.invite(room.id, &accounts);
        let inviting =
            device::within(client, "cannot invite", context.timeout(args.patience.timeout), inviting);
        let mut shown = match (inviting.await, accounts.as_slice()) {
            (Ok(changed), _) => invited(changed),
            (Err(error), [account]) => return Err(reach::explain(client, account, error).await),
            (Err(error), _) => return Err(error),
        };
        let refused = shown.explain(client).await;
        Ok((shown, refused))
    })
    .await?;
    let nobody = shown.done == UNCHANGED;
    context.show(&shown)?;
    match refused {
        Some(error) if nobody => Err(error),
        _ => Ok(()),
    }
}
