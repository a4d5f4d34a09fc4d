//! `comity bot run`: any program as a bot. It reads events as lines of JSON from stdin and writes
//! actions as lines of JSON to stdout; what it writes to stderr is shown.

mod action;
mod event;
mod program;

use std::{collections::BTreeSet, time::Duration};

use client::{Begin, Client, Happening, Next, RoomId, Standing, Tail};
use tokio::time::Instant;

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show},
};
use event::Event;
use program::{Ended, Program, Step};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("A bot in any language, in all rooms", "comity bot run -- ./bot.py"),
    Example("In one room, and it accepts invitations", "comity bot run --room \"#ops\" --accept -- ./bot.py"),
    Example("What it reads and writes, as JSON Schema", "comity bot run --schema"),
];

/// The format, as `--schema` prints it.
const SCHEMA: &str = include_str!("schema.json");
/// What the program is told about the format in its first event.
const PROTOCOL: u32 = 1;
/// The first wait before a program that failed is started again; doubled each time.
const BACKOFF: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// A program that ran for so long begins anew with the first wait.
const RAN_WELL: Duration = Duration::from_secs(60);

/// Run a program that reads events and writes actions
///
/// One JSON object to a line: events come on its stdin, what it writes to its stdout is done. Each
/// action may hold a `ref`, which comes back in `done` or `error`. A line that is no action is
/// answered by an `error` and ends nothing. A message counts as read once it is written to the
/// program, and the unread ones come first when it starts. If it fails it is started again, after
/// 1, 2, 4 seconds and so on; if it exits with 0, so does this command.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Only these rooms; all of them if left out
    #[arg(long = "room", value_name = "ROOM", value_parser = device::word)]
    rooms: Vec<Word>,
    /// Accept every invitation
    #[arg(long)]
    accept: bool,
    /// Begin with what comes from now on, not with what is unread
    #[arg(long)]
    from_now: bool,
    /// The program says by itself what is read, with the action `read`
    #[arg(long)]
    manual_read: bool,
    /// Start the program again at most so many times
    #[arg(long, value_name = "NUMBER")]
    restarts: Option<u32>,
    /// Print the format of events and actions as JSON Schema
    #[arg(long)]
    schema: bool,
    /// The program and its arguments
    #[arg(required_unless_present = "schema", num_args = 1.., trailing_var_arg = true, value_name = "CMD")]
    command: Vec<String>,
}

/// The format.
#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
struct Schema(serde_json::Value);

impl Show for Schema {
    const FIELDS: &'static [&'static str] = &["$schema", "title", "description", "$defs"];

    fn show(&self, paper: &mut Paper) {
        paper.line(SCHEMA.trim_end());
    }
}

/// Whether a line is an action.
pub(super) fn is_action(line: &str) -> bool {
    action::is_one(line)
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(if args.schema { Schema::FIELDS } else { &[] })?;
    if args.schema {
        let schema = serde_json::from_str(SCHEMA).map_err(|error| CliError::bug(error.to_string()))?;
        return context.show(&Schema(schema));
    }
    device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let mut rooms = BTreeSet::new();
        for word in &args.rooms {
            rooms.insert(device::find_joined(client, word).await?.id);
        }
        let rooms = (!rooms.is_empty()).then_some(rooms);
        let mut begin = if args.from_now { Begin::Now } else { Begin::Unread };
        let (mut wait, mut restarts) = (BACKOFF, 0);
        loop {
            let began = Instant::now();
            let mut tail = Tail::new(client, rooms.clone(), begin).await.map_err(broken)?;
            // What comes while it is not running is unread when it runs again.
            begin = Begin::Unread;
            let how = match once(client, &args, &mut tail).await? {
                Ended::Good => return Ok(()),
                Ended::Bad(how) => how,
            };
            if args.restarts.is_some_and(|most| restarts >= most) {
                return Err(CliError::failed(how).cause(format!("it was started {} times", restarts + 1)));
            }
            restarts += 1;
            if began.elapsed() > RAN_WELL {
                wait = BACKOFF;
            }
            context.warn(&format!("{how}; it is started again in {} s", wait.as_secs()));
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(BACKOFF_MAX);
        }
    })
    .await
}

fn broken(error: client::ClientError) -> CliError {
    device::failed("cannot follow the rooms", error)
}

/// Starts the program and serves it until it ends.
async fn once(client: &Client, args: &Args, tail: &mut Tail) -> Result<Ended, CliError> {
    let mut program = Program::start(&args.command, client, !args.manual_read)?;
    greet(client, args, &mut program).await?;
    let ended = loop {
        tokio::select! {
            step = program.next() => match step {
                Step::Line(line) => answer(client, &mut program, line).await,
                Step::Ended(how) => break how,
            },
            next = tail.next() => match next.map_err(broken)? {
                Some(next) => tell(client, args, &mut program, next).await?,
                None => return Err(CliError::failed("the device was closed")),
            },
        }
    };
    // What it wrote before it ended is still done.
    while let Some(line) = program.last_line().await {
        answer(client, &mut program, line).await;
    }
    Ok(ended)
}

/// The first events: who it is, and the invitations that wait.
async fn greet(client: &Client, args: &Args, program: &mut Program) -> Result<(), CliError> {
    let status = client.status().await.map_err(broken)?;
    let rooms = client.rooms().await.map_err(broken)?;
    let ready = Event::Ready {
        protocol: PROTOCOL,
        account: status.account.to_string(),
        rooms: rooms.iter().filter(|room| room.standing == Standing::Member).map(event::room_ref).collect(),
    };
    program.tell(&ready, None).await;
    for room in rooms {
        if room.standing == Standing::Invited {
            tell(client, args, program, Next::Happening(Happening::Room(room))).await?;
        } else {
            program.is_news(room.id, Event::happening(Happening::Room(room)).as_ref());
        }
    }
    Ok(())
}

async fn tell(client: &Client, args: &Args, program: &mut Program, next: Next) -> Result<(), CliError> {
    match next {
        Next::Messages(messages) => {
            let rooms = client.rooms().await.map_err(broken)?;
            for message in messages.into_iter().filter(|message| !message.own) {
                let room = rooms.iter().find(|room| room.id == message.room);
                let place: (RoomId, u64) = (message.room, message.seq);
                if let Some(event) = Event::message(message, room) {
                    program.tell(&event, Some(place)).await;
                }
            }
        }
        Next::Happening(Happening::Room(room)) if room.standing == Standing::Invited && args.accept => {
            // The room may be gone again; then there is nothing to accept.
            let _ = client.answer(room.id, true).await;
        }
        Next::Happening(Happening::Locked) => return Err(broken(client::ClientError::Locked)),
        Next::Happening(happening) => {
            let room = if let Happening::Room(room) = &happening { Some(room.id) } else { None };
            if let Some(event) = Event::happening(happening)
                && room.is_none_or(|room| program.is_news(room, Some(&event)))
            {
                program.tell(&event, None).await;
            }
        }
    }
    Ok(())
}

/// Does what a line says, and says what came of it.
async fn answer(client: &Client, program: &mut Program, line: program::Line) {
    let event = match line {
        program::Line::Whole(text) if text.trim().is_empty() => return,
        program::Line::Whole(text) => action::perform(client, &text).await,
        program::Line::TooLong => {
            let most = program::LINE_BYTES_MAX;
            let sentence = format!("it has more than the {most} bytes that are possible");
            action::refused(None, &CliError::too_large("a line is too long", sentence))
        }
    };
    program.tell(&event, None).await;
}
