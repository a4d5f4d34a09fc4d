//! `comity file get`: a file is in its place only when it is whole and is what was sent.

use std::path::PathBuf;

use client::ErrorCode;

use super::watched;
use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show, line, size},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("The file of message 12, into this directory", "comity file get bob@umbrella.test 12"),
    Example(
        "Under a name of your own, in place of what is there",
        "comity file get \"#ops\" 12 --output plan.pdf --force",
    ),
];

/// Fetch a file
///
/// It is decrypted on this machine and checked against what its sender has said. Its name is made
/// harmless; nothing that is there is replaced without --force. After an interruption the same command
/// goes on where it was.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// The number of its message, as `comity file list` shows it, or `@SEQ`
    #[arg(value_parser = seq)]
    seq: u64,
    /// Where to: a directory, or a file
    #[arg(long, value_name = "PATH", default_value = ".")]
    output: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Give up when nothing has come for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

fn seq(text: &str) -> Result<u64, String> {
    match text.strip_prefix('@').unwrap_or(text).parse() {
        Ok(seq) if seq > 0 => Ok(seq),
        _ => Err("a message's number looks like 12 or @12: comity file list ROOM".to_owned()),
    }
}

/// A file that was fetched.
#[derive(Debug, serde::Serialize)]
struct Shown {
    path: String,
    size: u64,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["path", "size"];

    fn show(&self, paper: &mut Paper) {
        let path = line(&self.path);
        if paper.terminal() {
            paper.line(&format!("{} {path}  {}", paper.paint(Label::Good, "saved"), size(self.size)));
        } else {
            paper.line(&format!("{path}\t{}", self.size));
        }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let saved = device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?.id;
        let happenings = client.watch();
        let fetched = client.get_file(room, args.seq, &args.output, args.force, args.timeout);
        let fetched = watched(context, happenings, None, fetched);
        device::unless_suspended(client, "cannot fetch the file", fetched).await?.map_err(failed)
    })
    .await?;
    context.show(&Shown { path: saved.path.to_string_lossy().into_owned(), size: saved.size })
}

fn failed(error: client::ClientError) -> CliError {
    let failed = device::failed("cannot fetch the file", error);
    match failed.number() {
        Some(number) if number == ErrorCode::Conflict.code() => failed
            .means("a file of this name is there already, and stays as it is")
            .hint("--output ANOTHER saves it elsewhere, --force in its place"),
        Some(number) if number == ErrorCode::NotFound.code() => failed
            .means("the message has no file, or the domain that kept it does so no more")
            .hint("comity file list ROOM; ask its sender to send it again"),
        Some(number) if number == ErrorCode::BadSignature.code() || number == ErrorCode::Malformed.code() => {
            failed
                .means("what the node gave is not what the sender sent; nothing of it was kept")
                .hint("try again; if it stays, tell the administrator of the sender's domain")
        }
        _ => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Shown { path: String::new(), size: 0 }).expect("serialises");
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), Shown::FIELDS);
    }

    #[test]
    fn a_number_is_taken_as_everywhere() {
        assert_eq!((seq("12"), seq("@12")), (Ok(12), Ok(12)));
        for bad in ["", "@", "0", "@0", "-1", "x"] {
            assert!(seq(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_way_to_fail_says_what_to_do_and_keeps_its_class() {
        for (code, exit, hint) in [
            (ErrorCode::Conflict, 6, "--force"),
            (ErrorCode::NotFound, 3, "send it again"),
            (ErrorCode::BadSignature, 7, "administrator"),
            (ErrorCode::Malformed, 1, "administrator"),
            (ErrorCode::Unavailable, 9, "comity status"),
        ] {
            let error = failed(code.into());
            assert_eq!(error.exit(), exit, "{code:?}");
            assert!(error.json().contains(hint), "{}", error.json());
        }
    }
}
