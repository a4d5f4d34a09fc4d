//! An organisation with a machine of its own, whose people type what a page says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use kit::{
    Answers, Shell, Terminal,
    transcript::{self, Step},
};

use crate::Machine;

/// Who has no home directory of that name: the administrator, as root and as the service's user.
const OFFICES: [(&str, &str); 2] = [("#", "root"), ("", "comity")];
/// How the page goes from the one office to the other, for good; here each has a shell.
const CHANGE_OFFICE: &str = "sudo -u comity -s";
/// Where files are exchanged, on the page.
const DESK: &str = "backup";

/// A machine, and the shells that its people have open.
#[derive(Debug)]
pub struct Organisation {
    machine: Machine,
    /// What stands on the page, and what it is here.
    words: Vec<(String, String)>,
    /// Settings of every shell, as `NAME=value`.
    settings: Vec<String>,
    shells: BTreeMap<String, Shell>,
}

impl Organisation {
    /// Moves in on a machine, where the page's words mean these.
    ///
    /// # Errors
    /// If the people cannot be made users of it.
    pub fn new(machine: Machine, people: &[&str], words: &[(&str, &str)], settings: &[&str]) -> Result<Self> {
        for person in people {
            machine.run(&format!("useradd --create-home {person}"))?;
        }
        let words = words.iter().map(|(said, meant)| ((*said).to_owned(), (*meant).to_owned())).collect();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Ok(Self { machine, words, settings, shells: BTreeMap::new() })
    }

    /// The machine.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The desk on which the page's files are exchanged, as this system sees it.
    #[must_use]
    pub fn desk(&self) -> PathBuf {
        self.machine.place().join(DESK)
    }

    /// Types what stands on the page and answers what is asked. It must end as the page says, and show
    /// what the page shows if that is wanted.
    ///
    /// # Errors
    /// If it does not; the error holds what was shown.
    pub fn follow(&mut self, step: &Step, shown_too: bool) -> Result<()> {
        let there: Vec<_> = self.words.iter().map(|(said, meant)| (meant.clone(), said.clone())).collect();
        let mut answering = Answering { left: Vec::new(), there: &there };
        for (behind, name) in step.typed() {
            let text = match name.as_str() {
                "the invitation" => self.invitation()?,
                _ => name,
            };
            answering.left.insert(0, (behind, format!("{text}\n")));
        }
        let mut command = translated(&step.command, &self.words);
        if command == CHANGE_OFFICE {
            command = format!("{CHANGE_OFFICE} id");
        }
        let who = translated(&step.who, &self.words);
        let ran = self.shell(&who)?.run(&command, &mut answering);
        let ran = ran.with_context(|| format!("line {}: {command}", step.line))?;
        let shown: Vec<String> = ran.shown.iter().map(|line| translated(line, &there)).collect();
        let all = shown.join("\n");
        ensure!(ran.code == step.code, "line {}: {command} ends with {}:\n{all}", step.line, ran.code);
        let fits =
            !shown_too || command.starts_with(CHANGE_OFFICE) || transcript::fits(&step.lines(), &shown);
        ensure!(fits, "line {}: {command} shows:\n{all}", step.line);
        Ok(())
    }

    /// The newest invitation on the desk.
    fn invitation(&self) -> Result<String> {
        let path = translated("alice.invite", &self.words);
        Ok(fs::read_to_string(self.desk().join(path))?.trim().to_owned())
    }

    fn shell(&mut self, who: &str) -> Result<&mut Shell> {
        if !self.shells.contains_key(who) {
            let path = std::env::var("PATH").unwrap_or_default();
            let mut shell = Shell::open(Path::new("/"), &BTreeMap::from([("PATH".to_owned(), path)]))?;
            let user = OFFICES.iter().find(|(name, _)| *name == who).map_or(who, |(_, user)| user);
            let (entrance, settings) = (self.machine.entrance(user, true).join(" "), self.settings.join(" "));
            let prompts = "PS1=\"$PS1\" PS2= PROMPT_COMMAND=\"$PROMPT_COMMAND\" TERM=xterm NO_COLOR=1";
            let bash = "bash --noprofile --norc --noediting -i";
            shell.run(&format!("exec {entrance} {settings} {prompts} {bash}"), &mut ())?;
            self.shells.insert(who.to_owned(), shell);
        }
        self.shells.get_mut(who).context("it was opened")
    }

    /// A terminal at which `comity tui` runs as somebody, unlocked.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn sit_down(&self, person: &str, passphrase: &str) -> Result<Terminal> {
        let terminal = Terminal::open(100, 30)?;
        let entrance = self.machine.entrance(person, true).join(" ");
        terminal.write(&format!("clear; {entrance} TZ=UTC comity tui"))?;
        terminal.press(&["Enter"])?;
        terminal.wait_for("Passphrase")?;
        terminal.write(passphrase)?;
        terminal.press(&["Enter"])?;
        terminal.wait_for("● connected")?;
        Ok(terminal)
    }
}

/// What is typed while a command runs.
struct Answering<'a> {
    /// Behind which lines of the page, and what; the last is the next.
    left: Vec<(Vec<String>, String)>,
    there: &'a [(String, String)],
}

impl Answers for Answering<'_> {
    fn next(&mut self, shown: &[String]) -> Option<String> {
        let shown: Vec<String> = shown.iter().map(|line| translated(line, self.there)).collect();
        let (behind, _) = self.left.last()?;
        transcript::begins(behind, &shown).then(|| self.left.pop()).flatten().map(|(_, text)| text)
    }
}

/// Each word at once, so that two names can change places.
fn translated(text: &str, words: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = words.iter().find(|(said, _)| rest.starts_with(said.as_str()));
        let (length, meant) = match word {
            Some((said, meant)) => (said.len(), meant.as_str()),
            None => (first.len_utf8(), rest.get(..first.len_utf8()).unwrap_or_default()),
        };
        out.push_str(meant);
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_change_places() {
        let words = [("acme", "umbrella"), ("umbrella", "acme")];
        let words = words.map(|(said, meant)| (said.to_owned(), meant.to_owned()));
        assert_eq!(translated("é acme umbrella acmé", &words), "é umbrella acme acmé");
    }
}
