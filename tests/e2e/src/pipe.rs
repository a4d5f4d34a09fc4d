//! Two people whose command lines are killed: one pipes numbered lines into a room, the other one
//! reads them out of it in another organisation.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::Office;

/// Lines that may wait for their acknowledgement.
const WINDOW: u64 = 32;
/// How long the end of a test may take to arrive after the last fault.
const PATIENCE: Duration = Duration::from_secs(120);
/// The room.
const ROOM: &str = "#pipe";
/// As many messages as one page of a room holds.
const PAGE: &str = "200";

/// A `comity` that runs, and the lines that it prints. Killed when dropped.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

/// A pipe from alice to bob, in a room that bob's domain orders.
///
/// Alice's lines are numbered from 1. Whoever pipes into a room and is killed does what a person does:
/// looks what the device has, and goes on with the line after that.
pub struct Pipe {
    office: Office,
    sender: Option<(Running, ChildStdin)>,
    reader: Option<Running>,
    /// The last line that was given to alice's program.
    given: u64,
    /// The last line of which her program said that her node has it.
    acknowledged: u64,
    /// The last line that bob's program printed, and its seq.
    arrived: u64,
    seq: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piped {
    /// The last line that the sender's program acknowledged.
    pub acknowledged: u64,
    /// The last line that the reader's program printed.
    pub arrived: u64,
}

impl Pipe {
    /// Starts the nodes, founds the room, and starts both programs.
    ///
    /// # Errors
    /// If anything fails.
    pub fn start() -> Result<Self> {
        let office = Office::open(&["alice"], &["bob"])?;
        office.comity("alice", &["contact", "policy", "open"])?;
        office.comity("bob", &["room", "create", "pipe", "alice@acme.test"])?;
        let end = Instant::now() + PATIENCE;
        while office.comity("alice", &["room", "list", "--json=standing"])?.stdout.is_empty() {
            ensure!(Instant::now() < end, "alice is not in the room");
        }
        let (given, acknowledged, arrived, seq) = (0, 0, 0, 0);
        let mut pipe = Self { office, sender: None, reader: None, given, acknowledged, arrived, seq };
        pipe.run_sender()?;
        pipe.run_reader()?;
        Ok(pipe)
    }

    /// How far it is.
    #[must_use]
    pub fn piped(&self) -> Piped {
        Piped { acknowledged: self.acknowledged, arrived: self.arrived }
    }

    /// Starts alice's program.
    ///
    /// # Errors
    /// If it does not start.
    pub fn run_sender(&mut self) -> Result<()> {
        let mut running = self.spawn("alice", &["pub", ROOM, "--json=seq"])?;
        let stdin = running.child.stdin.take().context("a piped stdin")?;
        self.sender = Some((running, stdin));
        Ok(())
    }

    /// Starts bob's program where the last one ended.
    ///
    /// # Errors
    /// If it does not start.
    pub fn run_reader(&mut self) -> Result<()> {
        let after = self.seq.to_string();
        self.reader = Some(self.spawn("bob", &["sub", ROOM, "--after", &after, "--json=seq,text"])?);
        Ok(())
    }

