//! `comity domain show`.

use identity::{DomainDocument, KeyUse, PeeringTicket};

use crate::{
    command::peer::Node,
    context::Context,
    error::CliError,
    examples::{self, Example},
    fingerprint,
    output::{Label, Paper, Show, rfc3339},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("What this domain says about itself", "comity domain show --data /var/lib/comity"),
    Example(
        "What the other administrator needs to pin you",
        "comity domain show --ticket --data /var/lib/comity",
    ),
    Example(
        "The fingerprint alone, for a script",
        "comity domain show --data /var/lib/comity --json=fingerprint",
    ),
];

/// Show the domain, its fingerprint, its endpoints and its peering ticket
///
/// The ticket is one line that holds domain, fingerprint and endpoints. It is no secret; give it to
/// another administrator over a way that you both trust.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Print the peering ticket only
    #[arg(long)]
    ticket: bool,
    #[command(flatten)]
    node: Node,
}

/// A domain's newest document.
#[derive(Debug, serde::Serialize)]
struct Shown {
    domain: String,
    fingerprint: String,
    endpoints: Vec<String>,
    document_seq: u64,
    issued: String,
    expires: String,
    keys: Vec<Key>,
    ticket: String,
    #[serde(skip)]
    ticket_only: bool,
}

/// An operational key in it.
#[derive(Debug, serde::Serialize)]
struct Key {
    key: String,
    used_for: &'static str,
    not_after: String,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] =
        &["domain", "fingerprint", "endpoints", "document_seq", "issued", "expires", "keys", "ticket"];

    fn show(&self, paper: &mut Paper) {
        if self.ticket_only {
            return paper.line(&self.ticket);
        }
        paper.pair("domain", &paper.paint(Label::Domain, &self.domain));
        let fingerprint = match paper.terminal() {
            true => fingerprint::groups(&self.fingerprint),
            false => self.fingerprint.clone(),
        };
        paper.pair("fingerprint", &fingerprint);
        for endpoint in &self.endpoints {
            paper.pair("endpoint", endpoint);
        }
        paper.pair("document", &self.document_seq.to_string());
        paper.pair("expires", &self.expires);
        for key in &self.keys {
            paper.pair("key", &format!("{} {} until {}", key.used_for, key.key, key.not_after));
        }
        paper.pair("ticket", &self.ticket);
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let what = "cannot show the domain";
    let data = context.data(args.node.data.as_ref())?;
    let document = super::document(&data, what).await?;
    context.show(&shown(&document, args.ticket))?;
    if !args.ticket && context.terminal() {
        context.status("For the administrator of another domain:");
        context.hint(&format!("comity peer pin {}", PeeringTicket::of(&document).encode()));
    }
    Ok(())
}

fn shown(document: &DomainDocument, ticket_only: bool) -> Shown {
    let time = |seconds: u64| rfc3339(seconds.saturating_mul(1_000));
    let keys = [(KeyUse::Tls, "tls"), (KeyUse::Binding, "binding"), (KeyUse::Event, "event")]
        .into_iter()
        .flat_map(|(key_use, word)| {
            document.keys(key_use).map(move |key| Key {
                key: key.key.to_string(),
                used_for: word,
                not_after: time(key.not_after),
            })
        })
        .collect();
    Shown {
        domain: document.domain().to_string(),
        fingerprint: fingerprint::digits(&identity::fingerprint(document.root_key())),
        endpoints: document.endpoints().iter().map(ToString::to_string).collect(),
        document_seq: document.seq(),
        issued: time(document.fields().issued),
        expires: time(document.expires()),
        keys,
        ticket: PeeringTicket::of(document).encode(),
        ticket_only,
    }
}
