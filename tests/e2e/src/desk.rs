//! People of two organisations at their terminals.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use kit::{Node, Terminal, pin_each_other};
use tempfile::TempDir;

/// Two nodes that are peers, and the people of both, logged in.
#[derive(Debug)]
pub struct Office {
    /// The node of alice, carol.
    pub acme: Node,
    /// The node of bob, dave.
    pub umbrella: Node,
    home: TempDir,
}

impl Office {
    /// Starts the nodes and logs everybody in, by their first names.
    ///
    /// # Errors
    /// If anything is refused.
    pub fn open(of_acme: &[&str], of_umbrella: &[&str]) -> Result<Self> {
        let (acme, umbrella) = (Node::start("acme.test")?, Node::start("umbrella.test")?);
        pin_each_other(&acme, &umbrella)?;
        let office =
            Self { acme, umbrella, home: tempfile::Builder::new().prefix("comity-desk-").tempdir()? };
        for (names, node) in [(of_acme, &office.acme), (of_umbrella, &office.umbrella)] {
            for name in names {
                office.enrol(name, node)?;
            }
        }
        Ok(office)
    }

    fn enrol(&self, name: &str, node: &Node) -> Result<()> {
        let account = format!("{name}@{}", node.domain());
        let data = node.data().to_str().context("text")?;
        let invited = self.comity(name, &["user", "invite", &account, "--data", data])?;
        let invitation = self.home.path().join(format!("{name}.invite"));
        std::fs::write(&invitation, &invited.stdout)?;
        let file = invitation.to_str().context("text")?;
        self.comity(name, &["login", &account, "--code-file", file])?;
        Ok(())
    }

    /// Runs `comity` as somebody.
    ///
    /// # Errors
    /// If it fails; the error holds what it said.
    pub fn comity(&self, name: &str, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(kit::comity()?);
        command.args(args).env("COMITY_HOME", self.home_of(name)).env_remove("COMITY_DATA");
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output)
    }

    /// Where somebody's device lives.
    #[must_use]
    pub fn home_of(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A terminal in which `comity tui` runs as somebody, begun in a shell.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn sit_down(&self, name: &str, columns: u16, rows: u16, options: &str) -> Result<Terminal> {
        self.sit_down_in(name, (columns, rows), "", options)
    }

    /// As [`Self::sit_down`], with variables as a shell takes them: `NO_COLOR=1`.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn sit_down_in(
        &self,
        name: &str,
        (columns, rows): (u16, u16),
        variables: &str,
        options: &str,
    ) -> Result<Terminal> {
        let terminal = Terminal::open(columns, rows)?;
        let home = quoted(&self.home_of(name));
        let program = quoted(&kit::comity()?);
        terminal.write(&format!("clear; COMITY_HOME={home} TZ=UTC {variables} {program} tui {options}"))?;
        terminal.press(&["Enter"])?;
        terminal.wait_for("● connected")?;
        Ok(terminal)
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// Two people come to talk on their terminals: the first opens the room with the second, who accepts.
///
/// # Errors
/// If one of them does not see what the other did.
pub fn meet(
    (inviter, inviter_is): (&Terminal, &str),
    (invited, invited_is): (&Terminal, &str),
) -> Result<()> {
    inviter.press(&["C-k"])?;
    inviter.write(invited_is)?;
    inviter.wait_for(&format!("write to {invited_is}"))?;
    inviter.press(&["Enter"])?;
    invited.wait_for(&format!("? {inviter_is}"))?;
    invited.press(&["M-a"])?;
    invited.wait_for(&format!("{inviter_is} wants to write to you"))?;
    invited.press(&["C-y"])?;
    inviter.wait_for("write; Enter sends")?;
    Ok(())
}
