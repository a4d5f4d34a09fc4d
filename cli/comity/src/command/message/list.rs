//! `comity message list`: one page of a room's messages; cursors are seqs.

use client::Cursor;

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{MessageAlone, MessageShown, room_label, short},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("The newest page", "comity message list \"#ops\""),
    Example("The page before it", "comity message list \"#ops\" --before 120 --limit 50"),
    Example("Follow a room from a script", "comity message list \"#ops\" --after 120 --json=seq,sender,text"),
];

/// List messages of a room, the newest page first
///
/// Nothing is marked as read.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// Only messages before this seq
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    before: Option<u64>,
    /// Only messages after this seq, the oldest of them first
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(MessageShown::FIELDS)?;
    let (room, page) = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        let cursor = Cursor { before: args.before, after: args.after, limit: args.limit };
        let page = client
            .messages(room.id, cursor)
            .await
            .map_err(|error| device::failed("cannot read the room", error))?;
        Ok((room, page))
    })
    .await?;
    let label = room_label(&room);
    let mut ordered = page.messages.iter().map(|message| message.seq).filter(|seq| *seq > 0);
    let (first, last) = (ordered.clone().min(), ordered.by_ref().max());
    for message in page.messages {
        context.show(&MessageAlone(MessageShown::new(message, &label)))?;
    }
    let id = short(&room.id);
    if let (true, Some(first)) = (page.older, first) {
        context.hint(&format!("older: comity message list {id} --before {first}"));
    }
    if let (true, Some(last)) = (page.newer, last) {
        context.hint(&format!("newer: comity message list {id} --after {last}"));
    }
    Ok(())
}
