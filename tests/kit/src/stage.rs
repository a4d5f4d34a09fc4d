//! A world in which a page with commands is followed word by word: every person of the page has a
//! shell on some machine, and what is a path, a port or a name of that machine on the page is one
//! of this world while the page is followed.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    bins,
    shell::{Answers, Ran, Shell},
    transcript::{self, Step},
};

/// Directories of a machine that the pages name.
const DIRECTORIES: &[&str] = &[
    "/var/lib/comity",
    "/backup",
    "/media/safe",
    "/run/secrets",
    "/etc/bash_completion.d",
    "/usr/local/share/man",
];

/// What systemd does with `comityd.service`, without its sandbox.
const SYSTEMCTL: &str = r#"#!/bin/bash
set -e
data=$STAGE_MACHINE/var/lib/comity log=$STAGE_MACHINE/comityd.log pid=$STAGE_MACHINE/comityd.pid
start() {
    [ -e "$data/comity.toml" ] || exit 1
    : > "$log"
    COMITY_DATA= setsid comityd run --data "$data" < /dev/null > "$log" 2>&1 &
    echo $! > "$pid"
    until grep -q "listening on" "$log"; do kill -0 $! || { cat "$log"; exit 1; }; sleep 0.02; done
}
stop() { kill -TERM "$(cat "$pid")"; while kill -0 "$(cat "$pid")" 2> /dev/null; do sleep 0.02; done; }
case "$1" in
    start) start ;;
    stop) stop ;;
    restart) stop; start ;;
    reload) kill -HUP "$(cat "$pid")" ;;
    enable) [ "$2" != --now ] || start ;;
    *) echo "systemctl $1 is not played here"; exit 1 ;;
esac
"#;

/// The world. Every process that was started in it ends with it.
#[derive(Debug)]
pub struct Stage {
    root: TempDir,
    roles: BTreeMap<String, Role>,
    answers: BTreeMap<String, String>,
    shells: BTreeMap<String, Shell>,
}

/// A person at a machine.
#[derive(Clone, Debug)]
pub struct Role {
    /// What stands on the page, and what it is here.
    words: Vec<(String, String)>,
    environment: BTreeMap<String, String>,
}

/// What was done with a page.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// The commands that were typed, as they stand on the page.
    pub commands: Vec<String>,
    /// The commands of blocks that need an installed package.
    pub left_out: Vec<String>,
}

impl Stage {
    /// An empty world with the programs under test.
    ///
    /// # Errors
    /// If the programs do not build, or those of the operating system.
    pub fn new() -> Result<Self> {
        let root = tempfile::Builder::new().prefix("comity-stage-").tempdir()?;
        for directory in ["bin", "desk"] {
            fs::create_dir(root.path().join(directory))?;
        }
        let bin = root.path().join("bin");
        symlink(bins::comity()?, bin.join("comity"))?;
        symlink(bins::comityd()?, bin.join("comityd"))?;
        fs::write(bin.join("systemctl"), SYSTEMCTL)?;
        fs::set_permissions(bin.join("systemctl"), fs::Permissions::from_mode(0o755))?;
        Ok(Self { root, roles: BTreeMap::new(), answers: BTreeMap::new(), shells: BTreeMap::new() })
    }

    /// Where the shells begin.
    #[must_use]
    pub fn desk(&self) -> PathBuf {
        self.root.path().join("desk")
    }

    /// Puts a person at a machine, which is made; `$` alone is the empty name.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn role(&mut self, who: &str, machine: &str) -> Result<&mut Role> {
        let home = self.root.path().join(machine);
        let real = |path: &str| home.join(path.trim_start_matches('/'));
        let mut words = Vec::new();
        for path in DIRECTORIES {
            let real = real(path);
            // The last of its parts is for the programs to make.
            fs::create_dir_all(if *path == "/var/lib/comity" {
                real.parent().unwrap_or(&real)
            } else {
                &real
            })?;
            words.push(((*path).to_owned(), text(&real)?));
        }
        let bin = self.root.path().join("bin");
        let path = std::env::var("PATH").unwrap_or_default();
        let environment = [
            ("PATH", format!("{}:{path}", text(&bin)?)),
            ("HOME", text(&home)?),
            ("TMPDIR", text(&home)?),
            ("STAGE_MACHINE", text(&home)?),
        ];
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.roles.insert(who.to_owned(), Role { words, environment });
        self.at(who)
    }

    /// A person who is at a machine already.
    ///
    /// # Errors
    /// If nobody has that name.
    pub fn at(&mut self, who: &str) -> Result<&mut Role> {
        self.roles.get_mut(who).with_context(|| format!("who is {who:?}?"))
    }

    /// What is typed for `‹name›`: this text, or what is in this file of the desk if it begins with
    /// `@`. What has no name here is typed as it stands.
    pub fn answer(&mut self, name: &str, text: &str) {
        self.answers.insert(name.to_owned(), text.to_owned());
    }

    /// Follows a page to its end.
    ///
    /// # Errors
    /// At the first command that does something else than the page says.
    pub fn play(&mut self, name: &str, page: &str) -> Result<Played> {
        let mut played = Played::default();
        for block in transcript::blocks(page)? {
            let info: Vec<&str> = block.info.iter().map(String::as_str).collect();
            match info.as_slice() {
                ["console"] => {
                    for step in transcript::steps(&block)? {
                        self.step(&step)
                            .with_context(|| format!("{name}:{}: {}", step.line, step.command))?;
                        played.commands.push(step.command);
                    }
                }
                ["console", "package"] => {
                    let steps = transcript::steps(&block)?.into_iter();
                    played.left_out.extend(steps.map(|step| step.command));
                }
                [_, file] => {
                    let path = self.desk().join(file);
                    fs::write(&path, block.text.join("\n") + "\n")?;
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
                }
                [] | [_] => ensure!(
                    !info.iter().any(|word| ["sh", "bash", "shell"].contains(word)),
                    "{name}:{}: commands are written as `console`, so that they are run",
                    block.line
                ),
                _ => anyhow::bail!("{name}:{}: what is {info:?}?", block.line),
            }
        }
        Ok(played)
    }

    /// Types one command and compares what it shows.
    #[expect(clippy::print_stderr, reason = "a long page says how far it came")]
    fn step(&mut self, step: &Step) -> Result<()> {
        let role = self.roles.get(&step.who).with_context(|| format!("who is {:?}?", step.who))?.clone();
        let shell = match self.shells.remove(&step.who) {
            Some(shell) => shell,
            None => Shell::open(&self.desk(), &role.environment)?,
        };
        let shell = self.shells.entry(step.who.clone()).or_insert(shell);
        let mut typing = Typing::of(step, &role, &self.answers, &self.root.path().join("desk"))?;
        let began = std::time::Instant::now();
        let ran = shell.run(&role.here(&step.command), &mut typing)?;
        let shown: Vec<String> = ran.shown.iter().map(|line| role.there(line)).collect();
        let took = began.elapsed().as_millis();
        eprintln!("{}$ {}\n{}\n[{}] {took} ms", step.who, step.command, shown.join("\n"), ran.code);
        judge(step, &Ran { shown, ..ran })
    }
}

