//! `comity account show`.

use client::{Belief, Mode};

use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    fingerprint::groups,
    output::{Label, Paper, Show, line},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who am I here?", "comity account show"),
    Example("The account alone", "comity account show --json=account"),
];

/// Show the account, its key and its device
///
/// Works without a node. Whether the node is reached is what `comity status` says.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {}

/// An account on this machine.
#[derive(Debug, Default, serde::Serialize)]
struct Shown {
    account: String,
    domain: String,
    device: String,
    mode: Option<Mode>,
    fingerprint: String,
    endpoint: String,
    directory: String,
    rooms: u64,
    contacts: u64,
    unsent: u64,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &[
        "account",
        "domain",
        "device",
        "mode",
        "fingerprint",
        "endpoint",
        "directory",
        "rooms",
        "contacts",
        "unsent",
    ];

    fn show(&self, paper: &mut Paper) {
        let print = if paper.terminal() { groups(&self.fingerprint) } else { self.fingerprint.clone() };
        paper.pair("account", &paper.paint(Label::Account, &self.account));
        paper.pair("device", &paper.paint(Label::Id, &self.device));
        paper.pair("fingerprint", &print);
        if self.mode == Some(Mode::Managed) {
            // [ID-10]
            paper.pair("mode", &paper.paint(Label::Warning, "managed: the organisation holds the key"));
        }
        paper.pair("domain", &paper.paint(Label::Domain, &self.domain));
        paper.pair("node", &line(&self.endpoint));
        paper.pair("rooms", &self.rooms.to_string());
        paper.pair("contacts", &self.contacts.to_string());
        paper.pair("unsent", &self.unsent.to_string());
        paper.pair("directory", &self.directory);
    }
}

pub(super) async fn run(context: &Context, Args {}: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let directory = context.profile()?.display().to_string();
    let (status, people) = device::with(context, async |client| {
        let broken = |error| device::failed("cannot ask the device", error);
        Ok((client.status().await.map_err(broken)?, client.people().await.map_err(broken)?))
    })
    .await?;
    let own = people.iter().find(|person| person.belief == Belief::Own);
    context.show(&Shown {
        domain: status.account.domain().to_string(),
        account: status.account.to_string(),
        device: status.device.to_string(),
        mode: own.map(|own| own.mode),
        fingerprint: own.map(|own| own.fingerprint.clone()).unwrap_or_default(),
        endpoint: status.endpoint,
        directory,
        rooms: status.rooms,
        contacts: people.iter().filter(|person| person.belief != Belief::Own).count() as u64,
        unsent: status.unsent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Shown::default()).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
