//! What can go wrong, for a person and for a script: a sentence, its causes, the next step, and an
//! exit code by class (`spec/10-errors.md`).

use wire::{ErrorCode, WireError};

/// The exit codes that are not the class of a protocol error.
pub(crate) mod exit {
    /// Done.
    pub(crate) const DONE: u8 = 0;
    /// Failed for another reason.
    pub(crate) const FAILED: u8 = 1;
    /// The command line is at fault.
    pub(crate) const USAGE: u8 = 2;
    /// No such thing.
    pub(crate) const NOT_FOUND: u8 = 3;
    /// Log in or unlock first.
    pub(crate) const LOG_IN: u8 = 4;
    /// What was checked is not as it should be.
    pub(crate) const BAD: u8 = 7;
    /// What was waited for has not happened yet.
    pub(crate) const PENDING: u8 = 8;
    /// The other side cannot be reached.
    pub(crate) const UNREACHABLE: u8 = 9;
    /// The local disk or directory.
    pub(crate) const STORAGE: u8 = 10;
    /// SIGINT.
    pub(crate) const INTERRUPTED: u8 = 130;
    /// The reader of our output went away.
    pub(crate) const PIPE: u8 = 141;
    /// A fault of this program.
    pub(crate) const BUG: u8 = 255;

    /// Every class with its meaning, as `comity util exit-codes` prints them.
    pub(crate) const ALL: &[(u8, &str)] = &[
        (DONE, "done"),
        (FAILED, "failed, other"),
        (USAGE, "usage: the command line is at fault"),
        (NOT_FOUND, "not found"),
        (LOG_IN, "log in or unlock first"),
        (5, "refused by policy or role"),
        (6, "conflict, stale or expired"),
        (BAD, "verification failed: a key, a signature or a history is not what it should be"),
        (PENDING, "pending: what was waited for has not happened yet"),
        (UNREACHABLE, "unreachable, or it cannot be told: try again"),
        (STORAGE, "storage: a disk is full or a directory cannot be used"),
        (11, "limit or quota"),
        (INTERRUPTED, "interrupted"),
        (PIPE, "the reader of the output went away"),
        (BUG, "a bug: report it"),
    ];
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct CliError {
    exit: u8,
    name: &'static str,
    number: Option<u32>,
    retryable: bool,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl CliError {
    fn local(exit: u8, name: &'static str, message: String) -> Self {
        Self { exit, name, number: None, retryable: false, message, causes: Vec::new(), hint: None }
    }

    /// The command line is at fault.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::local(exit::USAGE, "Usage", message.into())
    }

    /// The settings are at fault.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::local(exit::USAGE, "Config", message.into())
    }

    /// What was to be checked is not as it should be.
    pub(crate) fn bad(name: &'static str, message: impl Into<String>) -> Self {
        Self::local(exit::BAD, name, message.into())
    }