fn judge(step: &Step, ran: &Ran) -> Result<()> {
    let shown = ran.shown.join("\n");
    ensure!(ran.code == step.code, "ended with {} and not with {}:\n{shown}", ran.code, step.code);
    let wanted = step.lines();
    ensure!(
        transcript::fits(&wanted, &ran.shown),
        "the page shows\n{}\nand it was\n{shown}",
        wanted.join("\n")
    );
    Ok(())
}

impl Role {
    /// What stands on the page as `there` is `here` in this world; the longest word goes first.
    pub fn word(&mut self, there: &str, here: &str) -> &mut Self {
        self.words.push((there.to_owned(), here.to_owned()));
        self.words.sort_by_key(|(there, _)| std::cmp::Reverse(there.len()));
        self
    }

    /// Sets a variable; words of the page in it are those of this world.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        let value = self.here(value);
        self.environment.insert(name.to_owned(), value);
        self
    }

    /// Each word once: a path of the page may end with another, and so may what stands for it here.
    fn here(&self, text: &str) -> String {
        let (mut done, mut rest, mut before) = (String::new(), text, ' ');
        while let Some(first) = rest.chars().next() {
            let begins = |(there, _): &&(String, String)| {
                rest.starts_with(there) && !(there.starts_with('/') && before.is_alphanumeric())
            };
            match self.words.iter().find(begins) {
                Some((there, here)) => {
                    done.push_str(here);
                    before = there.chars().next_back().unwrap_or(first);
                    rest = &rest[there.len()..];
                }
                None => {
                    done.push(first);
                    before = first;
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        done
    }

    fn there(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (there, here)| text.replace(here, there))
    }
}

/// What is typed while a command runs.
struct Typing<'a> {
    role: &'a Role,
    /// Behind which lines, and what; the next is the last.
    left: Vec<(Vec<String>, String)>,
}

impl<'a> Typing<'a> {
    fn of(step: &Step, role: &'a Role, answers: &BTreeMap<String, String>, desk: &Path) -> Result<Self> {
        let mut left = Vec::new();
        for (behind, name) in step.typed() {
            let text = answers.get(&name).unwrap_or(&name);
            let text = match (transcript::key(text), text.strip_prefix('@')) {
                (Some(key), _) => char::from(key).to_string(),
                (None, Some(file)) => fs::read_to_string(desk.join(file))?.trim().to_owned() + "\n",
                (None, None) => format!("{text}\n"),
            };
            left.push((behind, text));
        }
        left.reverse();
        Ok(Self { role, left })
    }
}

impl Answers for Typing<'_> {
    fn next(&mut self, shown: &[String]) -> Option<String> {
        let shown: Vec<String> = shown.iter().map(|line| self.role.there(line)).collect();
        let (behind, _) = self.left.last()?;
        transcript::begins(behind, &shown).then(|| self.left.pop()).flatten().map(|(_, text)| text)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shells.clear();
        // Whatever else runs here has the path of this world in its environment, and no other does.
        let Ok(mark) = text(self.root.path()) else { return };
        let Ok(processes) = fs::read_dir("/proc") else { return };
        for process in processes.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let environment = fs::read(process.path().join("environ")).unwrap_or_default();
            if environment.windows(mark.len()).any(|window| window == mark.as_bytes())
                && let Some(pid) = Pid::from_raw(pid)
            {
                // It may have ended meanwhile.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

fn text(path: &Path) -> Result<String> {
    let path = path.to_str().ok_or(std::io::Error::from(ErrorKind::InvalidFilename))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_replaced_where_it_stands_alone() {
        let mut role = Role { words: Vec::new(), environment: BTreeMap::new() };
        role.word("/backup", "/w/backup").word("/run/secrets", "/w/run/secrets").word("@3", "@7");
        let line = "cat /run/secrets/backup /backup/monday > \"/backup\" @3";
        let here = "cat /w/run/secrets/backup /w/backup/monday > \"/w/backup\" @7";
        assert_eq!((role.here(line), role.there(here)), (here.to_owned(), line.to_owned()));
    }
}
