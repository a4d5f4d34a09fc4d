//! A real terminal for programs that need one: tmux holds it, keys go in, and what stands on it can
//! be looked at. Where there is no tmux, a test says that it is skipped.

use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// How long something may take to stand on the screen.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// Whether there is a tmux; says so if there is none.
#[must_use]
pub fn has_terminal() -> bool {
    let found = Command::new("tmux").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        crate::skipped("there is no tmux here (apt-get install tmux)");
    }
    found
}

/// A terminal with a shell in it. Gone when dropped, with all that runs in it.
#[derive(Debug)]
pub struct Terminal {
    directory: TempDir,
}

impl Terminal {
    /// Opens one with so many columns and rows.
    ///
    /// # Errors
    /// If tmux does not start.
    pub fn open(columns: u16, rows: u16) -> Result<Self> {
        let terminal = Self { directory: tempfile::Builder::new().prefix("comity-tmux-").tempdir()? };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let shell = ["env", "PS1=ready> ", "LC_ALL=C.UTF-8", "TERM=screen-256color", "sh"];
        let size = ["new-session", "-d", "-x", &columns, "-y", &rows];
        terminal.tmux(&[&size[..], &shell[..]].concat())?;
        terminal.tmux(&["set-option", "-g", "status", "off"])?;
        terminal.tmux(&["set-option", "-g", "escape-time", "0"])?;
        terminal.tmux(&["resize-window", "-x", &columns, "-y", &rows])?;
        terminal.wait_for("ready>")?;
        Ok(terminal)
    }

    /// Writes text, as if it were typed.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write(&self, text: &str) -> Result<()> {
        self.tmux(&["send-keys", "-l", text]).map(|_| ())
    }

    /// Presses keys by tmux's names: `Enter`, `C-k`, `M-a`, `F1`.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        self.tmux(&[&["send-keys"], keys].concat()).map(|_| ())
    }

    /// Pastes text, as a terminal does for a program that tells it from typing.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn paste(&self, text: &str) -> Result<()> {
        self.tmux(&["set-buffer", "-b", "pasted", "--", text])?;
        self.tmux(&["paste-buffer", "-p", "-r", "-d", "-b", "pasted"]).map(|_| ())
    }

    /// What stands on it.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn screen(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p"])
    }

    /// What stands on it, with the escape sequences of its colours.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn coloured(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p", "-e", "-N"])
    }

    /// What tmux knows by a name: `pane_title`, `alternate_on`, `cursor_x`.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn fact(&self, name: &str) -> Result<String> {
        let fact = self.tmux(&["display-message", "-p", &format!("#{{{name}}}")])?;
        Ok(fact.trim_end().to_owned())
    }

    /// Gives it another size.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]).map(|_| ())
    }

    /// Waits until a text stands on it, and returns the screen.
    ///
    /// # Errors
    /// If it does not come; the error holds the screen.
    pub fn wait_for(&self, text: &str) -> Result<String> {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as it should be, and returns it.
    ///
    /// # Errors
    /// If it does not become so; the error holds the screen.
    pub fn wait_until(&self, what: &str, fits: impl Fn(&str) -> bool) -> Result<String> {
        let began = Instant::now();
        loop {
            let screen = self.screen()?;
            if fits(&screen) {
                return Ok(screen);
            }
            ensure!(began.elapsed() < PATIENCE, "not on the screen: {what}\n{screen}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn tmux(&self, args: &[&str]) -> Result<String> {
        let output = self.command(args)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "tmux {args:?}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new("tmux");
        command
            .arg("-S")
            .arg(self.directory.path().join("socket"))
            .args(["-f", "/dev/null", "-u"])
            .args(args);
        command.env_remove("TMUX").stdin(Stdio::null()).output().context("tmux")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.command(&["kill-server"]);
    }
}