    /// No such thing on this machine.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::local(exit::NOT_FOUND, "NotFound", message.into())
    }

    /// Something is there already that is not to be replaced.
    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::local(ErrorCode::Conflict.exit(), "Exists", message.into())
    }

    /// No account is logged in here.
    pub(crate) fn log_in(message: impl Into<String>) -> Self {
        Self::local(exit::LOG_IN, "LogIn", message.into())
    }

    /// The device is locked.
    pub(crate) fn locked(message: impl Into<String>) -> Self {
        Self::local(exit::LOG_IN, "Locked", message.into())
    }

    /// The passphrase is another one.
    pub(crate) fn wrong_passphrase(message: impl Into<String>) -> Self {
        Self::local(exit::LOG_IN, "WrongPassphrase", message.into())
    }

    /// The system's keyring cannot be used.
    pub(crate) fn keyring(message: impl Into<String>) -> Self {
        Self::local(exit::STORAGE, "Keyring", message.into())
    }

    /// What was waited for has not happened.
    pub(crate) fn pending(message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::local(exit::PENDING, "Pending", message.into()) }
    }

    /// Nobody answers.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::local(exit::UNREACHABLE, "Unreachable", message.into()) }
    }

    /// A question that has no answer yet.
    pub(crate) fn cannot_tell(message: impl Into<String>) -> Self {
        Self::local(exit::UNREACHABLE, "CannotTell", message.into())
    }

    /// A local file or directory cannot be used.
    pub(crate) fn storage(message: impl Into<String>) -> Self {
        Self::local(exit::STORAGE, "Storage", message.into())
    }

    /// Something else failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::local(exit::FAILED, "Failed", message.into())
    }

    /// Something was looked into and is not good; the class says what.
    pub(crate) fn found(exit: u8, message: impl Into<String>) -> Self {
        Self::local(exit, "Findings", message.into())
    }

    /// The user pressed Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self::local(exit::INTERRUPTED, "Interrupted", "interrupted".to_owned())
    }

    /// What was told already: only its exit code is left.
    pub(crate) fn told(exit: u8) -> Self {
        Self::local(exit, "Told", String::new())
    }

    /// Whether there is nothing to tell.
    pub(crate) const fn is_silent(&self) -> bool {
        self.message.is_empty() || matches!(self.exit, exit::PIPE | exit::INTERRUPTED)
    }

    /// A fault of this program.
    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::local(exit::BUG, "Internal", message.into())
            .hint("this is a bug: report it with the command that you typed")
    }

    /// An error of the protocol while doing `what`.
    pub(crate) fn wire(what: impl Into<String>, error: WireError) -> Self {
        let code = error.code;
        let mut made = Self {
            exit: code.exit(),
            name: code.name(),
            number: Some(code.code()),
            retryable: code.retryable(),
            message: what.into(),
            causes: vec![format!("{}: {}", code.name(), code.meaning())],
            hint: Some(code.hint().to_owned()),
        };
        if error.retry_after_ms > 0 {
            made.causes.push(format!("it may be repeated in {}", period(error.retry_after_ms)));
        }
        if code == ErrorCode::ClockSkew && error.value > 0 {
            made.causes.push(format!("the other clock says {}", crate::output::rfc3339(error.value)));
        }
        made
    }

    /// What a verb finds itself: number, name and class of the list, and words of its own only.
    pub(crate) fn found_by_verb(what: impl Into<String>, code: ErrorCode) -> Self {
        Self { causes: Vec::new(), hint: None, ..Self::wire(what, code.into()) }
    }

    /// In the words of the verb, which knows what the error means here, in place of what it means
    /// anywhere. Name, number and class stay.
    pub(crate) fn means(mut self, sentence: impl Into<String>) -> Self {
        if let Some(general) = self.causes.first_mut().filter(|_| self.number.is_some()) {
            *general = sentence.into();
        }
        self
    }

    /// Something is larger than it may be, while doing `what`; the sentence says how large it is and how
    /// large it may be.
    pub(crate) fn too_large(what: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self::wire(what, ErrorCode::TooLarge.into()).means(sentence)
    }

    /// What stands below the sentence.
    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }

    /// Whether one of its causes speaks of this.
    pub(crate) fn says(&self, word: &str) -> bool {
        self.causes.iter().any(|cause| cause.contains(word))
    }

    /// Whether it is this error of the protocol.
    pub(crate) fn is(&self, code: ErrorCode) -> bool {
        self.number == Some(code.code())
    }

    /// The account is suspended, and whatever needs its node waits until it is not.
    pub(crate) fn suspended(what: impl Into<String>) -> Self {
        let mut made =
            Self::wire("your account is suspended: ask your administrator", ErrorCode::Blocked.into());
        made.causes = vec![what.into()];
        made.hint = Some("what was said before is on this device: comity read ROOM".to_owned());
        made
    }

    /// With the next step, best of all a command.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With a cause line.
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The number of the protocol's error, if it is one.
    pub(crate) const fn number(&self) -> Option<u32> {
        self.number
    }

    /// The exit code.
    pub(crate) const fn exit(&self) -> u8 {
        self.exit
    }

    /// The lines for stderr: `error:`, its causes, `hint:`.
    pub(crate) fn text(&self, style: crate::output::Style) -> String {
        use crate::output::Label;
        let mut text = format!("{} {}\n", style.paint(Label::Error, "error:"), self.message);
        for cause in &self.causes {
            text.push_str(&format!("  {cause}\n"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("{} {hint}\n", style.paint(Label::Heading, "hint:")));
        }
        text
    }

    /// The one JSON object for stderr under `--json`.
    pub(crate) fn json(&self) -> String {
        crate::output::plain(&serde_json::json!({"error": self.value()}).to_string())
    }

    /// Name, number, whether it may be repeated, message and hint.
    pub(crate) fn value(&self) -> serde_json::Value {
        let mut message = self.message.clone();
        for cause in &self.causes {
            message.push_str("; ");
            message.push_str(cause);
        }
        serde_json::json!({
            "name": self.name,
            "number": self.number,
            "retryable": self.retryable,
            "message": message,
            "hint": self.hint,
        })
    }
}

/// A time in seconds as a person says it.
pub(crate) fn seconds(seconds: u64) -> String {
    period(seconds.saturating_mul(1_000))
}

/// A time to wait, rounded up to what a person counts in.
fn period(ms: u64) -> String {
    let (count, unit) = match ms.div_ceil(1_000) {
        seconds @ 0..120 => (seconds, "second"),
        seconds @ 120..7_200 => (seconds.div_ceil(60), "minute"),
        seconds => (seconds.div_ceil(3_600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::local(exit::PIPE, "Pipe", String::new());
        }
        Self::storage("reading or writing failed").cause(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    #[test]
    fn every_protocol_error_has_a_class_that_is_listed() {
        for code in ErrorCode::ALL {
            let error = CliError::wire("x", (*code).into());
            assert!(exit::ALL.iter().any(|(exit, _)| *exit == error.exit()), "{code:?}");
            assert!(error.hint.is_some());
        }
    }

    #[test]
    fn a_wait_is_told_in_what_a_person_counts_in() {
        let told = [1, 1_001, 300_000, 299_001, 7_200_000].map(period);
        assert_eq!(told, ["1 second", "2 seconds", "5 minutes", "5 minutes", "2 hours"]);
    }

    #[test]
    fn verification_stands_alone() {
        for code in [ErrorCode::KeyUnverified, ErrorCode::BadSignature, ErrorCode::ForkedLog] {
            assert_eq!(CliError::wire("x", code.into()).exit(), 7);
        }
        assert_eq!(CliError::wire("x", ErrorCode::Unavailable.into()).exit(), 9);
    }

    #[test]
    fn text_has_error_cause_and_hint_and_json_has_the_five_fields() {
        let error = CliError::wire("cannot send", ErrorCode::Forbidden.into());
        let text = error.text(Style::new(false));
        assert!(text.starts_with("error: cannot send\n  Forbidden: "), "{text}");
        assert!(text.ends_with("hint: ask an admin of the room\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&error.json()).expect("JSON");
        let object = json["error"].as_object().expect("an object");
        assert_eq!(object.keys().collect::<Vec<_>>(), ["hint", "message", "name", "number", "retryable"]);
        assert_eq!(object["number"], 0x105);
    }
}
