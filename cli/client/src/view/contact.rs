//! Whom an account hears from.

use serde::{Deserialize, Serialize};

/// Who of other domains may start a conversation at present, and whose word that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactState {
    /// What holds.
    pub policy: Contact,
    /// Whether the account has set it; else it is its domain's, which may change.
    pub own: bool,
}

/// Who of other domains may start a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contact {
    /// Everybody.
    Open,
    /// Everybody, after a question.
    Ask,
    /// Nobody.
    Deny,
}
