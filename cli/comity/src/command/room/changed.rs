//! What the verbs that change a room return, and how long they wait.

use client::Changed;

use crate::output::{Label, Paper, Show};

/// How long a change may take before it goes on by itself.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Patience {
    /// Stop waiting after so many seconds; the change goes on by itself
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(super) timeout: u64,
}

/// A change that was made.
#[derive(Debug, serde::Serialize)]
pub(super) struct Shown {
    pub(super) room: String,
    pub(super) done: &'static str,
    pub(super) added: Vec<String>,
    pub(super) refused: Vec<Refused>,
}

/// An account that could not be added.
#[derive(Debug, serde::Serialize)]
pub(super) struct Refused {
    account: String,
    error: String,
}

impl Shown {
    /// A change that adds nobody.
    pub(super) fn plain(room: &client::RoomId, done: &'static str) -> Self {
        Self { room: room.to_string(), done, added: Vec::new(), refused: Vec::new() }
    }

    /// A change that adds accounts.
    pub(super) fn of(changed: Changed, done: &'static str) -> Self {
        let refused = |(account, error)| Refused { account, error };
        Self {
            room: changed.room.to_string(),
            done,
            added: changed.added,
            refused: changed.refused.into_iter().map(refused).collect(),
        }
    }
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["room", "done", "added", "refused"];

    fn show(&self, paper: &mut Paper) {
        if !paper.terminal() {
            paper.line(&format!("{}\t{}", self.done, self.room));
        } else {
            let id: String = self.room.chars().take(8).collect();
            paper.line(&format!("{} {}", paper.paint(Label::Good, self.done), paper.paint(Label::Id, &id)));
        }
        for account in &self.added {
            paper.pair("added", &crate::output::line(account));
        }
        for refused in &self.refused {
            let why = format!("{}: {}", crate::output::line(&refused.account), refused.error);
            paper.pair("not added", &paper.paint(Label::Warning, &why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown::plain(&client::RoomId::new([0; 32]), "left");
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
