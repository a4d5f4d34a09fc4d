//! How `comityd` fails: a name that a script can tell apart, what went wrong, and what to do next.

use std::{io::Write as _, process::ExitCode};

use serde_json::json;

/// The classes of exit codes (`spec/10-errors.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Failed for a reason that is none of the others.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// Something that should prove itself does not.
    Unproved = 7,
    /// It cannot be told whether all is well.
    Unknown = 9,
    /// The data directory cannot be used.
    Storage = 10,
}

/// Why a command ended without doing what was asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class.
    pub(crate) exit: Exit,
    /// One word, stable.
    pub(crate) name: &'static str,
    /// What failed, in one sentence without a full stop.
    pub(crate) what: String,
    /// What a person can do next, a command if possible.
    pub(crate) hint: String,
}

impl Failure {
    pub(crate) fn new(
        exit: Exit,
        name: &'static str,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { exit, name, what: what.into(), hint: hint.into() }
    }

    /// A file that cannot be read or written.
    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::PermissionDenied {
            return crate::owner::denied(path);
        }
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "check the path; `comityd init DOMAIN --data DIR` makes a new one"
            }
            std::io::ErrorKind::StorageFull => "free space on the disk",
            _ => "check the disk and the path",
        };
        Self::new(Exit::Storage, "FileUnusable", format!("{}: {error}", path.display()), hint)
    }

    /// Says so on stderr, as one JSON object if scripts read it.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let text = if json { self.json() } else { self.text() };
        // Nobody is left to be told if stderr is closed.
        let _ = writeln!(std::io::stderr(), "{text}");
        ExitCode::from(self.exit as u8)
    }

    fn text(&self) -> String {
        format!("error: {} [{}]\nhint: {}", self.what, self.name, self.hint)
    }

    /// The shape in which `comity` tells errors. None of these has a number on the wire, and none passes by
    /// itself.
    fn json(&self) -> String {
        let Self { name, what, hint, .. } = self;
        let error =
            json!({ "name": name, "message": what, "hint": hint, "number": null, "retryable": false });
        json!({ "error": error }).to_string()
    }
}
