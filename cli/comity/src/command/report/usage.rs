//! `comity report usage`.

use wire::proto;

use crate::{
    admin,
    command::peer::Node,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Paper, Show, TrafficShown, ago, line, rfc3339, size},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("How large is it", "comity report usage --data /var/lib/comity"),
    Example("For a spreadsheet", "comity report usage --json=accounts,rooms,store_bytes"),
];

/// Show how much there is of what, and how much goes to whom
///
/// An account counts from its invitation until it is deleted, as in `comityd doctor`. Traffic is counted
/// from the start of the node.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
}

/// How much there is.
#[derive(Debug, serde::Serialize)]
struct Usage {
    accounts: u64,
    suspended: u64,
    deleted: u64,
    devices: u64,
    connected: u64,
    rooms: u64,
    positions: u64,
    store_bytes: u64,
    since: String,
    peers: Vec<PeerUsage>,
    #[serde(skip)]
    since_ms: u64,
}

/// The link to one domain.
#[derive(Debug, serde::Serialize)]
struct PeerUsage {
    domain: String,
    queued: u64,
    queued_bytes: u64,
    traffic: TrafficShown,
}

impl From<proto::Usage> for Usage {
    fn from(usage: proto::Usage) -> Self {
        Self {
            accounts: usage.accounts,
            suspended: usage.suspended,
            deleted: usage.deleted,
            devices: usage.devices,
            connected: usage.sessions,
            rooms: usage.rooms,
            positions: usage.positions,
            store_bytes: usage.store_bytes,
            since: rfc3339(usage.since_ms),
            peers: usage.peers.into_iter().map(PeerUsage::from).collect(),
            since_ms: usage.since_ms,
        }
    }
}

impl From<proto::PeerUsage> for PeerUsage {
    fn from(usage: proto::PeerUsage) -> Self {
        Self {
            domain: line(&usage.domain),
            queued: usage.queued,
            queued_bytes: usage.queued_bytes,
            traffic: usage.traffic.unwrap_or_default().into(),
        }
    }
}

impl Show for Usage {
    const FIELDS: &'static [&'static str] = &[
        "accounts",
        "suspended",
        "deleted",
        "devices",
        "connected",
        "rooms",
        "positions",
        "store_bytes",
        "since",
        "peers",
    ];

    fn show(&self, paper: &mut Paper) {
        let Self { accounts, suspended, deleted, .. } = self;
        let accounts = format!("{accounts} ({suspended} of them suspended); {deleted} deleted, not counted");
        paper.pair("accounts", &accounts);
        paper.pair("devices", &format!("{}, {} connected", self.devices, self.connected));
        paper.pair("rooms", &self.rooms.to_string());
        paper.pair("stored", &format!("{} events and entries", self.positions));
        paper.pair("on disk", &size(self.store_bytes));
        let since = match paper.terminal() {
            true => format!("{} ago", ago(paper.now_ms(), self.since_ms)),
            false => self.since.clone(),
        };
        paper.pair("started", &since);
        for peer in &self.peers {
            let (sent, received) = peer.traffic.words();
            let text = format!("sent {sent}; received {received}; {} items wait", peer.queued);
            paper.pair(&peer.domain, &text);
        }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Usage::FIELDS)?;
    let what = "cannot report";
    let data = context.data(args.node.data.as_ref())?;
    let request = proto::admin_request::Request::ReportUsage(proto::ReportUsage {});
    match admin::ask(&data, what, request).await? {
        proto::admin_response::Response::Usage(usage) => context.show(&Usage::from(usage)),
        _ => Err(admin::unexpected(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Usage::from(proto::Usage::default())).expect("serialises");
        let mut fields = Usage::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
