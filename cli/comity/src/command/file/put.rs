//! `comity file put`: returns when the home node has the file and the message about it.

use std::{path::PathBuf, time::Duration};

use client::{Client, Level};
use tokio::time::{Instant, timeout_at};

use super::watched;
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show, line, size},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("To a person, in any organisation", "comity file put bob@umbrella.test plan.pdf"),
    Example(
        "To a group, under another name, with a word about it",
        "comity file put \"#ops\" plan.pdf --name \"plan for May.pdf\" --caption \"the final one\"",
    ),
];

/// Send a file
///
/// It is encrypted on this machine. The domain of your account keeps the encrypted bytes, by default for
/// 30 days, and gives them to members of the room only. What was begun goes on by itself whenever a
/// command runs, without the original.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM|ACCOUNT", value_parser = device::word)]
    to: Word,
    /// The file
    path: PathBuf,
    /// What the others see as its name
    #[arg(long)]
    name: Option<String>,
    /// A word about it
    #[arg(long, value_name = "TEXT", default_value = "")]
    caption: String,
    /// Stop waiting after so many seconds; the file goes on by itself
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
}

/// A file on its way.
#[derive(Debug, serde::Serialize)]
struct Shown {
    room: String,
    message: String,
    blob: String,
    size: u64,
    level: Level,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["room", "message", "blob", "size", "level"];

    fn show(&self, paper: &mut Paper) {
        let level = crate::output::level(self.level);
        if paper.terminal() {
            let id: String = self.message.chars().take(8).collect();
            let line = format!("{} {}", paper.paint(Label::Good, level), paper.paint(Label::Id, &id));
            paper.line(&format!("{line}  {}", size(self.size)));
        } else {
            paper.line(&format!("{level}\t{}\t{}\t{}", self.room, self.message, self.size));
        }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let length = std::fs::metadata(&args.path).map_err(|error| unusable(&args, &error.to_string()))?;
    if !length.is_file() {
        return Err(unusable(&args, "it is no file").hint("put several files into an archive first: tar"));
    }
    let shown = device::with(context, async |client| put(context, client, &args, length.len()).await).await?;
    context.show(&shown)
}

async fn put(context: &Context, client: &Client, args: &Args, size: u64) -> Result<Shown, CliError> {
    let until = Instant::now() + Duration::from_secs(args.timeout);
    let late = || {
        CliError::pending(format!("the file is not sent after {} seconds", args.timeout))
            .cause("what was begun is stored and goes on by itself whenever a command runs")
            .hint("comity watch")
    };
    let room = match &args.to {
        Word::Account(account) => timeout_at(until, client.direct(account)).await.map_err(|_| late())?,
        word => {
            device::catch_up(context, client).await?;
            Ok(device::find_joined(client, word).await?.id)
        }
    };
    let room = room.map_err(|error| device::failed("there is no such conversation", error))?;
    let happenings = client.watch();
    let taken = client.put_file(room, &args.path, args.name.as_deref(), &args.caption).await;
    let upload = taken.map_err(|error| device::failed("cannot take the file", error))?;
    let sent = watched(context, happenings, Some(upload.blob), timeout_at(until, client.uploaded(upload)));
    let sent = sent.await.map_err(|_| late())?;
    let sent = sent.map_err(|error| device::failed("the file will not be sent", error))?;
    let accepted = timeout_at(until, client.wait(sent, Level::Accepted)).await.map_err(|_| late())?;
    let message = accepted.map_err(|error| device::failed("the file will not be sent", error))?;
    Ok(Shown {
        room: room.to_string(),
        message: message.id.to_string(),
        blob: upload.blob.to_string(),
        size,
        level: message.level.unwrap_or(Level::Accepted),
    })
}

fn unusable(args: &Args, why: &str) -> CliError {
    CliError::storage(format!("{} cannot be sent", line(&args.path.to_string_lossy()))).cause(line(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let (room, message, blob) = (String::new(), String::new(), String::new());
        let value = serde_json::to_value(Shown { room, message, blob, size: 0, level: Level::Read });
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        let value = value.expect("serialises");
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
