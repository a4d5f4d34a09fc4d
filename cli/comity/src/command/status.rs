//! `comity status`: this device, its node, and what waits.

use std::time::Duration;

use client::{Client, DomainName, Protection, Standing};
use tokio::time::timeout;
use wire::limits;

use super::account::protect;
use crate::{
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, PeerShown, Show, line},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Where do I stand", "comity status"),
    Example(
        "For a script: exit 9 unless there is a session",
        "comity status --check --json=connected,unread",
    ),
];

/// How long the node may take to say how it stands with other domains.
const PEERS_WITHIN: Duration = Duration::from_secs(2);

/// Show this device, its node and what waits
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Exit with 9 unless there is a session, with 5 while suspended
    #[arg(long)]
    check: bool,
}

/// How the device stands.
#[derive(Debug, serde::Serialize)]
struct Shown {
    account: String,
    device: String,
    protection: Protection,
    connected: bool,
    endpoint: String,
    problem: Option<String>,
    caught_up: bool,
    rooms: u64,
    invitations: u64,
    unread: u64,
    unsent: u64,
    peers: Vec<PeerShown>,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &[
        "account",
        "device",
        "protection",
        "connected",
        "endpoint",
        "problem",
        "caught_up",
        "rooms",
        "invitations",
        "unread",
        "unsent",
        "peers",
    ];

    fn show(&self, paper: &mut Paper) {
        paper.pair("account", &paper.paint(Label::Account, &self.account));
        let device: String =
            if paper.terminal() { self.device.chars().take(8).collect() } else { self.device.clone() };
        paper.pair("device", &paper.paint(Label::Id, &device));
        paper.pair("sealed by", protect::says(self.protection));
        let session = match (self.connected, self.caught_up) {
            (true, true) => paper.paint(Label::Good, "connected"),
            (true, false) => paper.paint(Label::Warning, "connected, catching up"),
            (false, _) => paper.paint(Label::Warning, "not connected"),
        };
        paper.pair("node", &format!("{session} ({})", line(&self.endpoint)));
        if let Some(problem) = &self.problem {
            paper.pair("problem", &paper.paint(Label::Warning, &line(problem)));
        }
        paper.pair("rooms", &self.rooms.to_string());
        paper.pair("invitations", &self.invitations.to_string());
        paper.pair("unread", &self.unread.to_string());
        paper.pair("unsent", &self.unsent.to_string());
        let now = paper.now_ms();
        for peer in &self.peers {
            paper.pair("waiting for", &peer.sentence(now));
        }
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    let (shown, suspended) = device::with(context, async |client| {
        let synced = timeout(PEERS_WITHIN, connected(client)).await.is_ok();
        let peers = match synced {
            true => timeout(PEERS_WITHIN, client.peers()).await.ok().and_then(Result::ok),
            false => None,
        };
        let mut status =
            client.status().await.map_err(|error| device::failed("cannot ask the device", error))?;
        let suspended = status.shut_out.is_some();
        if suspended {
            status.problem = Some("your account is suspended: ask your administrator".to_owned());
        }
        let mut peers: Vec<PeerShown> =
            peers.unwrap_or(status.peers).iter().map(PeerShown::of_view).collect();
        if synced && status.unsent > 0 {
            peers.extend(awaited(client, status.account.domain(), &peers).await);
        }
        let shown = Shown {
            account: status.account.to_string(),
            device: status.device.to_string(),
            protection: status.protection,
            connected: status.connected,
            endpoint: status.endpoint,
            problem: status.problem,
            caught_up: status.caught_up,
            rooms: status.rooms,
            invitations: status.invitations,
            unread: status.unread,
            unsent: status.unsent,
            peers,
        };
        Ok((shown, suspended))
    })
    .await?;
    context.show(&shown)?;
    if args.check && suspended {
        return Err(CliError::suspended("there is no session with the node"));
    }
    if args.check && !shown.connected {
        return Err(CliError::unreachable("there is no session with the node")
            .hint("is the node running, and is this machine online?"));
    }
    Ok(())
}

/// Those for which nothing waits at the node, because this device could not even begin to write to them.
async fn awaited(client: &Client, own: &DomainName, shown: &[PeerShown]) -> Vec<PeerShown> {
    let Ok(rooms) = client.rooms().await else { return Vec::new() };
    let joining = rooms.iter().filter(|room| room.standing == Standing::Joining);
    let mut domains: Vec<DomainName> =
        joining.filter_map(|room| room.peer.as_ref()).map(|peer| peer.domain().clone()).collect();
    domains.sort_unstable();
    domains.dedup();
    domains.retain(|domain| domain != own && shown.iter().all(|peer| peer.domain() != domain.as_str()));
    domains.truncate(limits::ADDS_PER_COMMIT_MAX);
    match timeout(PEERS_WITHIN, client.peers_of(&domains)).await {
        Ok(Ok(peers)) => peers.iter().map(PeerShown::of_view).filter(PeerShown::is_away).collect(),
        _ => Vec::new(),
    }
}

async fn connected(client: &Client) {
    let mut happenings = client.watch();
    while client.status().await.is_ok_and(|status| !status.caught_up && status.shut_out.is_none()) {
        // Most progress is told; what is not is looked for.
        let _ = timeout(Duration::from_millis(50), happenings.next()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown {
            account: String::new(),
            device: String::new(),
            protection: Protection::File,
            connected: false,
            endpoint: String::new(),
            problem: None,
            caught_up: false,
            rooms: 0,
            invitations: 0,
            unread: 0,
            unsent: 0,
            peers: Vec::new(),
        };
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
