//! A terminal with one program on it, and somebody who types: what the program asks is waited for, and
//! whether the terminal shows what is typed can be seen. No screen is drawn; for that there is
//! [`crate::Terminal`].

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, ExitStatus},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use pty_process::blocking::{Command, Pty};
use rustix::termios::{LocalModes, tcgetattr};

/// How long a program may take to say something.
const PATIENCE: Duration = Duration::from_secs(60);

/// The terminal and its program, which is killed when this is dropped.
pub struct Teletype {
    pty: Arc<Pty>,
    child: Child,
    output: Receiver<Vec<u8>>,
    /// All that was printed.
    printed: String,
    /// Up to where it was looked at.
    seen: usize,
}

impl Teletype {
    /// Runs a program on a terminal of its own, with these variables.
    ///
    /// # Errors
    /// If there is no terminal or no such program.
    pub fn run(program: &Path, args: &[&str], variables: &[(&str, &Path)]) -> Result<Self> {
        let (pty, end) = pty_process::blocking::open()?;
        // In the background of a shell without jobs Ctrl-C is ignored, also by what is started there.
        let mut command = Command::new("env").arg("--default-signal=INT,QUIT").arg(program).args(args);
        for other in ["COMITY_DATA", "COMITY_AS", "COMITY_PASSPHRASE_FILE", "DBUS_SESSION_BUS_ADDRESS"] {
            command = command.env_remove(other);
        }
        let child = command.envs(variables.iter().copied()).env("TERM", "xterm").spawn(end)?;
        let pty = Arc::new(pty);
        let (tell, output) = mpsc::channel();
        let reader = Arc::clone(&pty);
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            // When the program has ended, there is an error, not an end.
            while let Ok(count) = (&*reader).read(&mut bytes) {
                if count == 0 || tell.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { pty, child, output, printed: String::new(), seen: 0 })
    }

    /// Waits until the program has printed this, after what was waited for before.
    ///
    /// # Errors
    /// If it does not, or ends; the error holds what it has printed.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let unseen = self.printed.get(self.seen..).unwrap_or_default();
            if let Some(at) = unseen.find(text) {
                self.seen += at + text.len();
                return Ok(());
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.note(&bytes),
                Err(RecvTimeoutError::Timeout) => bail!("it does not say {text:?}:\n{}", self.printed),
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("it ended and did not say {text:?}:\n{}", self.printed)
                }
            }
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        self.printed.push_str(&String::from_utf8_lossy(bytes));
    }

    /// Types a line.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn type_line(&self, text: &str) -> Result<()> {
        Ok((&*self.pty).write_all(format!("{text}\r").as_bytes())?)
    }

    /// Types a line that must not be shown.
    ///
    /// # Errors
    /// If the terminal would show it.
    pub fn type_hidden(&self, text: &str) -> Result<()> {
        ensure!(!self.echoes()?, "what is typed now can be seen:\n{}", self.printed);
        self.type_line(text)
    }

    /// Presses Ctrl-C.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn interrupt(&self) -> Result<()> {
        Ok((&*self.pty).write_all(&[3])?)
    }

    /// Whether the terminal shows what is typed.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn echoes(&self) -> Result<bool> {
        Ok(tcgetattr(&*self.pty)?.local_modes.contains(LocalModes::ECHO | LocalModes::ISIG))
    }

    /// Waits for the end of the program: how it ended, and all that was printed. The terminal must be
    /// as it was.
    ///
    /// # Errors
    /// If it does not end, or the terminal stays mute.
    pub fn end(mut self) -> Result<(ExitStatus, String)> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.note(&bytes),
                Err(RecvTimeoutError::Timeout) => bail!("it does not end:\n{}", self.printed),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait().context("a program")?;
        ensure!(self.echoes()?, "the terminal stays mute:\n{}", self.printed);
        Ok((status, std::mem::take(&mut self.printed)))
    }
}

impl Drop for Teletype {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
