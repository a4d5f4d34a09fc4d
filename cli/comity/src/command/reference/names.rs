//! `comity util names`: what a shell may complete, as fast as it can be had: nothing is fetched, and
//! whatever is wrong is the business of the command that is being typed.

use std::{collections::BTreeSet, time::Duration};

use client::{Client, Standing};
use tokio::time::timeout;

use crate::{
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, line},
};

pub(crate) const EXAMPLES: &[Example] = &[Example("Rooms and accounts", "comity util names")];

/// Whoever waits for a completion does not wait longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Print the names of rooms and accounts, for completion
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

/// A name.
#[derive(Debug, serde::Serialize)]
struct Shown {
    name: String,
}

impl Row for Shown {
    const FIELDS: &'static [&'static str] = &["name"];
    const COLUMNS: &'static [&'static str] = &["NAME"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        vec![(Label::Account, self.name.clone())]
    }
}

pub(super) async fn run(context: &Context, Args {}: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let Ok(dir) = context.profile() else { return Ok(()) };
    let names = timeout(PATIENCE, async {
        // What is not sealed is sealed by a verb that can say so.
        client::protection(&dir).ok()?;
        let client = Client::open(&dir).await.ok()?;
        let names = gather(&client).await;
        client.close().await;
        names
    });
    let names = names.await.ok().flatten().unwrap_or_default();
    let rows = names.into_iter().map(|name| Shown { name }).collect();
    context.list(&List { rows, empty: "" })
}

async fn gather(client: &Client) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for room in client.rooms().await.ok()?.iter().filter(|room| room.standing != Standing::Left) {
        // A name that is not plain could be completed and not be meant.
        if !room.name.is_empty() && line(&room.name) == room.name {
            names.insert(format!("#{}", room.name));
        }
        names.extend(room.peer.iter().map(ToString::to_string));
    }
    names.extend(client.people().await.ok()?.iter().map(|person| person.account.to_string()));
    Some(names)
}
