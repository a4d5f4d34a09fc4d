//! What every verb is given: the options that stand before all verbs, the environment, and the
//! three streams. This is the only file that reads the environment.

use std::{
    env,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use wire::Account;

use crate::{
    args::{Colour, Global},
    error::CliError,
    output::{Fields, Label, List, Paper, Row, Show, Style},
};

/// The surroundings of one command.
#[derive(Debug)]
pub(crate) struct Context {
    json: Option<Fields>,
    quiet: bool,
    out: Style,
    err: Style,
    out_terminal: bool,
    err_terminal: bool,
    can_prompt: bool,
    home: Option<PathBuf>,
    account: Option<String>,
    data: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
}

impl Context {
    /// From the options and the environment: an option wins over a variable.
    pub(crate) fn new(global: &Global) -> Self {
        let out_terminal = io::stdout().is_terminal();
        let err_terminal = io::stderr().is_terminal();
        let plain = set("NO_COLOR") || env::var("TERM").is_ok_and(|term| term == "dumb");
        let colour = |terminal: bool| match global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !plain,
        };
        Self {
            json: global.json.as_deref().map(Fields::parse),
            quiet: global.quiet,
            out: Style::new(colour(out_terminal)),
            err: Style::new(colour(err_terminal)),
            out_terminal,
            err_terminal,
            can_prompt: io::stdin().is_terminal() && err_terminal && !set("COMITY_NO_PROMPT"),
            home: global.home.clone().or_else(default_home),
            account: global.account.clone().or_else(|| env::var("COMITY_AS").ok()),
            data: env::var_os("COMITY_DATA").map(PathBuf::from),
            passphrase_file: global.passphrase_file.clone().or_else(|| variable("COMITY_PASSPHRASE_FILE")),
        }
    }

    /// The directory of the device that the command acts as.
    ///
    /// # Errors
    /// `LogIn` if there is none, usage if it is not clear which.
    pub(crate) fn profile(&self) -> Result<PathBuf, CliError> {
        let home = self.home()?;
        let mut accounts = accounts_in(home);
        let Some(wanted) = &self.account else {
            return match accounts.len() {
                0 => Err(not_logged_in(home)),
                1 => Ok(home.join(accounts.remove(0))),
                _ => Err(CliError::usage("several accounts are logged in here")
                    .cause(accounts.join(", "))
                    .hint(format!(
                        "say which: comity --as {} ...",
                        accounts.first().cloned().unwrap_or_default()
                    ))),
            };
        };
        let wanted = wanted.to_ascii_lowercase();
        if accounts.contains(&wanted) {
            return Ok(home.join(wanted));
        }
        let mut found: Vec<String> =
            accounts.iter().filter(|name| name.split('@').next() == Some(wanted.as_str())).cloned().collect();
        match found.len() {
            1 => Ok(home.join(found.remove(0))),
            0 if accounts.is_empty() => Err(not_logged_in(home)),
            0 => Err(CliError::log_in(format!("{} is not logged in here", crate::output::line(&wanted)))
                .cause(format!("logged in are: {}", accounts.join(", ")))
                .hint("comity login ACCOUNT")),
            _ => Err(CliError::usage("several accounts have this name").cause(found.join(", "))),
        }
    }

    /// Where the device of an account lives or will live.
    ///
    /// # Errors
    /// Usage if no home directory is known.
    pub(crate) fn profile_of(&self, account: &Account) -> Result<PathBuf, CliError> {
        Ok(self.home()?.join(account.as_str()))
    }

    /// Where all devices of this person live.
    ///
    /// # Errors
    /// Usage if it is not known.
    pub(crate) fn home(&self) -> Result<&Path, CliError> {
        self.home.as_deref().ok_or_else(|| {
            CliError::usage("there is no home directory").hint("set COMITY_HOME to a directory of your own")
        })
    }

    /// The node's data directory for an administrative verb.
    ///
    /// # Errors
    /// Usage if it is not named.
    pub(crate) fn data(&self, option: Option<&PathBuf>) -> Result<PathBuf, CliError> {
        option.or(self.data.as_ref()).cloned().ok_or_else(|| {
            CliError::usage("which node? its data directory is not named")
                .hint("add --data DIR, or set COMITY_DATA, to what `comityd run` was given")
        })
    }

    /// Whether a question may be asked.
    pub(crate) const fn can_prompt(&self) -> bool {
        self.can_prompt
    }

    /// The file with the passphrase of the device, if it was named.
    pub(crate) fn passphrase_file(&self) -> Option<&Path> {
        self.passphrase_file.as_deref()
    }

    /// Asks before something that cannot be taken back is done.
    ///
    /// # Errors
    /// Usage if the answer is not yes, or nobody can be asked and `--yes` was not given.
    pub(crate) fn confirm(&self, yes: bool, question: &str) -> Result<(), CliError> {
        if yes {
            return Ok(());
        }
        if !self.can_prompt {
            return Err(CliError::usage(format!("{question} nobody can be asked here"))
                .hint("add --yes if it is to be done"));
        }
        let _ = write!(io::stderr(), "{question} [y/N] ");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        io::stdin().lock().take(64).read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(CliError::usage("not confirmed: nothing was done")),
        }
    }

    /// Whether a person types the input.
    pub(crate) fn stdin_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Whether results are JSON.
    pub(crate) const fn is_json(&self) -> bool {
        self.json.is_some()
    }

    /// Whether eyes read the results.
    pub(crate) const fn terminal(&self) -> bool {
        self.out_terminal
    }

    /// Whether eyes read the status, so that it may be rewritten in place.
    pub(crate) const fn live_status(&self) -> bool {
        self.err_terminal && !self.quiet
    }

    /// The style of the results.
    pub(crate) const fn style(&self) -> Style {
        self.out
    }

    /// Refuses unknown fields of `--json=…`, before anything is done.
    ///
    /// # Errors
    /// Usage.
    pub(crate) fn check_fields(&self, fields: &[&str]) -> Result<(), CliError> {
        self.json.as_ref().map_or(Ok(()), |json| json.check(fields))
    }

    /// Prints a result.
    ///
    /// # Errors
    /// A broken pipe.
    pub(crate) fn show<T: Show>(&self, value: &T) -> Result<(), CliError> {
        if let Some(fields) = &self.json {
            return print(&format!("{}\n", fields.line(value)?));
        }
        let mut paper = self.paper();
        value.show(&mut paper);
        print(&paper.into_text())
    }

    /// Prints a list.
    ///
    /// # Errors
    /// A broken pipe.
    pub(crate) fn list<T: Row>(&self, list: &List<T>) -> Result<(), CliError> {
        if let Some(fields) = &self.json {
            return list.rows.iter().try_for_each(|row| print(&format!("{}\n", fields.line(row)?)));
        }
        if list.rows.is_empty() {
            self.status(list.empty);
        }
        let mut paper = self.paper();
        list.show(&mut paper);
        print(&paper.into_text())
    }

    fn paper(&self) -> Paper {
        Paper::new(self.out, self.out_terminal, now_ms())
    }

    /// Says something on stderr, unless told to be quiet.
    pub(crate) fn status(&self, text: &str) {
        if !self.quiet && !self.is_json() {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Names the next step on stderr.
    pub(crate) fn hint(&self, text: &str) {
        self.status(&format!("{} {text}", self.err.paint(Label::Heading, "hint:")));
    }

    /// Warns on stderr, unless told to be quiet.
    pub(crate) fn warn(&self, text: &str) {
        self.status(&format!("{} {text}", self.err.paint(Label::Warning, "warning:")));
    }

    /// Rewrites one line of status in place; does nothing unless eyes read it.
    pub(crate) fn live(&self, text: &str) {
        if self.live_status() && !self.is_json() {
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
            let _ = io::stderr().flush();
        }
    }

    /// Reports a failure on stderr.
    pub(crate) fn report(&self, error: &CliError) {
        use crate::error::exit::{INTERRUPTED, PIPE};
        if matches!(error.exit(), PIPE | INTERRUPTED) {
            return;
        }
        let text = if self.is_json() { format!("{}\n", error.json()) } else { error.text(self.err) };
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn default_home() -> Option<PathBuf> {
    variable("COMITY_HOME")
        .or_else(|| variable("XDG_DATA_HOME").map(|data| data.join("comity")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/share/comity")))
}

fn accounts_in(home: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(home) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| client::is_device(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.parse::<Account>().is_ok())
        .collect();
    names.sort();
    names
}

fn not_logged_in(home: &Path) -> CliError {
    CliError::log_in(format!("nobody is logged in in {}", home.display()))
        .hint("ask your administrator for an invitation, then: comity login ACCOUNT")
}
