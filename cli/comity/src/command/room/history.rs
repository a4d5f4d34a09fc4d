//! `comity room history`: what happened to a room, without what was said in it.

use client::{Cursor, Message, MessageBody};

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{MessageAlone, MessageShown, room_label, short},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who came, who went, who became an admin", "comity room history \"#ops\""),
    Example("For a script", "comity room history \"#ops\" --json=seq,time,sender,text"),
];

/// List how a room changed: who came, who went, roles and names
///
/// From the moment on in which this device came in; what was before is not told to it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// Only changes before this seq
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    before: Option<u64>,
    /// Only changes after this seq, the oldest of them first
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

const fn is_change(message: &Message) -> bool {
    matches!(message.body, MessageBody::Changed { .. } | MessageBody::Renamed { .. })
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(MessageShown::FIELDS)?;
    let (room, page) = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        let cursor = Cursor { before: args.before, after: args.after, limit: args.limit };
        let page = client
            .messages_that(room.id, cursor, is_change)
            .await
            .map_err(|error| device::failed("cannot read the room", error))?;
        Ok((room, page))
    })
    .await?;
    let label = room_label(&room);
    let (first, last) = (page.messages.first().map(|m| m.seq), page.messages.last().map(|m| m.seq));
    for message in page.messages {
        context.show(&MessageAlone(MessageShown::new(message, &label)))?;
    }
    let id = short(&room.id);
    if let (true, Some(first)) = (page.older, first) {
        context.hint(&format!("older: comity room history {id} --before {first}"));
    }
    if let (true, Some(last)) = (page.newer, last) {
        context.hint(&format!("newer: comity room history {id} --after {last}"));
    }
    Ok(())
}
