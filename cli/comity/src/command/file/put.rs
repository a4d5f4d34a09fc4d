//! `comity file put`: returns when the home node has the file and the message about it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use client::{Client, ClientError, ErrorCode, Level};
use tokio::time::{Instant, timeout_at};

use super::watched;
use crate::{
    bounds,
    context::Context,
    device::{self, Word, reach},
    error::{CliError, seconds},
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
    let length = length(&args.path)?;
    bounds::file(&format!("cannot send {}", line(&args.path.to_string_lossy())), length, &args.caption)?;
    let shown =
        device::with(context, async |client| match (put(context, client, &args, length).await, &args.to) {
            (Err(error), Word::Account(account)) => Err(reach::explain(client, account, error).await),
            (outcome, _) => outcome,
        })
        .await?;
    context.show(&shown)
}

async fn put(context: &Context, client: &Client, args: &Args, size: u64) -> Result<Shown, CliError> {
    let until = Instant::now() + Duration::from_secs(args.timeout);
    let late = || {
        CliError::pending(format!("the file is not sent after {}", seconds(args.timeout)))
            .cause("what was begun is kept and goes on by itself whenever a command runs")
            .hint("comity watch")
    };
    let room = match &args.to {
        Word::Account(account) => {
            let direct = timeout_at(until, client.direct(account));
            device::unless_suspended(client, "cannot reach them", direct).await?.map_err(|_| late())?
        }
        word => {
            device::catch_up(context, client).await?;
            Ok(device::find_joined(client, word).await?.id)
        }
    };
    let room = room.map_err(|error| device::failed("cannot send the file", error))?;
    let happenings = client.watch();
    let taken = client.put_file(room, &args.path, args.name.as_deref(), &args.caption).await;
    let upload = taken.map_err(|error| device::failed("cannot take the file", error))?;
    let sent = watched(context, happenings, Some(upload.blob), timeout_at(until, client.uploaded(upload)));
    let sent = device::unless_suspended(client, "the file waits", sent).await?.map_err(|_| late())?;
    let sent = sent.map_err(|error| refused(error, size))?;
    let accepted = timeout_at(until, client.wait(sent, Level::Accepted));
    let accepted = device::unless_suspended(client, "the file waits", accepted).await?;
    let accepted = accepted.map_err(|_| late())?;
    let message = accepted.map_err(|error| device::failed("the file will not be sent", error))?;
    Ok(Shown {
        room: room.to_string(),
        message: message.id.to_string(),
        blob: upload.blob.to_string(),
        size,
        level: message.level.unwrap_or(Level::Accepted),
    })
}

/// The node does not take it.
fn refused(error: ClientError, bytes: u64) -> CliError {
    let most = if let ClientError::Refused(error) = &error { error.value } else { 0 };
    let failed = device::failed("the file will not be sent", error);
    if failed.is(ErrorCode::TooLarge) {
        let most = if most > 0 { format!("at most {}", size(most)) } else { "less".to_owned() };
        return failed
            .means(format!("the file has {}, and your domain takes {most}", size(bytes)))
            .hint("send it in parts (split -b), or ask your administrator for more: media.file_size");
    }
    if failed.is(ErrorCode::Quota) {
        return failed
            .means("there is no space for it among the files that your domain keeps")
            .hint("wait until older files are gone, or ask your administrator for more");
    }
    failed
}

/// How many bytes the file has that is to be sent.
///
/// # Errors
/// `NotFound` if there is none, usage if it is something else, storage if it cannot be looked at.
fn length(path: &Path) -> Result<u64, CliError> {
    let name = line(&path.to_string_lossy());
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(found.len()),
        Ok(found) if found.is_dir() => Err(CliError::usage(format!("{name} is a directory"))
            .hint(format!("make one file of it first: tar -czf {0}.tgz {0}", name.trim_end_matches('/')))),
        Ok(_) => {
            Err(CliError::usage(format!("{name} is no file")).hint("write what comes out of it into one"))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(CliError::not_found(format!("there is no file {name}"))
                .hint("check the path; ls shows what is there"))
        }
        Err(error) => Err(CliError::storage(format!("cannot read {name}")).cause(line(&error.to_string()))),
    }
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
