//! `comity send`: returns when the home node has the message, or as far along as asked for.

use std::{io::Read as _, time::Duration};

use client::{Client, Happening, Level, Outgoing, Sent};
use tokio::time::timeout;

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show, line},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("A message to a person, in any organisation", "comity send bob@umbrella.test \"hello\""),
    Example("To a group, the text from a pipe", "echo \"build is green\" | comity send \"#ops\" -"),
    Example(
        "Wait until every member has it",
        "comity send bob@umbrella.test \"hello\" --wait delivered --timeout 30",
    ),
];

/// Send a message
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM|ACCOUNT", value_parser = device::word)]
    to: Word,
    /// The text; `-` or nothing reads it from stdin
    text: Option<String>,
    /// Return when the message is as far as this
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Wait::Accepted)]
    wait: Wait,
    /// Stop waiting after so many seconds; the message goes on by itself
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// How far a message is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Wait {
    /// On this device's disk
    Queued,
    /// The home node has it and owns its delivery
    Accepted,
    /// The hub gave it its place in the room
    Ordered,
    /// Every member's domain has it
    Stored,
    /// Every other member has it on a device
    Delivered,
    /// Every other member has read it
    Read,
}

impl From<Wait> for Level {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Queued => Self::Queued,
            Wait::Accepted => Self::Accepted,
            Wait::Ordered => Self::Ordered,
            Wait::Stored => Self::Stored,
            Wait::Delivered => Self::Delivered,
            Wait::Read => Self::Read,
        }
    }
}

/// A message on its way.
#[derive(Debug, serde::Serialize)]
struct Shown {
    room: String,
    message: String,
    seq: u64,
    level: Level,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["room", "message", "seq", "level"];

    fn show(&self, paper: &mut Paper) {
        let level = crate::output::level(self.level);
        let id: String =
            if paper.terminal() { self.message.chars().take(8).collect() } else { self.message.clone() };
        if paper.terminal() {
            paper.line(&format!("{} {}", paper.paint(Label::Good, level), paper.paint(Label::Id, &id)));
        } else {
            paper.line(&format!("{level}\t{}\t{id}", self.room));
        }
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let text = match args.text.as_deref() {
        Some(text) if text != "-" => text.to_owned(),
        _ => from_stdin(context)?,
    };
    if text.trim().is_empty() {
        return Err(CliError::usage("the text is empty"));
    }
    let shown = device::with(context, async |client| {
        let sent = send(context, client, &args.to, text).await?;
        wait(context, client, sent, args.wait.into(), args.timeout).await
    })
    .await?;
    context.show(&shown)
}

/// The whole of stdin, without the line breaks at its end. What is too long is refused, never cut.
fn from_stdin(context: &Context) -> Result<String, CliError> {
    if context.stdin_terminal() {
        context.status("Write the message; Ctrl-D on a line of its own sends it.");
    }
    let mut bytes = Vec::new();
    let limit = wire::limits::CONTENT_BODY_BYTES_MAX + "\r\n".len();
    std::io::stdin().lock().take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(CliError::wire("cannot send", wire::ErrorCode::TooLarge.into()));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| CliError::usage("the text is not UTF-8"))?;
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    Ok(text)
}

async fn send(context: &Context, client: &Client, to: &Word, text: String) -> Result<Sent, CliError> {
    let text = Outgoing::text(text);
    let sent = match to {
        Word::Account(account) => client.send_to(account, text).await,
        word => {
            let mut found = device::find_joined(client, word).await;
            if found.as_ref().is_err_and(|error| error.exit() == crate::error::exit::NOT_FOUND) {
                device::catch_up(context, client).await?;
                found = device::find_joined(client, word).await;
            }
            client.send(found?, text).await
        }
    };
    sent.map_err(|error| device::failed("cannot send", error))
}

/// Follows the message until it is as far as wanted, and shows each step on the way.
async fn wait(
    context: &Context,
    client: &Client,
    sent: Sent,
    wanted: Level,
    seconds: u64,
) -> Result<Shown, CliError> {
    let mut happenings = client.watch();
    let reached = client.wait(sent, wanted);
    tokio::pin!(reached);
    let following = async {
        let mut steps: Vec<String> = Vec::new();
        let mut last = Level::Queued;
        loop {
            tokio::select! {
                biased;
                message = &mut reached => return message,
                happening = happenings.next() => {
                    if let Some(Happening::Delivery { intent, level: Some(level), .. }) = happening
                        && intent == sent.intent
                        && level > last
                    {
                        steps.push(crate::output::passed(last, level));
                        last = level;
                        context.live(&steps.join(" → "));
                    }
                }
            }
        }
    };
    let outcome = timeout(Duration::from_secs(seconds), following).await;
    context.live("");
    match outcome {
        Ok(Ok(message)) => Ok(Shown {
            room: message.room.to_string(),
            message: message.id.to_string(),
            seq: message.seq,
            level: message.level.unwrap_or(wanted),
        }),
        Ok(Err(error)) => Err(device::failed("the message will not be sent", error)),
        Err(_) => Err(late(client, wanted, seconds).await),
    }
}

async fn late(client: &Client, wanted: Level, seconds: u64) -> CliError {
    let wanted = crate::output::level(wanted);
    let mut error = CliError::pending(format!("the message is not {wanted} after {seconds} seconds"))
        .cause("it is stored and goes on by itself");
    if let Ok(status) = client.status().await {
        if !status.connected {
            let why = status.problem.unwrap_or_else(|| "nothing answers".to_owned());
            error = error.cause(format!("no session with {}: {}", line(&status.endpoint), line(&why)));
        }
        for peer in &status.peers {
            let peer = crate::output::PeerShown::of_view(peer);
            error = error.cause(peer.sentence(crate::context::now_ms()));
        }
    }
    error.hint("comity status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown { room: String::new(), message: String::new(), seq: 0, level: Level::Read };
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
