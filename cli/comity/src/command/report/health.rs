//! `comity report health`.

use std::path::Path;

use client::ErrorCode;
use identity::DomainDocument;
use wire::{
    proto::{
        self, AdminStatus, AuditEntry, PeerPhase, PeerState, admin_request::Request, admin_response::Response,
    },
    signed,
};

use crate::{
    admin,
    command::peer::Node,
    context::{Context, now_ms},
    error::{CliError, exit},
    examples::{self, Example},
    output::{Label, List, Paper, Row, ago, line},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Is anything the matter", "comity report health --data /var/lib/comity"),
    Example("From cron, with a mail if so", "comity report health --data /var/lib/comity --quiet"),
];

const DAY_MS: u64 = 86_400_000;
/// Something waits for a peer that has been away for longer.
const WAITS_LONG_MS: u64 = 3_600_000;
/// Of an expiry, which a node with its root key never comes near.
const EXPIRY_NOTED_MS: u64 = 30 * DAY_MS;
/// Free space, as a part of the disk, below which it is told.
const FREE_PART: u64 = 20;

/// List what needs an administrator
///
/// Exit code 0: nothing that is bad; 7: a key, a document or a history is not what it should be; 10:
/// the disk; 1: something else; 9: the node does not answer. Notes alone do not change it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
struct Finding {
    level: Level,
    subject: String,
    what: String,
    next: String,
    #[serde(skip)]
    exit: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Bad,
    Note,
}

impl Row for Finding {
    const FIELDS: &'static [&'static str] = &["level", "subject", "what", "next"];
    const COLUMNS: &'static [&'static str] = &["LEVEL", "SUBJECT", "WHAT", "NEXT"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        let level = match self.level {
            Level::Bad => (Label::Error, "bad".to_owned()),
            Level::Note => (Label::Warning, "note".to_owned()),
        };
        vec![
            level,
            (Label::Domain, self.subject.clone()),
            (Label::Heading, self.what.clone()),
            (Label::Dim, self.next.clone()),
        ]
    }
}

impl Finding {
    fn bad(exit: u8, subject: &str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { level: Level::Bad, subject: line(subject), what: what.into(), next: next.into(), exit }
    }

