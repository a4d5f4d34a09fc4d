//! The program as a process: bounded pipes in both directions, and its end.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use client::{Client, RoomId};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    time::timeout,
};

use super::event::Event;
use crate::{error::CliError, output::line};

/// Events that wait until the program reads.
const EVENTS_WAITING: usize = 64;
/// A line of the program: a text of 64 KiB in its longest escape, and what is around it.
pub(super) const LINE_BYTES_MAX: u64 = 524_288;
/// A program that reads nothing for so long while something waits for it is stuck.
const STUCK: Duration = Duration::from_secs(30);
/// How long to look for what it wrote last; somebody else may hold the pipe.
const LAST_LINES: Duration = Duration::from_millis(500);

/// How a program ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// With exit code 0.
    Good,
    /// Otherwise; a sentence.
    Bad(String),
}

/// A line of the program's stdout.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line.
    Whole(String),
    /// It was too long and was passed over to its end.
    TooLong,
}

/// What a program does next.
#[derive(Debug)]
pub(super) enum Step {
    /// It writes a line.
    Line(Line),
    /// It ends.
    Ended(Ended),
}

/// A line for the program, and what counts as read once it is written.
type Told = (String, Option<(RoomId, u64)>);

/// A program that runs.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    events: mpsc::Sender<Told>,
    lines: mpsc::Receiver<Line>,
    stuck: mpsc::Receiver<()>,
    /// It has closed its stdout.
    silent: bool,
    /// What it was told of each room last.
    rooms: BTreeMap<RoomId, String>,
}

impl Program {
    /// Starts it. `mark_read`: what is written to it counts as read.
    ///
    /// # Errors
    /// `NotFound` if there is no such program; usage if it cannot be run.
    pub(super) fn start(command: &[String], client: &Client, mark_read: bool) -> Result<Self, CliError> {
        let (name, args) = command.split_first().ok_or_else(|| CliError::usage("the program is missing"))?;
        let mut child = Command::new(name)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    CliError::not_found(format!("there is no program {}", line(name)))
                        .hint("give its path, such as ./bot.py")
                }
                _ => CliError::usage(format!("{} cannot be run", line(name))).cause(error.to_string()),
            })?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CliError::bug("a program without pipes"));
        };
        let (events, waiting) = mpsc::channel(EVENTS_WAITING);
        let (tell_lines, lines) = mpsc::channel(1);
        let (tell_stuck, stuck) = mpsc::channel(1);
        tokio::spawn(write(stdin, waiting, mark_read.then(|| client.clone()), tell_stuck));
        tokio::spawn(read(stdout, tell_lines));
        Ok(Self { child, events, lines, stuck, silent: false, rooms: BTreeMap::new() })
    }

    /// Whether this is something else than what it was told of the room last. That a room was read,
    /// for example, is a change that no event tells.
    pub(super) fn is_news(&mut self, room: RoomId, event: Option<&Event>) -> bool {
        let says = event.and_then(|event| serde_json::to_string(event).ok()).unwrap_or_default();
        self.rooms.insert(room, says.clone()) != Some(says)
    }

    /// Tells it something; waits while too much waits for it. Whoever reads no more is told no more.
    pub(super) async fn tell(&mut self, event: &Event, read: Option<(RoomId, u64)>) {
        if let Ok(line) = serde_json::to_string(event) {
            // The writer is gone: the program closed its stdin, which is its right.
            let _ = self.events.send((line, read)).await;
        }
    }

    /// The next line that it writes, or its end. A program that has closed its stdout may go on
    /// reading.
    pub(super) async fn next(&mut self) -> Step {
        loop {
            tokio::select! {
                line = self.lines.recv(), if !self.silent => match line {
                    Some(line) => return Step::Line(line),
                    None => self.silent = true,
                },
                status = self.child.wait() => return Step::Ended(how(status)),
                Some(()) = self.stuck.recv() => {
                    // It may have ended by itself in between.
                    let _ = self.child.kill().await;
                    let why = format!("the program read nothing for {} seconds", STUCK.as_secs());
                    return Step::Ended(Ended::Bad(why));
                }
            }
        }
    }

    /// The next line that it has written before its end.
    pub(super) async fn last_line(&mut self) -> Option<Line> {
        timeout(LAST_LINES, self.lines.recv()).await.ok().flatten()
    }
}

fn how(status: std::io::Result<std::process::ExitStatus>) -> Ended {
    match status {
        Ok(status) if status.success() => Ended::Good,
        Ok(status) => Ended::Bad(format!("the program ended with {status}")),
        Err(error) => Ended::Bad(format!("the program cannot be waited for: {error}")),
    }
}

/// Writes what the program is told, and marks as read what it was told.
async fn write(
    mut stdin: ChildStdin,
    mut waiting: mpsc::Receiver<Told>,
    client: Option<Client>,
    stuck: mpsc::Sender<()>,
) {
    while let Some((mut line, read)) = waiting.recv().await {
        line.push('\n');
        let written = async {
            stdin.write_all(line.as_bytes()).await?;
            stdin.flush().await
        };
        match timeout(STUCK, written).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                let _ = stuck.send(()).await;
                return;
            }
        }
        if let (Some(client), Some((room, seq))) = (&client, read) {
            // A room that the account has left takes no receipts.
            let _ = client.mark_read(room, seq).await;
        }
    }
}

/// Reads lines until the end.
async fn read(stdout: ChildStdout, lines: mpsc::Sender<Line>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut bytes = Vec::new();
        let read = (&mut stdout).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes).await;
        if !matches!(read, Ok(length) if length > 0) {
            return;
        }
        let line = if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LINE_BYTES_MAX {
            if !skip(&mut stdout).await {
                return;
            }
            Line::TooLong
        } else {
            Line::Whole(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        };
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

/// Passes over the rest of a line; `false` at the end of everything.
async fn skip(stdout: &mut BufReader<ChildStdout>) -> bool {
    loop {
        let Ok(buffer) = stdout.fill_buf().await else { return false };
        if buffer.is_empty() {
            return true;
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |at| at + 1);
        stdout.consume(length);
        if end.is_some() {
            return true;
        }
    }
}
