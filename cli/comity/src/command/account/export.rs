//! `comity account export`: what can be read on this device, one JSON object to a line. Keys and the
//! state of the encryption are never among it (rule R5).

use std::path::PathBuf;

use client::{Client, Cursor, Room, Standing};

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Fields, Label, MessageShown, Paper, PersonShown, RoomShown, Show, room_label},
    private::Growing,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Into a file that only you can read", "comity account export --output me.jsonl"),
    Example("One room, to go on with", "comity account export --room \"#ops\""),
];

/// Messages that are read at once.
const PAGE: u32 = 200;
/// What a reader of the file must know how to read.
const FORMAT: u32 = 1;

/// Export everything that can be read on this device
///
/// One JSON object to a line: first `account`, then each `contact`, each `room`, and the `message`s
/// of the room with edits and reactions applied, oldest first. No keys: they are for no other place
/// than this device. Whoever has the file can read everything in it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Into this file (0600) instead of stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
    /// Only this room
    #[arg(long, value_name = "ROOM", value_parser = device::word)]
    room: Option<Word>,
}

/// A line of the export.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "lowercase", tag = "record")]
enum Record {
    Account { format: u32, account: String, device: String, exported: String },
    Contact { contact: PersonShown },
    Room { room: RoomShown },
    Message { message: MessageShown },
}

/// What was written to a file.
#[derive(Debug, Default, serde::Serialize)]
struct Shown {
    file: String,
    contacts: u64,
    rooms: u64,
    messages: u64,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["file", "contacts", "rooms", "messages"];

    fn show(&self, paper: &mut Paper) {
        paper.line(&format!(
            "{} messages of {} rooms are in {}",
            paper.paint(Label::Good, &self.messages.to_string()),
            self.rooms,
            self.file
        ));
    }
}

/// Where the lines go.
enum Sink<'a> {
    File(Growing),
    Stdout(&'a Context),
}

impl Sink<'_> {
    fn line(&mut self, record: &Record) -> Result<(), CliError> {
        match self {
            Self::File(file) => file.line(&Fields::default().line(record)?),
            Self::Stdout(context) => context.json_line(record),
        }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    let mut sink = match &args.output {
        Some(path) if path.exists() && !args.force => {
            return Err(CliError::found_by_verb(
                format!("{} is there already", path.display()),
                client::ErrorCode::Conflict,
            )
            .hint("choose another file, or add --force"));
        }
        Some(path) => {
            context.check_fields(Shown::FIELDS)?;
            Sink::File(Growing::begin(path)?)
        }
        None => {
            context.check_fields(&[
                "record", "format", "account", "device", "exported", "contact", "room", "message",
            ])?;
            Sink::Stdout(context)
        }
    };
    let mut shown = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        everything(client, &args, &mut sink).await
    })
    .await?;
    if let (Sink::File(file), Some(path)) = (sink, args.output) {
        file.finish()?;
        shown.file = path.display().to_string();
        context.show(&shown)?;
    }
    Ok(())
}

async fn everything(client: &Client, args: &Args, sink: &mut Sink<'_>) -> Result<Shown, CliError> {
    let broken = |error| device::failed("cannot read the device", error);
    let status = client.status().await.map_err(broken)?;
    let mut shown = Shown::default();
    sink.line(&Record::Account {
        format: FORMAT,
        account: status.account.to_string(),
        device: status.device.to_string(),
        exported: crate::output::rfc3339(crate::context::now_ms()),
    })?;
    let rooms = match &args.room {
        Some(word) => vec![device::find_joined(client, word).await?],
        None => {
            for person in client.people().await.map_err(broken)? {
                sink.line(&Record::Contact { contact: PersonShown::from(person) })?;
                shown.contacts += 1;
            }
            let rooms = client.rooms().await.map_err(broken)?;
            rooms.into_iter().filter(|room| room.standing != Standing::Invited).collect()
        }
    };
    for room in rooms {
        shown.rooms += 1;
        shown.messages += export(client, &room, sink).await?;
    }
    Ok(shown)
}

/// A room and its messages, page by page; how many there were.
async fn export(client: &Client, room: &Room, sink: &mut Sink<'_>) -> Result<u64, CliError> {
    sink.line(&Record::Room { room: RoomShown::from(room.clone()) })?;
    let (label, mut after, mut count) = (room_label(room), 0, 0);
    loop {
        let cursor = Cursor { after: Some(after), before: None, limit: PAGE };
        let page = client
            .messages(room.id, cursor)
            .await
            .map_err(|error| device::failed("cannot read the room", error))?;
        for message in page.messages {
            sink.line(&Record::Message { message: MessageShown::new(message, &label) })?;
            count += 1;
        }
        match page.span {
            Some((_, last)) if page.newer => after = last,
            _ => return Ok(count),
        }
    }
}
