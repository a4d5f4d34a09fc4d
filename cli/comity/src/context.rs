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
    config::{self, Fault, Key, Settings},
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
    settings: Settings,
    faults: Vec<Fault>,
}

/// What a terminal can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Eyes {
    /// Colours.
    pub(crate) colour: bool,
    /// More than ASCII.
    pub(crate) unicode: bool,
    /// Its ground is light.
    pub(crate) light: bool,
    /// The session has a bus, and so a desktop that can be told.
    pub(crate) desktop: bool,
    /// This person lets colleagues see that they are here.
    pub(crate) presence: bool,
    /// What the settings say of the colours: auto, dark, light or mono.
    pub(crate) theme: String,
}

impl Context {
    /// From the options, the environment and the settings: an option wins over a variable, a
    /// variable over the file.
    pub(crate) fn new(global: &Global) -> Self {
        let (settings, faults) = settings(global);
        let out_terminal = io::stdout().is_terminal();
        let err_terminal = io::stderr().is_terminal();
        let plain = set("NO_COLOR") || env::var("TERM").is_ok_and(|term| term == "dumb");
        let colour = |terminal: bool| match settings.get("color") {
            "always" => true,
            "never" => false,
            _ => terminal && !plain,
        };
        let theme = config::theme_of(|name| settings.get(name).to_owned());
        let said = |name: &str| Some(settings.get(name).to_owned()).filter(|value| !value.is_empty());
        Self {
            json: global.json.as_deref().map(Fields::parse),
            quiet: settings.get("quiet") == "true",
            out: Style::themed(colour(out_terminal), theme),
            err: Style::themed(colour(err_terminal), theme),
            out_terminal,
            err_terminal,
            can_prompt: io::stdin().is_terminal() && err_terminal && !set("COMITY_NO_PROMPT"),
            home: global.home.clone().or_else(default_home),
            account: said("account"),
            data: said("data").map(PathBuf::from),
            settings,
            faults,
            passphrase_file: global.passphrase_file.clone().or_else(|| variable("COMITY_PASSPHRASE_FILE")),
        }
    }

    /// The settings of this person.
    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is wrong with the settings.
    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// That the settings can be used; `comity config` is for the case that they cannot.
    ///
    /// # Errors
    /// `Config` with every fault.
    pub(crate) fn check_settings(&self) -> Result<(), CliError> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let error = CliError::config("the settings cannot be used").hint("comity config check");
        Err(self.faults.iter().fold(error, |error, fault| error.cause(fault.to_string())))
    }

    /// How many seconds a verb waits, unless an option of it says so.
    pub(crate) fn timeout(&self, option: Option<u64>) -> u64 {
        option.or_else(|| self.settings.get("timeout").parse().ok()).unwrap_or(30)
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

    /// The accounts that are logged in on this machine, each with its directory.
    ///
    /// # Errors
    /// Usage if no home directory is known.
    pub(crate) fn profiles(&self) -> Result<Vec<(String, PathBuf)>, CliError> {
        let home = self.home()?;
        Ok(accounts_in(home).into_iter().map(|name| (name.clone(), home.join(name))).collect())
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

    /// The file with the token of `comity bot hook`, if a variable names it.
    pub(crate) fn hook_token_file() -> Option<PathBuf> {
        variable("COMITY_HOOK_TOKEN_FILE")
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

    /// Whether the whole terminal may be used.
    pub(crate) fn whole_terminal(&self) -> bool {
        self.out_terminal && io::stdin().is_terminal()
    }

    /// What the terminal can show, as far as the environment says so.
    pub(crate) fn eyes(&self) -> Eyes {
        let said = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = said("LC_ALL").or_else(|| said("LC_CTYPE")).or_else(|| said("LANG")).unwrap_or_default();
        // Terminals that say so say `15;0` or `0;15`: letters, then ground; 7 and 9 to 15 are light.
        let ground = said("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
        Eyes {
            colour: self.out.is_coloured(),
            unicode: locale.to_ascii_lowercase().replace('-', "").contains("utf8"),
            light: ground.is_some_and(|ground| matches!(ground, 7 | 9..=15)),
            desktop: said("DBUS_SESSION_BUS_ADDRESS").is_some(),
            presence: self.settings.get(config::PRESENCE) == "on",
            theme: self.settings.get(config::TUI_THEME).to_owned(),
        }
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

    /// Prints a value as one JSON object on a line, whether or not `--json` was given.
    ///
    /// # Errors
    /// A broken pipe.
    pub(crate) fn json_line<T: serde::Serialize>(&self, value: &T) -> Result<(), CliError> {
        let all = Fields::default();
        print(&format!("{}\n", self.json.as_ref().unwrap_or(&all).line(value)?))
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

    /// Draws a QR code on stderr, if eyes are there to see it.
    pub(crate) fn qr(&self, text: &str) {
        if self.live_status() && !self.is_json() {
            for line in crate::output::qr(text, self.err) {
                self.status(&line);
            }
        }
    }

    /// Asks a question that is answered by yes or no; no if nobody can be asked.
    ///
    /// # Errors
    /// Stdin that cannot be read.
    pub(crate) async fn agrees(&self, question: &str) -> Result<bool, CliError> {
        if !self.can_prompt {
            return Ok(false);
        }
        let _ = write!(io::stderr(), "{question} [y/N] ");
        let _ = io::stderr().flush();
        let read = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = read.await.map_err(|error| CliError::bug(error.to_string()))??;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
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
        if error.is_silent() {
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

/// The settings that hold with these options.
fn settings(global: &Global) -> (Settings, Vec<Fault>) {
    let option = |key: &Key| match key.name {
        "account" => global.account.clone(),
        "quiet" => global.quiet.then(|| "true".to_owned()),
        "color" => global.color.map(|colour| match colour {
            Colour::Auto => "auto".to_owned(),
            Colour::Always => "always".to_owned(),
            Colour::Never => "never".to_owned(),
        }),
        _ => None,
    };
    let said = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    Settings::gather(option, said, settings_path(global))
}

/// Where the settings are: named, in the home of one's own choice, or where programs of this system
/// have theirs.
fn settings_path(global: &Global) -> Option<PathBuf> {
    let home = global.home.clone().or_else(|| variable("COMITY_HOME"));
    variable("COMITY_CONFIG")
        .or_else(|| home.map(|home| home.join("config.toml")))
        .or_else(|| variable("XDG_CONFIG_HOME").map(|dir| dir.join("comity/config.toml")))
        .or_else(|| variable("HOME").map(|home| home.join(".config/comity/config.toml")))
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
