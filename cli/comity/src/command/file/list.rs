//! `comity file list`: the files of a room, the newest last.

use client::{Client, Cursor, Message, MessageBody, RoomId};

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{FileShown, List, Row},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("The newest files of a room", "comity file list \"#ops\""),
    Example("For a script", "comity file list bob@umbrella.test --json=seq,name,size"),
];

/// Messages that are asked for at once.
const PAGE: u32 = 200;

/// List the files of a room
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// Only files before this seq
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    before: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(<FileShown as Row>::FIELDS)?;
    let files = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?.id;
        files(client, room, args.before, args.limit as usize).await
    })
    .await?;
    let rows = files.into_iter().filter_map(FileShown::of).collect();
    context.list(&List { rows, empty: "There are no files: comity file put ROOM PATH" })
}

async fn files(
    client: &Client,
    room: RoomId,
    mut before: Option<u64>,
    limit: usize,
) -> Result<Vec<Message>, CliError> {
    let mut files: Vec<Message> = Vec::new();
    loop {
        let cursor = Cursor { before, after: None, limit: PAGE };
        let page = client.messages(room, cursor).await;
        let page = page.map_err(|error| device::failed("cannot read the room", error))?;
        let first = page.messages.iter().map(|message| message.seq).filter(|seq| *seq > 0).min();
        let newest_first = page.messages.into_iter().rev();
        files.extend(newest_first.filter(|message| matches!(message.body, MessageBody::File(_))));
        match first {
            Some(first) if page.older && files.len() < limit => before = Some(first),
            _ => break,
        }
    }
    files.truncate(limit);
    files.reverse();
    Ok(files)
}