    fn spawn(&self, name: &str, args: &[&str]) -> Result<Running> {
        let mut command = Command::new(kit::comity()?);
        command.args(args).env("COMITY_HOME", self.office.home_of(name)).env_remove("COMITY_DATA");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("a piped stdout")?;
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            // A line without its end is one in which the program was killed: nobody was told it.
            while stdout.read_line(&mut line).is_ok() && line.ends_with('\n') {
                if tell.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Ok(Running { child, lines })
    }

    /// Keeps both busy for some time.
    ///
    /// # Errors
    /// If a program ended, or printed what it must not.
    pub fn flow(&mut self, for_ms: u64) -> Result<()> {
        let end = Instant::now() + Duration::from_millis(for_ms);
        loop {
            self.give()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            // The sender's lines set the pace; the reader's wait in memory.
            let (running, _) = self.sender.as_ref().context("the sender runs")?;
            match running.lines.recv_timeout(left.min(Duration::from_millis(20))) {
                Ok(_) => self.acknowledged += 1,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the sender's program ended by itself"),
            }
            self.take_arrived()?;
        }
    }

    /// Keeps both busy until so many more lines have arrived.
    ///
    /// # Errors
    /// If they do not.
    pub fn flow_until(&mut self, lines: u64) -> Result<()> {
        let (wanted, end) = (self.arrived + lines, Instant::now() + PATIENCE);
        while self.arrived < wanted {
            ensure!(Instant::now() < end, "no more lines arrive: {:?}", self.piped());
            self.flow(20)?;
        }
        Ok(())
    }

    /// Fills the window.
    fn give(&mut self) -> Result<()> {
        let (_, stdin) = self.sender.as_mut().context("the sender runs")?;
        while self.given < self.acknowledged + WINDOW {
            writeln!(stdin, "{}", self.given + 1)?;
            self.given += 1;
        }
        Ok(())
    }

    fn take_arrived(&mut self) -> Result<()> {
        while let Some(line) = self.reader.as_ref().and_then(|running| running.lines.try_recv().ok()) {
            self.note_arrival(&line)?;
        }
        Ok(())
    }

    fn note_arrival(&mut self, line: &str) -> Result<()> {
        let line: Value = serde_json::from_str(line)?;
        let (seq, number) = (line["seq"].as_u64().context("a seq")?, number(&line)?);
        ensure!(
            number == self.arrived + 1 && seq > self.seq,
            "{number} arrived at {seq} after {} at {}",
            self.arrived,
            self.seq
        );
        (self.arrived, self.seq) = (number, seq);
        Ok(())
    }

    /// SIGKILL for bob's program. What it had printed until then counts.
    ///
    /// # Errors
    /// If it had ended by itself, or printed what it must not.
    pub fn kill_reader(&mut self) -> Result<()> {
        let running = self.reader.take().context("the reader runs")?;
        running.kill()?.iter().try_for_each(|line| self.note_arrival(line))
    }

    /// SIGKILL for alice's program. Says which lines it had acknowledged, which it had on disk.
    ///
    /// # Errors
    /// If it had ended by itself.
    pub fn kill_sender(&mut self) -> Result<()> {
        let (running, stdin) = self.sender.take().context("the sender runs")?;
        self.acknowledged += running.kill()?.len() as u64;
        drop(stdin);
        Ok(())
    }

    /// SIGKILL for alice's node, at which her program goes on for some time: what it sends is lost.
    ///
    /// # Errors
    /// If the node or the program had ended by itself.
    pub fn lose_the_home(&mut self, for_ms: u64) -> Result<()> {
        self.office.acme.kill()?;
        self.flow(for_ms)
    }

    /// Starts alice's node again.
    ///
    /// # Errors
    /// If it does not start.
    pub fn find_the_home(&mut self) -> Result<()> {
        self.office.acme.run()
    }

    /// Looks what alice's device has, as a person does after a crash: the next line is the one after
    /// that.
    ///
    /// # Errors
    /// If something acknowledged is not there, or something is there twice.
    pub fn look_and_go_on(&mut self) -> Result<u64> {
        let stored = self.stored()?;
        let last = stored.last().copied().unwrap_or_default();
        ensure!(
            (self.acknowledged..=self.given).contains(&last),
            "the device has {last} lines of {} that were given and {} that were acknowledged",
            self.given,
            self.acknowledged
        );
        let kept = last - self.acknowledged;
        // They are on disk and go on by themselves; nobody will say so once more.
        (self.given, self.acknowledged) = (last, last);
        Ok(kept)
    }

    /// The newest lines on alice's device.
    fn stored(&self) -> Result<Vec<u64>> {
        let args = ["message", "list", ROOM, "--limit", PAGE, "--json=kind,text,failed"];
        let listed = self.office.comity("alice", &args)?;
        let mut numbers: Vec<u64> = Vec::new();
        for line in String::from_utf8(listed.stdout)?.lines() {
            let line: Value = serde_json::from_str(line)?;
            ensure!(line["failed"].is_null(), "a line will not be sent: {line}");
            if line["kind"] == "text" {
                numbers.push(number(&line)?);
            }
        }
        let first = numbers.first().copied().unwrap_or_default();
        ensure!(numbers.iter().copied().eq((first..).take(numbers.len())), "the device has {numbers:?}");
        Ok(numbers)
    }

    /// Gives no more lines, and waits until everything that alice's device took has arrived.
    ///
    /// # Errors
    /// If it does not, or a program ends with an error.
    pub fn end(mut self) -> Result<Piped> {
        let (mut running, stdin) = self.sender.take().context("the sender runs")?;
        drop(stdin);
        self.acknowledged += running.lines.iter().count() as u64;
        let status = running.child.wait()?;
        ensure!(status.success(), "the sender's program ended with {status}");
        ensure!(self.acknowledged == self.given, "{} of {} lines", self.acknowledged, self.given);
        let end = Instant::now() + PATIENCE;
        while self.arrived < self.given {
            ensure!(Instant::now() < end, "{:?} of {} lines", self.piped(), self.given);
            let reader = self.reader.as_ref().context("the reader runs")?;
            if let Ok(line) = reader.lines.recv_timeout(Duration::from_millis(50)) {
                self.note_arrival(&line)?;
            }
        }
        ensure!(self.stored()?.last() == Some(&self.given), "the sender's device knows another end");
        // Nothing may come after the last line.
        self.kill_reader()?;
        ensure!(self.arrived == self.given, "more arrived than was said: {:?}", self.piped());
        Ok(self.piped())
    }
}

impl Running {
    /// SIGKILL, and everything that was printed before.
    fn kill(mut self) -> Result<Vec<String>> {
        self.child.kill()?;
        let status = self.child.wait()?;
        ensure!(status.signal() == Some(9), "a program ended by itself, with {status}");
        Ok(self.lines.iter().collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(line: &Value) -> Result<u64> {
    Ok(line["text"].as_str().context("a text")?.parse()?)
}
