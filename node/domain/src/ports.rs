//! What the core needs of the outside beside a store and time, as traits that others implement.
//!
//! # Who says that a secret proves an account
//!
//! The core is one thread that never waits, and has no password check of its own: it asks
//! ([`crate::Output::Prove`]) and hears the answer as an input ([`crate::Input::Proved`]). The driver
//! carries the question to an [`Authenticator`], of which a domain has one. The passwords that the
//! node keeps itself are one; a directory (LDAP bind) or an identity provider (OIDC) would be others,
//! behind the same trait:
//!
//! - The question comes only after the core has counted the try against the account and the network,
//!   and has bounded how many wait: an implementation need not defend itself against guessing.
//! - It must be answered alike, in time and in words, whether the account exists or not.
//! - What is kept of a secret is opaque to the core and the store. Who keeps nothing here is given
//!   `None`, answers [`Verdict::Proved`] by what another system says, and refuses [`Question::Keep`]
//!   with `Unsupported`.
//! - What does not decide at the moment (a directory that is away) is [`Verdict::Refused`] with
//!   `Unavailable`: the try is given back and the person told to come again.
//! - Whatever it says, it says only that somebody may enrol the account's first device. Keys are the
//!   person's own and are never in question here.

use wire::{Account, ErrorCode};
use zeroize::Zeroizing;

/// A secret on its way to whoever can judge it; wiped when dropped, and never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A copy of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret")
    }
}

/// What is kept of a secret, in the form of whoever made it.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept(pub String);

impl std::fmt::Debug for Kept {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Kept")
    }
}

/// One thing to find out about a secret.
#[derive(Clone, Debug)]
pub enum Question {
    /// Does this secret prove this account?
    Prove {
        /// Which account of this domain. It need not exist.
        account: Account,
        /// What was given.
        secret: Secret,
        /// What is kept here for the account, if anything.
        kept: Option<Kept>,
    },
    /// What is to be kept of this secret?
    Keep {
        /// The secret.
        secret: Secret,
    },
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Proved {
        /// To be kept from now on instead of what was kept.
        renewed: Option<Kept>,
    },
    /// It does not, or there is no such account: the two are one.
    NotProved,
    /// Keep this.
    Kept(Kept),
    /// It could not be found out.
    Refused(ErrorCode),
}

/// Says whether secrets prove accounts. See the module's page for what is asked of one.
pub trait Authenticator: std::fmt::Debug + Send + Sync {
    /// Takes a question and returns at once; the answer comes by `reply`, within
    /// `REQUEST_DEADLINE_MS`, from whatever thread.
    fn ask(&self, question: Question, reply: Reply);
}

/// The way of an answer. Dropped without one, it answers `Unavailable`: no question stays open.
pub struct Reply(Option<Box<dyn FnOnce(Verdict) + Send>>);

impl Reply {
    /// Whoever is to hear the answer.
    pub fn new(hear: impl FnOnce(Verdict) + Send + 'static) -> Self {
        Self(Some(Box::new(hear)))
    }

    /// Answers.
    pub fn give(mut self, verdict: Verdict) {
        self.hear(verdict);
    }

    fn hear(&mut self, verdict: Verdict) {
        if let Some(hear) = self.0.take() {
            hear(verdict);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.hear(Verdict::Refused(ErrorCode::Unavailable));
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Reply")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn every_question_is_answered_once() {
        let heard: Arc<Mutex<Vec<Verdict>>> = Arc::default();
        let reply = || {
            let heard = Arc::clone(&heard);
            Reply::new(move |verdict| heard.lock().expect("not poisoned").push(verdict))
        };
        reply().give(Verdict::NotProved);
        drop(reply());
        let expected = [Verdict::NotProved, Verdict::Refused(ErrorCode::Unavailable)];
        assert_eq!(*heard.lock().expect("not poisoned"), expected);
    }

    #[test]
    fn secrets_have_no_way_into_text() {
        let question = Question::Prove {
            account: "alice@acme.test".parse().expect("an account"),
            secret: Secret::new(b"correct horse"),
            kept: Some(Kept("$argon2id$battery".to_owned())),
        };
        let text = format!("{question:?}");
        assert!(!text.contains("horse") && !text.contains("argon2id"), "{text}");
        assert!(!text.contains("99"), "not as numbers either: {text}");
    }
}
