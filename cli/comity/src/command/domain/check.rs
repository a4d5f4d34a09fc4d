//! `comity domain check`.

use client::{ClientError, ErrorCode};
use identity::{DomainDocument, KeyUse};
use wire::name::Endpoint;

use crate::{
    command::peer::Node,
    context::{Context, now_ms},
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show, line, rfc3339},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("In a script: 0 if all is well", "comity domain check --data /var/lib/comity --quiet")];

const DAY_S: u64 = 86_400;
/// A node renews its document long before.
const EXPIRY_WARNED_DAYS: u64 = 30;

/// Check that the domain's document is in force and its endpoints answer
///
/// Every endpoint of the document is dialled from here, and what answers must prove a TLS key that
/// the document lists. Exit code 0: all is well; 7: something is wrong; 9: it cannot be told,
/// because the node or an endpoint does not answer.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
}

/// What was found.
#[derive(Debug, serde::Serialize)]
struct Checked {
    domain: String,
    good: bool,
    document_seq: u64,
    expires: String,
    findings: Vec<String>,
    endpoints: Vec<Answer>,
}

/// One endpoint.
#[derive(Debug, serde::Serialize)]
struct Answer {
    endpoint: String,
    state: State,
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// The domain's node answers, with the newest document.
    Good,
    /// Something else answers, or an older document is shown.
    Bad,
    /// Nothing answers.
    Silent,
}

impl Show for Checked {
    const FIELDS: &'static [&'static str] =
        &["domain", "good", "document_seq", "expires", "findings", "endpoints"];

    fn show(&self, paper: &mut Paper) {
        paper.pair("domain", &paper.paint(Label::Domain, &self.domain));
        paper.pair("document", &format!("{}, in force until {}", self.document_seq, self.expires));
        for answer in &self.endpoints {
            let (label, word) = match answer.state {
                State::Good => (Label::Good, "answers"),
                State::Bad => (Label::Error, "is not this domain as it should be"),
                State::Silent => (Label::Warning, "does not answer"),
            };
            let reason = answer.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            paper.pair("endpoint", &format!("{} {}{reason}", answer.endpoint, paper.paint(label, word)));
        }
        for finding in &self.findings {
            paper.pair("wrong", &paper.paint(Label::Error, finding));
        }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Checked::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let document = super::document(&data, "cannot check the domain").await?;
    let now_s = now_ms() / 1_000;
    let findings = findings(&document, now_s);
    let mut endpoints = Vec::new();
    for endpoint in document.endpoints() {
        endpoints.push(answer(&document, endpoint).await);
    }
    let bad = !findings.is_empty() || endpoints.iter().any(|answer| answer.state == State::Bad);
    let silent = endpoints.iter().any(|answer| answer.state == State::Silent);
    context.show(&Checked {
        domain: document.domain().to_string(),
        good: !bad && !silent,
        document_seq: document.seq(),
        expires: rfc3339(document.expires().saturating_mul(1_000)),
        findings,
        endpoints,
    })?;
    let days = document.expires().saturating_sub(now_s) / DAY_S;
    if !bad && days < EXPIRY_WARNED_DAYS {
        context.warn(&format!("the document is in force for {days} days only: is keys/root.key away?"));
        context.hint("comityd renew, then: comity domain publish");
    }
    if bad {
        return Err(CliError::found_by_verb("the domain is not as it should be", ErrorCode::KeyUnverified)
            .hint("comityd check, and comity domain show"));
    }
    if silent {
        return Err(CliError::unreachable("an endpoint does not answer")
            .hint("is UDP to this port let through by every firewall, also from here?"));
    }
    Ok(())
}

/// What is wrong with the document itself.
fn findings(document: &DomainDocument, now_s: u64) -> Vec<String> {
    let mut findings = Vec::new();
    if now_s > document.expires() {
        findings.push("the document has expired: comityd renew, then comity domain publish".to_owned());
    }
    for (key_use, word) in [(KeyUse::Tls, "TLS"), (KeyUse::Binding, "binding"), (KeyUse::Event, "event")] {
        let in_force = |key: &&identity::DomainKey| key.not_before <= now_s && now_s <= key.not_after;
        if document.keys(key_use).find(in_force).is_none() {
            findings.push(format!("no {word} key is in force"));
        }
    }
    findings
}

async fn answer(document: &DomainDocument, endpoint: &Endpoint) -> Answer {
    let (state, reason) = match client::probe(document, endpoint).await {
        Ok(shown) if shown.seq() == document.seq() => (State::Good, None),
        Ok(shown) => (State::Bad, Some(format!("it shows document {}", shown.seq()))),
        Err(ClientError::Unreachable { reason, .. }) => (State::Silent, Some(line(&reason))),
        Err(error) => (State::Bad, Some(line(&error.to_string()))),
    };
    Answer { endpoint: endpoint.to_string(), state, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let checked = Checked {
            domain: String::new(),
            good: true,
            document_seq: 0,
            expires: String::new(),
            findings: Vec::new(),
            endpoints: Vec::new(),
        };
        let value = serde_json::to_value(checked).expect("serialises");
        let mut fields = Checked::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