    fn note(subject: &str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { level: Level::Note, exit: exit::DONE, ..Self::bad(exit::DONE, subject, what, next) }
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Finding::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    let what = "cannot report";
    let Response::Status(status) =
        admin::ask(&data, what, Request::Status(proto::AdminStatusRequest {})).await?
    else {
        return Err(admin::unexpected(what));
    };
    let Response::Peers(peers) = admin::ask(&data, what, Request::ListPeers(proto::ListPeers {})).await?
    else {
        return Err(admin::unexpected(what));
    };
    let Response::Domain(view) = admin::ask(&data, what, Request::ShowDomain(proto::ShowDomain {})).await?
    else {
        return Err(admin::unexpected(what));
    };
    let Response::Audit(log) =
        admin::ask(&data, what, Request::ListAudit(proto::ListAudit { before: 0, limit: 1_000 })).await?
    else {
        return Err(admin::unexpected(what));
    };
    let now = now_ms();
    let document = DomainDocument::parse(&view.document.unwrap_or_default())
        .map_err(|code| CliError::wire(what, code.into()))?;
    let mut rows = of_node(&status, &document, now);
    rows.extend(of_disk(&data, &status));
    rows.extend(peers.peers.iter().filter_map(|peer| of_peer(peer, now)));
    rows.extend(log.entries.iter().filter_map(|entry| of_entry(entry, now)));
    let worst = rows.iter().find(|finding| finding.level == Level::Bad).map(|finding| finding.exit);
    let bad = rows.iter().filter(|finding| finding.level == Level::Bad).count();
    context.list(&List { rows, empty: "Nothing to worry about." })?;
    match worst {
        None => Ok(()),
        Some(exit) => Err(CliError::found(exit, format!("{bad} findings need somebody"))),
    }
}

/// What the node says of itself.
fn of_node(status: &AdminStatus, document: &DomainDocument, now: u64) -> Vec<Finding> {
    let domain = document.domain().as_str();
    let mut found = Vec::new();
    if status.storage_full {
        found.push(Finding::bad(
            exit::STORAGE,
            domain,
            "the disk is full: nothing is accepted",
            "free space; it goes on by itself",
        ));
    }
    let left = document.expires().saturating_mul(1_000).saturating_sub(now);
    if left == 0 {
        found.push(Finding::bad(
            ErrorCode::KeyUnverified.exit(),
            domain,
            "its document has expired: no other domain believes it",
            "comityd renew, then comity domain publish",
        ));
    } else if left < EXPIRY_NOTED_MS {
        found.push(Finding::note(
            domain,
            format!("its document is in force for {} days only", left / DAY_MS),
            "comityd renew, then comity domain publish",
        ));
    }
    if status.quarantined > 0 {
        found.push(Finding::note(
            domain,
            format!("{} items of other domains could not be processed", status.quarantined),
            "comity report quarantine",
        ));
    }
    found
}

/// How much space there is for more.
fn of_disk(data: &Path, status: &AdminStatus) -> Option<Finding> {
    let disk = rustix::fs::statvfs(data).ok()?;
    let low = disk.f_bavail < disk.f_blocks / FREE_PART;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    (low && !status.storage_full).then(|| {
        let what = format!("{} are free on the disk of the node", crate::output::size(free));
        Finding::note(&status.domain, what, "comity report usage")
    })
}

fn of_peer(peer: &PeerState, now: u64) -> Option<Finding> {
    let domain = peer.domain.as_str();
    let show = format!("comity peer show {}", line(domain));
    match peer.phase() {
        PeerPhase::Held => Some(Finding::bad(
            ErrorCode::KeyUnverified.exit(),
            domain,
            "its keys do not chain to the pin: it is held, and what is sent waits",
            "ask its administrator for the fingerprint before you pin anew",
        )),
        PeerPhase::Denied => Some(Finding::note(domain, "it is denied", show)),
        PeerPhase::Paused => {
            Some(Finding::note(domain, format!("its link is paused, {} items wait", peer.queued), show))
        }
        _ if peer.queued > 0 && now.saturating_sub(peer.oldest_ms) > WAITS_LONG_MS => Some(Finding::note(
            domain,
            format!("{} items wait, the oldest for {}", peer.queued, ago(now, peer.oldest_ms)),
            show,
        )),
        _ => None,
    }
}

/// What the node itself has noticed in the last day.
fn of_entry(entry: &[u8], now: u64) -> Option<Finding> {
    let entry: AuditEntry = signed::decode(entry).ok()?;
    if entry.by != "node" || now.saturating_sub(entry.time_ms) > DAY_MS {
        return None;
    }
    let what = match entry.act.as_str() {
        "peer.forked" => "it has shown two histories of one room",
        "room.closed" => "a room stays closed: it has of it what this domain signed and cannot follow",
        "peer.conflict" => "it has more of this domain than this domain has: was an old copy restored here?",
        _ => return None,
    };
    let what = format!("{} ago {what}", ago(now, entry.time_ms));
    Some(Finding::bad(ErrorCode::ForkedLog.exit(), &entry.subject, what, "comity report audit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Finding::note("a", "b", "c")).expect("serialises");
        let mut fields = Finding::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }

    #[test]
    fn a_peer_is_told_of_when_somebody_should_look() {
        let peer = |phase: PeerPhase, queued, oldest_ms| {
            let domain = "umbrella.test".to_owned();
            of_peer(
                &PeerState { domain, phase: phase.into(), queued, oldest_ms, ..PeerState::default() },
                DAY_MS,
            )
        };
        assert_eq!(peer(PeerPhase::Connected, 0, 0), None);
        assert_eq!(peer(PeerPhase::Waiting, 3, DAY_MS - 1), None);
        assert_eq!(peer(PeerPhase::Waiting, 3, 1).map(|found| found.level), Some(Level::Note));
        assert_eq!(peer(PeerPhase::Denied, 0, 0).map(|found| found.exit), Some(exit::DONE));
        assert_eq!(peer(PeerPhase::Held, 0, 0).map(|found| found.exit), Some(7));
    }
}
