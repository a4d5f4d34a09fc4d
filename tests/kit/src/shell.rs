//! A shell on a terminal of its own, in which a person types one line after another: what is shown
//! is what that person would see, and questions can be answered.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize},
};

/// Longer than any command takes that does what it should.
const PATIENCE: Duration = Duration::from_secs(60);
const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };

/// What the shell prints before the exit code of a command, and then when it waits for the next.
const ENDED: char = '\u{1d}';
const READY: char = '\u{1e}';
/// Where an answer ends its line, which some programs do themselves.
const ANSWERED: char = '\u{1c}';

/// A bash on a pseudo-terminal. It and what runs in its foreground end when it is dropped.
#[derive(Debug)]
pub struct Shell {
    terminal: File,
    process: Child,
    heard: mpsc::Receiver<Vec<u8>>,
    /// Bytes that were heard and belong to no character yet.
    rest: Vec<u8>,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What stood on the terminal, without colours.
    pub shown: Vec<String>,
}

/// Something that is typed while a command runs.
pub trait Answers {
    /// What to type now that these lines are shown, the last of which may be unfinished.
    fn next(&mut self, shown: &[String]) -> Option<String>;
}

impl Answers for () {
    fn next(&mut self, _: &[String]) -> Option<String> {
        None
    }
}

impl Shell {
    /// Opens one in a directory, with this environment and no other.
    ///
    /// # Errors
    /// If there is no bash, no `setsid` or no terminal to be had.
    pub fn open(directory: &Path, environment: &BTreeMap<String, String>) -> Result<Self> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        let name = ptsname(&controller, Vec::new())?;
        let user = File::options().read(true).write(true).open(name.to_str()?)?;
        let mut modes = tcgetattr(&user)?;
        // What is typed is known. Where a password is asked for, the terminal would show it or not,
        // depending on how soon it is typed.
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&user, OptionalActions::Now, &modes)?;
        tcsetwinsize(&user, SIZE)?;
        let mut command = Command::new("setsid");
        command.args(["--ctty", "bash", "--noprofile", "--norc", "--noediting", "-i"]);
        command.current_dir(directory).env_clear().envs(environment);
        command.env("PS1", READY.to_string()).env("PS2", "");
        command.env("PROMPT_COMMAND", format!("printf '{ENDED}%d' $?"));
        command.env("TERM", "xterm").env("NO_COLOR", "1").env("LANG", "C.UTF-8");
        command.stdin(Stdio::from(user.try_clone()?));
        command.stdout(Stdio::from(user.try_clone()?)).stderr(Stdio::from(user));
        let process = command.spawn().context("setsid (util-linux)")?;
        drop(command);
        let terminal = File::from(controller);
        let heard = listen(terminal.try_clone()?);
        let mut shell = Self { terminal, process, heard, rest: Vec::new() };
        shell.until_ready(&mut ())?;
        Ok(shell)
    }

    /// Types a line and waits until the shell is ready for the next.
    ///
    /// # Errors
    /// If it takes longer than a minute; the error holds what was shown.
    pub fn run(&mut self, line: &str, answers: &mut dyn Answers) -> Result<Ran> {
        writeln!(self.terminal, "{line}")?;
        self.until_ready(answers)
    }

    fn until_ready(&mut self, answers: &mut dyn Answers) -> Result<Ran> {
        let end = Instant::now() + PATIENCE;
        let mut text = String::new();
        loop {
            if let Some((shown, code)) = text.strip_suffix(READY).and_then(|text| text.rsplit_once(ENDED)) {
                return Ok(Ran { code: code.parse()?, shown: lines(shown) });
            }
            if let Some(typed) = answers.next(&lines(&text)) {
                self.terminal.write_all(typed.as_bytes())?;
                if typed.ends_with('\n') {
                    text.push(ANSWERED);
                }
                continue;
            }
            let patience = end.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(patience) {
                Ok(bytes) => self.read(&bytes, &mut text),
                Err(mpsc::RecvTimeoutError::Timeout) => bail!("it does not end; shown until now:\n{text}"),
                Err(mpsc::RecvTimeoutError::Disconnected) => bail!("the shell ended; shown at last:\n{text}"),
            }
            ensure!(text.len() < 4 << 20, "it says too much");
        }
    }

    /// Appends what is whole characters.
    fn read(&mut self, bytes: &[u8], text: &mut String) {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.rest.len(),
        };
        let bytes: Vec<u8> = self.rest.drain(..whole).collect();
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // With the leader of its session goes what runs in the foreground of its terminal.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn listen(mut terminal: File) -> mpsc::Receiver<Vec<u8>> {
    let (tell, heard) = mpsc::sync_channel(64);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = terminal.read(&mut buffer) {
            if tell.send(buffer[..read].to_vec()).is_err() {
                break;
            }
        }
    });
    heard
}

/// The lines that stand on a terminal after this was written to it.
fn lines(written: &str) -> Vec<String> {
    let plain = without_sequences(written).replace("\r\n", "\n");
    let plain = plain.replace(&format!("{ANSWERED}\n"), "\n").replace(ANSWERED, "\n");
    let mut lines: Vec<String> = plain
        .split('\n')
        .map(|line| {
            // What was written over is gone.
            let last = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
            last.trim_end().to_owned()
        })
        .collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Leaves out what moves the cursor, colours, or sets the title.
fn without_sequences(written: &str) -> String {
    let mut plain = String::new();
    let mut characters = written.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('[') => while characters.next().is_some_and(|next| !('@'..='~').contains(&next)) {},
            Some(']') => while characters.next().is_some_and(|next| next != '\u{7}' && next != '\\') {},
            _ => (),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_over_or_coloured_is_not_what_stands_there() {
        let written = "\u{1b}[32mok\u{1b}[0m done\r\nwaiting 1\rwaiting 2\r\u{1b}[2K\r\nlast? ";
        assert_eq!(lines(written), ["ok done", "waiting 2", "last?"]);
        assert_eq!(lines("one\r\n"), ["one"]);
        assert_eq!(lines("new: \u{1c}\r\nagain: \u{1c}done\r\n"), ["new:", "again:", "done"]);
    }
}
