//! `comity send`: returns when the home node has the message, or as far along as asked for.

use client::{Client, Level, Outgoing, Sent};

use super::{
    delivery::{self, Shown},
    text,
};
use crate::{
    context::Context,
    device::{self, MessageWord, Word, reach},
    error::CliError,
    examples::{self, Example},
    output::Show as _,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("A message to a person, in any organisation", "comity send bob@umbrella.test \"hello\""),
    Example("To a group, the text from a pipe", "echo \"build is green\" | comity send \"#ops\" -"),
    Example("An answer to a message of a room", "comity send \"#ops\" \"on it\" --reply-to @3"),
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
    /// It answers this message of the room: the beginning of its id, or `@SEQ`
    #[arg(long, value_name = "MESSAGE", value_parser = device::message_word)]
    reply_to: Option<MessageWord>,
    /// Return when the message is as far as this
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Wait::Accepted)]
    wait: Wait,
    /// Stop waiting after so many seconds; the message goes on by itself [default: 30]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
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

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let text = text::of(context, args.text.as_deref())?;
    let shown = device::with(context, async |client| {
        let sending = async {
            let sent = send(context, client, &args, text).await?;
            delivery::follow(context, client, sent, args.wait.into(), context.timeout(args.timeout)).await
        };
        match (sending.await, &args.to) {
            (Err(error), Word::Account(account)) => Err(reach::explain(client, account, error).await),
            (outcome, _) => outcome,
        }
    })
    .await?;
    context.show(&shown)
}

async fn send(context: &Context, client: &Client, args: &Args, text: String) -> Result<Sent, CliError> {
    if let Word::Account(account) = &args.to {
        let status = client.status().await.map_err(|error| device::failed("cannot ask the device", error))?;
        if status.account == *account {
            return Err(CliError::usage(format!("{account} is your own account"))
                .hint("notes to yourself: comity room create NAME"));
        }
    }
    let sent = match (&args.to, &args.reply_to) {
        (Word::Account(account), None) => client.send_to(account, Outgoing::text(text)).await,
        (word, reply_to) => {
            let mut found = device::find_joined(client, word).await;
            if found.as_ref().is_err_and(|error| error.exit() == crate::error::exit::NOT_FOUND) {
                device::catch_up(context, client).await?;
                found = device::find_joined(client, word).await;
            }
            let room = found?.id;
            let reply_to = match reply_to {
                Some(word) => Some(device::find_message(client, room, word).await?.id),
                None => None,
            };
            client.send(room, Outgoing::Text { body: text, reply_to }).await
        }
    };
    sent.map_err(|error| device::failed("cannot send", error))
}
