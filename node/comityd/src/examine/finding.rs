//! One thing that was looked at, how bad it is, and the next step.

use crate::{
    failure::{Exit, Failure},
    system::print,
};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// In order.
    Ok,
    /// Worth knowing.
    Note,
    /// Will become a fault, or is a risk.
    Warning,
    /// It cannot be told.
    Unknown,
    /// A fault.
    Error,
}

impl Severity {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Error => "error",
        }
    }
}

/// What was found of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) part: &'static str,
    pub(crate) severity: Severity,
    /// One stable word; empty if all is well.
    pub(crate) name: &'static str,
    pub(crate) what: String,
    /// What to do; empty if nothing is to be done.
    pub(crate) next: String,
}

impl Finding {
    /// A fault as a finding: what can be read only by chance is not known to be wrong.
    pub(crate) fn of(part: &'static str, failure: Failure) -> Self {
        let severity = match (failure.exit, failure.name) {
            (Exit::Unknown, _) | (_, "FileUnusable" | "StoreUnusable" | "PermissionDenied") => {
                Severity::Unknown
            }
            _ => Severity::Error,
        };
        Self { part, severity, name: failure.name, what: failure.what, next: failure.hint }
    }

    /// For a program.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "part": self.part,
            "severity": self.severity.word(),
            "name": self.name,
            "what": self.what,
            "next": self.next,
        })
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    /// A part that is in order.
    pub(crate) fn ok(&mut self, part: &'static str, what: impl Into<String>) {
        self.add(part, Severity::Ok, "", what, "");
    }

    /// Anything.
    pub(crate) fn add(
        &mut self,
        part: &'static str,
        severity: Severity,
        name: &'static str,
        what: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.0.push(Finding { part, severity, name, what: what.into(), next: next.into() });
    }

    /// A result as a finding; its value, if there is one.
    pub(crate) fn take<T>(&mut self, part: &'static str, result: Result<T, Failure>) -> Option<T> {
        result.map_err(|failure| self.0.push(Finding::of(part, failure))).ok()
    }

    /// Prints all of them, and fails with the worst.
    ///
    /// # Errors
    /// The first fault (7), else the first thing that cannot be told (9).
    pub(crate) fn report(&self, json: bool) -> Result<(), Failure> {
        for finding in &self.0 {
            if json {
                print(&finding.json().to_string());
                continue;
            }
            let (word, part) = (finding.severity.word(), finding.part);
            let name = if finding.name.is_empty() { String::new() } else { format!(" [{}]", finding.name) };
            print(&format!("{word:<8} {part:<14} {}{name}", finding.what));
            if !finding.next.is_empty() {
                print(&format!("{:<23} {}", "", finding.next));
            }
        }
        let worst = |severity| self.0.iter().find(|finding| finding.severity == severity);
        let (exit, finding) = match (worst(Severity::Error), worst(Severity::Unknown)) {
            (Some(fault), _) => (Exit::Unproved, fault),
            (None, Some(unknown)) => (Exit::Unknown, unknown),
            (None, None) => return Ok(()),
        };
        Err(Failure::new(exit, finding.name, finding.what.clone(), finding.next.clone()))
    }
}
