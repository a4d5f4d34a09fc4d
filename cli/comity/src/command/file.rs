//! `comity file`: files of a room, encrypted on the way and where they are kept.

mod get;
mod list;
mod put;

use client::{BlobId, Happening, Happenings, Transfer};

use crate::{
    context::Context,
    error::CliError,
    output::{Rate, size},
};

/// The verbs of files.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Send a file
    Put(put::Args),
    /// Fetch a file
    Get(get::Args),
    /// List the files of a room
    List(list::Args),
}

pub(crate) async fn run(context: &Context, verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Put(args) => put::run(context, args).await,
        Verb::Get(args) => get::run(context, args).await,
        Verb::List(args) => list::run(context, args).await,
    }
}

/// Waits for something, and shows how far the files are on the way; of one blob only, if it is known.
async fn watched<T>(
    context: &Context,
    mut happenings: Happenings,
    blob: Option<BlobId>,
    doing: impl Future<Output = T>,
) -> T {
    tokio::pin!(doing);
    let mut rate = Rate::default();
    let done = loop {
        tokio::select! {
            biased;
            done = &mut doing => break done,
            happening = happenings.next() => match happening {
                Some(Happening::Transfer(step)) if blob.is_none_or(|blob| blob == step.blob) => {
                    show(context, &mut rate, &step);
                }
                Some(_) => {}
                None => break doing.await,
            },
        }
    };
    context.live("");
    done
}

fn show(context: &Context, rate: &mut Rate, step: &Transfer) {
    let speed = rate.at(step.done).map(|bytes| format!("  {}/s", size(bytes))).unwrap_or_default();
    let percent = step.done.saturating_mul(100) / step.total.max(1);
    let way = if step.upload { "sending" } else { "fetching" };
    context.live(&format!("{way} {} of {} ({percent} %){speed}", size(step.done), size(step.total)));
}
