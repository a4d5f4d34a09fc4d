//! `comity read`: what was said, and tells the others that it was read.

use client::{Client, Cursor, Room, Standing};

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Label, MessageAlone, MessageShown, room_label, short},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Everything unread, of all rooms", "comity read --unread"),
    Example("The newest messages of one room", "comity read bob@umbrella.test"),
    Example("For a script, without telling anybody", "comity read \"#ops\" --keep-unread --json=sender,text"),
];

/// Read messages and mark them as read
///
/// Without a room: all rooms with something unread.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Option<Word>,
    /// Only what is unread
    #[arg(long)]
    unread: bool,
    /// Leave it unread, and tell nobody
    #[arg(long)]
    keep_unread: bool,
    /// At most so many messages of a room
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

/// The messages of one room, to be shown one by one.
struct Part {
    room: Room,
    messages: Vec<MessageAlone>,
    /// Unread ones before those, which are not shown.
    older: usize,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(MessageShown::FIELDS)?;
    device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let parts = parts(client, &args).await?;
        if parts.iter().all(|part| part.messages.is_empty()) {
            context.status("Nothing unread.");
        }
        for part in &parts {
            show(context, part, parts.len() > 1 || args.room.is_none())?;
            if part.older > 0 {
                let more = if part.older < 200 { "" } else { " or more" };
                context.status(&format!(
                    "{}{more} older ones are unread; nothing was marked as read",
                    part.older
                ));
                context.hint(&format!("comity read {} --unread", short(&part.room.id)));
            } else if !args.keep_unread {
                mark(client, part).await?;
            }
        }
        invitations(context, client).await
    })
    .await
}

async fn parts(client: &Client, args: &Args) -> Result<Vec<Part>, CliError> {
    let rooms = match &args.room {
        Some(word) => vec![device::find_joined(client, word).await?],
        None => {
            let rooms =
                client.rooms().await.map_err(|error| device::failed("cannot list the rooms", error))?;
            rooms.into_iter().filter(|room| room.unread > 0).collect()
        }
    };
    let mut parts = Vec::new();
    for room in rooms {
        let unread_only = args.unread || args.room.is_none();
        let page = match unread_only {
            true => {
                let cursor = Cursor { after: Some(room.read_seq), before: None, limit: args.limit };
                client.messages_that(room.id, cursor, |message| !message.own).await
            }
            false => client.messages(room.id, Cursor { limit: args.limit, ..Cursor::default() }).await,
        };
        let page = page.map_err(|error| device::failed("cannot read the room", error))?;
        let older = match page.messages.first() {
            Some(first) if !unread_only => older_unread(client, &room, first.seq).await?,
            _ => 0,
        };
        let label = room_label(&room);
        let messages = page
            .messages
            .into_iter()
            .map(|message| MessageAlone(MessageShown::new(message, &label)))
            .collect();
        parts.push(Part { room, messages, older });
    }
    Ok(parts)
}

/// How many unread messages of others are older than what is shown, as far as one cares to count.
async fn older_unread(client: &Client, room: &Room, first: u64) -> Result<usize, CliError> {
    let cursor = Cursor { after: Some(room.read_seq), before: Some(first), limit: 200 };
    if first <= room.read_seq.saturating_add(1) {
        return Ok(0);
    }
    let page = client.messages_that(room.id, cursor, |message| !message.own && message.seq < first).await;
    page.map(|page| page.messages.len()).map_err(|error| device::failed("cannot read the room", error))
}

fn show(context: &Context, part: &Part, with_heading: bool) -> Result<(), CliError> {
    if with_heading && context.terminal() && !context.is_json() {
        let label = context.style().paint(Label::Heading, &room_label(&part.room));
        context.status(&format!("{label} {}", short(&part.room.id)));
    }
    part.messages.iter().try_for_each(|message| context.show(message))
}

/// Everything that was shown has been read.
async fn mark(client: &Client, part: &Part) -> Result<(), CliError> {
    let newest = part.messages.iter().map(|message| message.0.seq).max().unwrap_or(0);
    if part.room.standing == Standing::Member && newest > part.room.read_seq {
        let marked = client.mark_read(part.room.id, newest);
        let marked = tokio::time::timeout(std::time::Duration::from_secs(5), marked).await;
        marked.unwrap_or(Ok(())).map_err(|error| device::failed("cannot mark as read", error))?;
    }
    Ok(())
}

async fn invitations(context: &Context, client: &Client) -> Result<(), CliError> {
    let rooms = client.rooms().await.map_err(|error| device::failed("cannot list the rooms", error))?;
    for room in rooms.iter().filter(|room| room.standing == Standing::Invited) {
        let inviter = room.inviter.as_ref().map(ToString::to_string).unwrap_or_default();
        context.status(&format!("{inviter} invites you"));
        context.hint(&format!("comity room accept {}", short(&room.id)));
    }
    Ok(())
}
