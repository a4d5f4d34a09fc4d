//! `comity message receipts`.

use client::{Level, Receipt};

use super::target::Target;
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, level},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who has it, and who has read it", "comity message receipts \"#ops\" @3"),
    Example("For a script", "comity message receipts \"#ops\" @3 --json=account,level"),
];

/// List who has a message and who has read it
///
/// `ordered`: nothing was heard of this member's domain; `stored`: its domain has it; `delivered`
/// and `read`: a device of the member says so. Members that came later are left out.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
}

/// How far a message is with one member.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    level: Level,
}

impl Row for Shown {
    const FIELDS: &'static [&'static str] = &["account", "level"];
    const COLUMNS: &'static [&'static str] = &["ACCOUNT", "LEVEL"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        let label = if self.level >= Level::Delivered { Label::Good } else { Label::Dim };
        vec![(Label::Account, self.account.clone()), (label, level(self.level).to_owned())]
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let (sender, receipts) = device::with(context, async |client| {
        let (room, message) = args.target.find(context, client).await?;
        let receipts = match message.seq {
            0 => Vec::new(),
            seq => client
                .receipts(room.id, seq)
                .await
                .map_err(|error| device::failed("cannot look at the receipts", error))?,
        };
        Ok((message.sender, receipts))
    })
    .await?;
    let others = receipts.into_iter().filter(|receipt| Some(&receipt.account) != sender.as_ref());
    let rows = others.map(|Receipt { account, level }| Shown { account: account.to_string(), level });
    context.list(&List { rows: rows.collect(), empty: "Nobody else was in the room." })
}
