//! `comity sub`: one JSON object to a message, as they come, for the next program of a pipe.

use std::collections::BTreeSet;

use client::{Begin, ClientError, Happening, Message, MessageBody, Next, Tail};
use serde_json::Value;

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::rfc3339,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("What is said from now on", "comity sub \"#ops\" | head -n 1"),
    Example("On from where the last run ended", "comity sub \"#ops\" --after 3 --limit 1 --json=seq,text"),
];

/// Print each message of a topic as a line of JSON
///
/// A topic is a room. Each line is written at once. `data` is the text read as JSON, if it is an
/// object or a list. No message is left out or told twice: after a restart go on with
/// `--after` and the last `seq`. Only texts: edits and reactions are in `comity watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "TOPIC", required = true, value_parser = device::word)]
    topics: Vec<Word>,
    /// Begin after this seq of the one topic; 0 is its beginning
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// End after so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Leave out what this account sends
    #[arg(long)]
    others: bool,
}

/// A message.
#[derive(Debug, Default, serde::Serialize)]
struct Shown {
    room: String,
    seq: u64,
    id: String,
    time: String,
    sender: Option<String>,
    own: bool,
    text: String,
    data: Option<Value>,
}

impl Shown {
    const FIELDS: &'static [&'static str] = &["room", "seq", "id", "time", "sender", "own", "text", "data"];

    /// A text as a line; `None` for what is no text.
    fn of(message: Message) -> Option<Self> {
        let MessageBody::Text(text) = message.body else { return None };
        let data = serde_json::from_str::<Value>(&text).ok();
        Some(Self {
            room: message.room.to_string(),
            seq: message.seq,
            id: message.id.to_string(),
            time: rfc3339(message.time_ms),
            sender: message.sender.map(|sender| sender.to_string()),
            own: message.own,
            data: data.filter(|data| data.is_object() || data.is_array()),
            text,
        })
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    if args.after.is_some() && args.topics.len() > 1 {
        return Err(
            CliError::usage("--after is a place in one topic").hint("follow each with a command of its own")
        );
    }
    device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let mut rooms = BTreeSet::new();
        for topic in &args.topics {
            rooms.insert(device::find_joined(client, topic).await?.id);
        }
        let broken = |error| device::failed("cannot read the room", error);
        let mut tail = Tail::new(client, Some(rooms.clone()), Begin::Now).await.map_err(broken)?;
        if let (Some(after), Some(room)) = (args.after, rooms.first()) {
            tail.seek(*room, after);
        }
        let mut left = args.limit.unwrap_or(u64::MAX);
        loop {
            let messages = match tail.next().await.map_err(broken)? {
                Some(Next::Messages(messages)) => messages,
                Some(Next::Happening(Happening::Locked)) => return Err(broken(ClientError::Locked)),
                Some(Next::Happening(_)) => continue,
                None => return Err(CliError::failed("the device was closed")),
            };
            let wanted = messages.into_iter().filter(|message| !(args.others && message.own));
            for shown in wanted.filter_map(Shown::of) {
                context.json_line(&shown)?;
                left -= 1;
                if left == 0 {
                    return Ok(());
                }
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Shown::default()).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
