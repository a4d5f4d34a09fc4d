//! Accounts and their keys, as a list and one by one.

use client::{Belief, Mode, Person};

use super::{Label, Paper, Row, Show};
use crate::fingerprint::{groups, number_groups};

/// What is known of an account.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct PersonShown {
    account: String,
    state: Belief,
    mode: Mode,
    fingerprint: String,
    changed: Option<String>,
    domain: String,
    domain_fingerprint: Option<String>,
    safety_number: Option<String>,
    blocked: bool,
}

impl From<Person> for PersonShown {
    fn from(person: Person) -> Self {
        Self {
            account: person.account.to_string(),
            state: person.belief,
            mode: person.mode,
            fingerprint: person.fingerprint,
            changed: person.changed,
            domain: person.account.domain().to_string(),
            domain_fingerprint: person.domain_fingerprint,
            safety_number: person.safety_number,
            blocked: person.blocked,
        }
    }
}

impl PersonShown {
    const FIELDS: &'static [&'static str] = &[
        "account",
        "state",
        "mode",
        "fingerprint",
        "changed",
        "domain",
        "domain_fingerprint",
        "safety_number",
        "blocked",
    ];

    const fn state(&self) -> (Label, &'static str) {
        match self.state {
            Belief::Changed => (Label::Warning, "changed"),
            Belief::Seen => (Label::Dim, "seen"),
            Belief::Verified => (Label::Good, "verified"),
            Belief::Own => (Label::Good, "own"),
            Belief::Unseen => (Label::Dim, "unseen"),
        }
    }

    // [ID-10]
    const fn mode(&self) -> (Label, &'static str) {
        match self.mode {
            Mode::UserHeld => (Label::Dim, "user-held"),
            Mode::Managed => (Label::Warning, "managed"),
            Mode::Unknown => (Label::Dim, "unknown"),
        }
    }
}

impl Row for PersonShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;
    const COLUMNS: &'static [&'static str] = &["ACCOUNT", "STATE", "KEY HELD", "FINGERPRINT"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        let ((state_label, state), (mode_label, mode)) = (self.state(), self.mode());
        vec![
            (Label::Account, self.account.clone()),
            (state_label, if self.blocked { format!("{state}, blocked") } else { state.to_owned() }),
            (mode_label, mode.to_owned()),
            (Label::Id, self.fingerprint.clone()),
        ]
    }
}

impl Show for PersonShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;

    fn show(&self, paper: &mut Paper) {
        let digits = |digits: &str| if paper.terminal() { groups(digits) } else { digits.to_owned() };
        let (label, word) = self.state();
        let means = match self.state {
            Belief::Changed => "its domain shows another key than before",
            Belief::Seen => "the first key that was seen; nobody has compared it",
            Belief::Verified => "compared with its owner",
            Belief::Own => "you",
            Belief::Unseen => "no key of it was seen",
        };
        let state = format!("{}: {means}", paper.paint(label, word));
        let (label, word) = self.mode();
        let means = match self.mode {
            Mode::UserHeld => "the person holds the key",
            Mode::Managed => "the organisation holds the key",
            Mode::Unknown => "who holds the key is not known yet",
        };
        let mode = format!("{}: {means}", paper.paint(label, word));
        let (print, changed) = (digits(&self.fingerprint), self.changed.as_deref().map(digits));
        let domain = self.domain_fingerprint.as_deref().map(digits);
        paper.pair("account", &paper.paint(Label::Account, &self.account));
        paper.pair("state", &state);
        paper.pair("mode", &mode);
        if self.blocked {
            paper.pair("blocked", "yes: nothing is heard of it");
        }
        if !print.is_empty() {
            paper.pair("fingerprint", &print);
        }
        if let Some(changed) = changed {
            paper.pair("changed to", &paper.paint(Label::Warning, &changed));
        }
        if let Some(number) = &self.safety_number {
            let eyes = number_groups(number).join(" ");
            paper.pair("safety number", if paper.terminal() { &eyes } else { number });
        }
        paper.pair("domain", &paper.paint(Label::Domain, &self.domain));
        if let Some(domain) = domain {
            paper.pair("domain key", &domain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{List, Style};

    fn person(belief: Belief, mode: Mode) -> PersonShown {
        PersonShown::from(Person {
            account: "bob@umbrella.test".parse().expect("an account"),
            belief,
            mode,
            fingerprint: "0f".repeat(32),
            changed: (belief == Belief::Changed).then(|| "1e".repeat(32)),
            domain_fingerprint: Some("2d".repeat(32)),
            safety_number: Some("12345".repeat(12)),
            blocked: false,
        })
    }

    #[test]
    fn who_is_managed_or_changed_is_told_wherever_the_account_is_shown() {
        let shown = person(Belief::Changed, Mode::Managed);
        for terminal in [true, false] {
            let mut list = Paper::new(Style::new(false), terminal, 0);
            List { rows: vec![shown.clone()], empty: "" }.show(&mut list);
            let mut alone = Paper::new(Style::new(false), terminal, 0);
            shown.show(&mut alone);
            for text in [list.into_text(), alone.into_text()] {
                assert!(text.contains("managed") && text.contains("changed"), "{text}");
            }
        }
    }

    #[test]
    fn all_digits_are_shown_in_groups_for_eyes_and_as_one_word_for_programs() {
        let shown = person(Belief::Seen, Mode::UserHeld);
        let text = |terminal| {
            let mut paper = Paper::new(Style::new(false), terminal, 0);
            shown.show(&mut paper);
            paper.into_text()
        };
        assert!(text(true).contains(&groups(&"0f".repeat(32))), "{}", text(true));
        assert!(text(false).contains(&format!("fingerprint\t{}\n", "0f".repeat(32))), "{}", text(false));
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(person(Belief::Own, Mode::Unknown)).expect("serialises");
        let mut fields: Vec<&str> = PersonShown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
