//! `comity pub`: each line of stdin is a message; one JSON object to a line says what became of it.

use std::time::Duration;

use client::{Client, Level, Message, Outgoing, RoomId, Sent};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    sync::mpsc,
    time::timeout,
};

use super::delivery::{self, Shown};
use crate::{
    bounds,
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::Show as _,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("One event", "echo '{\"door\":\"open\"}' | comity pub \"#ops\""),
    Example("A log, line by line", "tail -n 3 app.log | comity pub \"#ops\" --json=seq"),
];

/// Lines that are on their way at the same time.
const ON_THEIR_WAY: usize = 64;
/// A line that is longer is no message.
const LINE_BYTES_MAX: u64 = wire::limits::CONTENT_BODY_BYTES_MAX as u64;

/// Send each line of stdin as a message
///
/// A topic is a room. For each line that the home node has, one JSON object is printed, in the order
/// of the lines; `comity sub` prints them elsewhere. A line that cannot be sent is told on stderr,
/// and the others go on; then the exit code is that of the last one. Empty lines are passed over.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "TOPIC", value_parser = device::word)]
    topic: Word,
    /// Stop waiting for a line after so many seconds; it goes on by itself [default: 30]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// A line, or why it is none.
type Line = Result<String, CliError>;

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let patience = Duration::from_secs(context.timeout(args.timeout));
    device::with(context, async |client| {
        let room = match &args.topic {
            Word::Account(account) => {
                let what = "cannot open the direct room";
                let direct = device::unless_suspended(client, what, client.direct(account)).await?;
                direct.map_err(|error| device::failed(what, error))?
            }
            word => {
                device::catch_up(context, client).await?;
                device::find_joined(client, word).await?.id
            }
        };
        let (lines, mut coming) = mpsc::channel(1);
        let reading = tokio::spawn(read(lines));
        let (sent, mut results) = mpsc::channel::<Result<Sent, CliError>>(ON_THEIR_WAY);
        let follower = client.clone();
        let sending = async {
            while let Some(line) = coming.recv().await {
                let outcome = match line {
                    Ok(line) => send(&follower, room, line).await,
                    Err(error) => Err(error),
                };
                if sent.send(outcome).await.is_err() {
                    break;
                }
            }
            drop(sent);
        };
        let telling = async {
            let mut last = Ok(());
            while let Some(outcome) = results.recv().await {
                let told = match outcome {
                    Ok(sent) => accepted(client, sent, patience).await,
                    Err(error) => Err(error),
                };
                match told {
                    Ok(message) => context.json_line(&shown(&message))?,
                    Err(error) => {
                        context.report(&error);
                        last = Err(error.exit());
                    }
                }
            }
            Ok::<_, CliError>(last)
        };
        // Whoever goes away before the end ends it: what is stored is sent all the same.
        let last = tokio::select! {
            last = telling => last,
            never = async {
                sending.await;
                std::future::pending().await
            } => never,
        };
        reading.abort();
        last?.map_err(CliError::told)
    })
    .await
}

async fn send(client: &Client, room: RoomId, line: String) -> Result<Sent, CliError> {
    let sent = client.send(room, Outgoing::text(line)).await;
    sent.map_err(|error| device::failed("cannot send a line", error))
}

async fn accepted(client: &Client, sent: Sent, patience: Duration) -> Result<Message, CliError> {
    let waiting = timeout(patience, client.wait(sent, Level::Accepted));
    match device::unless_suspended(client, delivery::WAITS, waiting).await? {
        Ok(outcome) => outcome.map_err(|error| device::failed("a line will not be sent", error)),
        Err(_) => Err(CliError::pending("a line is not accepted yet")
            .cause("it is kept and goes on by itself")
            .hint("comity status")),
    }
}

fn shown(message: &Message) -> Shown {
    Shown {
        room: message.room.to_string(),
        message: message.id.to_string(),
        seq: message.seq,
        level: message.level.unwrap_or(Level::Accepted),
    }
}

/// The lines of stdin. One that is too long is passed over to its end.
async fn read(lines: mpsc::Sender<Line>) {
    let mut stdin = BufReader::new(tokio::io::stdin());
    let mut number = 0_u64;
    loop {
        number += 1;
        let mut bytes = Vec::new();
        match (&mut stdin).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                let _ = lines.send(Err(error.into())).await;
                return;
            }
        }
        let whole = bytes.last() == Some(&b'\n');
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.pop();
        }
        let line = if !whole && bytes.len() as u64 > LINE_BYTES_MAX {
            if skip(&mut stdin).await.is_err() {
                return;
            }
            Err(bounds::body_unread(&format!("line {number} is too long")))
        } else {
            String::from_utf8(bytes).map_err(|_| CliError::usage(format!("line {number} is not UTF-8")))
        };
        if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
            continue;
        }
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

/// Reads on to the end of a line.
async fn skip(stdin: &mut BufReader<tokio::io::Stdin>) -> std::io::Result<()> {
    loop {
        let buffer = stdin.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |at| at + 1);
        stdin.consume(length);
        if end.is_some() {
            return Ok(());
        }
    }
}
