//! `comity user sessions`.

use client::Account;
use wire::{DeviceId, proto};

use crate::{
    admin,
    command::peer::{Node, Plan},
    context::Context,
    device,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, ago, line, rfc3339},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who is connected", "comity user sessions --data /var/lib/comity"),
    Example("Which devices alice has", "comity user sessions alice@acme.test --data /var/lib/comity"),
    Example("End them; they may come back", "comity user sessions alice@acme.test --end"),
];

/// List the devices that are connected, or end their sessions
///
/// A device whose session was ended comes back by itself: to keep it out, suspend the account.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which account; without it, every device that is connected
    #[arg(value_parser = device::account)]
    account: Option<Account>,
    /// End the account's sessions
    #[arg(long, requires = "account")]
    end: bool,
    /// Of this device only
    #[arg(long, value_name = "ID", value_parser = id, requires = "end")]
    device: Option<DeviceId>,
    #[command(flatten)]
    plan: Plan,
    #[command(flatten)]
    node: Node,
}

fn id(text: &str) -> Result<DeviceId, String> {
    text.parse().map_err(|_| "a device's id has 32 digits: comity user sessions ACCOUNT shows it".to_owned())
}

/// A device and its session.
#[derive(Debug, serde::Serialize)]
struct Session {
    account: String,
    device: String,
    connected: bool,
    since: Option<String>,
    key_packages: u64,
    subscribed: bool,
    #[serde(skip)]
    since_ms: u64,
}

impl From<&proto::DeviceSession> for Session {
    fn from(session: &proto::DeviceSession) -> Self {
        Self {
            account: line(&session.account),
            device: crate::fingerprint::digits(&session.device_id),
            connected: session.connected,
            since: session.connected.then(|| rfc3339(session.since_ms)),
            key_packages: session.key_packages,
            subscribed: session.subscribed,
            since_ms: session.since_ms,
        }
    }
}

impl Row for Session {
    const FIELDS: &'static [&'static str] =
        &["account", "device", "connected", "since", "key_packages", "subscribed"];
    const COLUMNS: &'static [&'static str] = &["ACCOUNT", "DEVICE", "CONNECTED", "KEY PACKAGES"];

    fn cells(&self, paper: &Paper) -> Vec<(Label, String)> {
        let (label, connected) = match (&self.since, paper.terminal()) {
            (None, _) => (Label::Dim, "no".to_owned()),
            (Some(_), true) => (Label::Good, format!("for {}", ago(paper.now_ms(), self.since_ms))),
            (Some(since), false) => (Label::Good, since.clone()),
        };
        vec![
            (Label::Account, self.account.clone()),
            (Label::Id, self.device.clone()),
            (label, connected),
            (Label::Dim, self.key_packages.to_string()),
        ]
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Session::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let account = args.account.as_ref().map(ToString::to_string).unwrap_or_default();
    let (what, empty, request) = if args.end && !args.plan.dry_run {
        let device_id = args.device.map(|device| device.to_bytes()).unwrap_or_default();
        let asked = proto::EndSessions { account, device_id };
        let request = proto::admin_request::Request::EndSessions(asked);
        ("cannot end the sessions", "None of its devices was connected.", request)
    } else {
        let request = proto::admin_request::Request::ListSessions(proto::ListSessions { account });
        let empty = if args.account.is_some() { "It has no device yet." } else { "Nobody is connected." };
        ("cannot list the sessions", empty, request)
    };
    let answer = match &args.account {
        Some(account) => super::about(&data, what, account, request).await,
        None => admin::ask(&data, what, request).await,
    };
    let sessions = match (answer, &args.account) {
        (Ok(proto::admin_response::Response::Sessions(sessions)), _) => sessions,
        (Ok(_), _) => return Err(admin::unexpected(what)),
        (Err(error), Some(account)) if error.is(client::ErrorCode::NotFound) && args.device.is_none() => {
            return Err(super::unknown(error, account));
        }
        (Err(error), Some(account)) if error.is(client::ErrorCode::NotFound) => {
            return Err(error
                .means(format!("{account} has no such device"))
                .hint(format!("comity user sessions {account} shows those that it has")));
        }
        (Err(error), _) => return Err(error),
    };
    let mut rows: Vec<Session> = sessions.sessions.iter().map(Session::from).collect();
    if args.end && args.plan.dry_run {
        // Those that would be ended.
        let device = args.device.map(|device| device.to_string());
        rows.retain(|row| row.connected && device.as_ref().is_none_or(|device| *device == row.device));
        context.list(&List { rows, empty: "None of its devices is connected." })?;
        context.status("Their sessions would be ended.");
        return Ok(());
    }
    context.list(&List { rows, empty })?;
    if let (true, false, Some(account)) = (args.end, sessions.sessions.is_empty(), &args.account) {
        context.hint(&format!("they may come back; to keep them out: comity user suspend {account}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let session = Session::from(&proto::DeviceSession::default());
        let value = serde_json::to_value(session).expect("serialises");
        let mut fields = Session::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
