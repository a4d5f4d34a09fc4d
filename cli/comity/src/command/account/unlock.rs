//! `comity account unlock`: a process in the background owns the device and keeps its keys, for a
//! bounded time; the other commands of the account are served by it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use client::{Client, Happening, Protection, Unlock};
use tokio::signal::unix::{SignalKind, signal};

use super::lock::name;
use crate::{
    context::{Context, now_ms},
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show, rfc3339},
    passphrase,
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("For a working day", "comity account unlock --for 8h"),
    Example(
        "As a service of your own, with the passphrase in a file",
        "comity account unlock --foreground --for 1h --passphrase-file new.txt",
    ),
];

/// Nobody keeps a device open for longer without thinking of it again.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How often to look at the clock: the time goes on while the machine sleeps.
const LOOK: Duration = Duration::from_secs(15);

/// Keep the device open for some hours
///
/// No command asks for the passphrase meanwhile. A process in the background keeps the keys, receives messages, and serves the other commands of
/// this account. It ends after the time, by `comity account lock`, or with the machine.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// For how long, as 30m, 8h or 2d; at most 7d
    #[arg(long = "for", value_name = "TIME", default_value = "8h", value_parser = duration)]
    time: Duration,
    /// Stay in the foreground
    #[arg(long)]
    foreground: bool,
}

/// A device that is unlocked.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    protection: Protection,
    until: Option<String>,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["account", "protection", "until"];

    fn show(&self, paper: &mut Paper) {
        let account = paper.paint(Label::Account, &self.account);
        paper.line(&match &self.until {
            Some(until) => format!("{account} is unlocked on this machine until {until}"),
            None => format!("{account} opens without a passphrase on this machine"),
        });
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let dir = device::sealed(context).await?;
    let protection =
        client::protection(&dir).map_err(|error| device::failed("cannot unlock the device", error))?;
    let mut shown = Shown { account: name(&dir), protection, until: None };
    if protection != Protection::Passphrase {
        return context.show(&shown);
    }
    let until = SystemTime::now() + args.time;
    shown.until = Some(rfc3339(now_ms() + u64::try_from(args.time.as_millis()).unwrap_or_default()));
    if args.foreground {
        return keep(context, &dir, until, &shown).await;
    }
    let unlock = passphrase::unlock(context, async |unlock| {
        client::check_unlock(&dir, &unlock).await.map(|()| unlock)
    });
    let Unlock::Passphrase(passphrase) = unlock.await? else { return context.show(&shown) };
    let mut child = start(context, &shown.account, args.time)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(passphrase.expose().as_bytes())?;
        stdin.write_all(b"\n")?;
    }
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if line.is_empty() {
        return Err(came_to_nothing(child));
    }
    context.show(&shown)
}

/// The process in the background; it reads the passphrase from its stdin and prints a line when the
/// device is open.
fn start(context: &Context, account: &str, time: Duration) -> Result<Child, CliError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--quiet", "--as", account, "--home"]).arg(context.home()?);
    command.args(["account", "unlock", "--foreground", "--passphrase-file", "-", "--for"]);
    command.arg(format!("{}s", time.as_secs()));
    // It is no part of the terminal's job: Ctrl-C there does not end it.
    command.process_group(0).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command.spawn()?)
}

fn came_to_nothing(child: Child) -> CliError {
    let error = CliError::failed("the process that was to keep the device open has ended");
    match child.wait_with_output() {
        Ok(output) => error.cause(crate::output::line(String::from_utf8_lossy(&output.stderr).trim())),
        Err(why) => error.cause(why.to_string()),
    }
}

/// Keeps the device open until the time is over, it is locked, or the process is told to end.
async fn keep(context: &Context, dir: &Path, until: SystemTime, shown: &Shown) -> Result<(), CliError> {
    // A terminal that closes is no reason to lock.
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let client = passphrase::unlock(context, async |unlock| {
        client::check_unlock(dir, &unlock).await?;
        Client::open_with(dir, unlock).await
    });
    let client = client.await?;
    let mut happenings = client.watch();
    context.show(shown)?;
    loop {
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        if left.is_zero() {
            break;
        }
        tokio::select! {
            happening = happenings.next() => match happening {
                // It is closed like everywhere: those who are served must have heard it before this ends.
                Some(Happening::Locked) | None => break,
                Some(_) => {}
            },
            () = tokio::time::sleep(left.min(LOOK)) => {}
            _ = hangup.recv() => {}
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    // Who else can unlock the device takes over; for the others it is locked.
    client.close().await;
    Ok(())
}

/// Reads `30m`, `8h`, `2d`.
fn duration(text: &str) -> Result<Duration, String> {
    let seconds = match text.char_indices().next_back() {
        Some((at, unit)) => {
            let each = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                _ => 0,
            };
            text.get(..at)
                .and_then(|number| number.parse::<u64>().ok())
                .and_then(|number| number.checked_mul(each))
        }
        None => None,
    };
    match seconds.map(Duration::from_secs) {
        Some(time) if !time.is_zero() && time <= LONGEST => Ok(time),
        _ => Err("say how long, as 30m, 8h or 2d; at most 7d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_bounded_and_named() {
        for (text, seconds) in [("1s", 1), ("30m", 1_800), ("8h", 28_800), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in
            ["", "h", "8", "0h", "-1h", "8 h", "8x", "8d", "169h", "99999999999999999999d", "8ü", "1e3s"]
        {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown { account: String::new(), protection: Protection::File, until: None };
        let value = serde_json::to_value(shown).expect("serialises");
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), Shown::FIELDS);
    }
}
