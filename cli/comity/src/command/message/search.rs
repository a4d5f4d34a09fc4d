//! `comity message search`: looks through what this device has. No node is asked: none can read it.

use client::{Account, Query};

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{MessageShown, SearchHit, room_label, short},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("In all rooms, all of these words", "comity message search build green"),
    Example("What bob wrote in one room", "comity message search --room \"#ops\" --from bob@umbrella.test"),
    Example("For a script", "comity message search build --json=room,seq,sender,text"),
];

/// Search messages on this device by words
///
/// Every word must stand in the text, in upper or lower case. Edits count, what was taken back
/// does not. Shown are the newest that fit, the oldest of them first.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Words that stand in the text
    #[arg(value_name = "WORD", required_unless_present = "from")]
    words: Vec<String>,
    /// Only in this room
    #[arg(long, value_name = "ROOM", value_parser = device::word)]
    room: Option<Word>,
    /// Only by this account
    #[arg(long, value_name = "ACCOUNT", value_parser = device::account)]
    from: Option<Account>,
    /// Only messages before this seq of the room
    #[arg(long, value_name = "SEQ", requires = "room", value_parser = clap::value_parser!(u64).range(1..))]
    before: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(MessageShown::FIELDS)?;
    let (rooms, found) = device::with(context, async |client| {
        let room = match &args.room {
            Some(word) => Some(device::find_joined(client, word).await?.id),
            None => None,
        };
        let query = Query {
            room,
            words: args.words.clone(),
            from: args.from.clone(),
            before: args.before,
            limit: args.limit,
        };
        let found = client.search(&query).await.map_err(|error| device::failed("cannot search", error))?;
        let rooms = client.rooms().await.map_err(|error| device::failed("cannot list the rooms", error))?;
        Ok((rooms, found))
    })
    .await?;
    let full = found.len() == args.limit as usize;
    let first = found.first().map(|message| (message.room, message.seq));
    if found.is_empty() {
        context.status("Nothing found on this device.");
    }
    for message in found {
        let room = rooms.iter().find(|room| room.id == message.room);
        let label = room.map_or_else(|| short(&message.room), room_label);
        context.show(&SearchHit(MessageShown::new(message, &label)))?;
    }
    if let (true, Some((room, seq))) = (full && args.room.is_some(), first) {
        context.hint(&format!("older: the same with --room {} --before {seq}", short(&room)));
    }
    Ok(())
}
