//! A node that runs: whether it is well, and each of its peers.

use std::{thread, time::Duration};

use wire::{
    ErrorCode,
    proto::{
        AdminStatus, AdminStatusRequest, ListPeers, PeerPhase, PeerState, RetryPeer, ShowDomain,
        admin_request::Request, admin_response::Response,
    },
};

use super::{Findings, Severity};
use crate::{ask::ask, config::Config, data::DataDir, documents};

/// How often, and how many times, it is looked whether peers that were called have answered.
const LOOK: Duration = Duration::from_millis(250);
const LOOKS: usize = 24;

/// Looks at the node of a data directory and calls each peer that is not connected.
pub(crate) fn running(data: &DataDir, config: Option<&Config>, findings: &mut Findings) {
    let status = match ask(data, Request::Status(AdminStatusRequest {})) {
        Ok(Response::Status(status)) => status,
        Ok(_) => {
            return findings.add("node", Severity::Unknown, "NodeUnclear", "it answers something else", "");
        }
        Err(failure) => return findings.0.push(super::Finding::of("node", failure)),
    };
    node(&status, findings);
    own_document(data, config, findings);
    peers(data, findings);
}

fn node(status: &AdminStatus, findings: &mut Findings) {
    let AdminStatus { version, listen, sessions, accounts, rooms, .. } = status;
    findings.ok(
        "node",
        format!(
            "comityd {version} on {listen}: {sessions} sessions, {accounts} accounts (without those deleted), \
             {rooms} rooms"
        ),
    );
    if version != env!("CARGO_PKG_VERSION") {
        let what = format!("it runs version {version}, this program is {}", env!("CARGO_PKG_VERSION"));
        findings.add("node", Severity::Note, "NodeOlder", what, "restart comityd to run the newer one");
    }
    if status.storage_full {
        let what = "the disk is full: nothing is accepted";
        findings.add("node", Severity::Error, "StorageFull", what, "free space; it heals by itself");
    }
    if status.quarantined > 0 {
        let what = format!("{} items of peers could not be processed", status.quarantined);
        let next = "`comityd support-bundle` counts them by peer and error; tell the peer's administrator";
        findings.add("node", Severity::Warning, "Quarantined", what, next);
    }
}

fn own_document(data: &DataDir, config: Option<&Config>, findings: &mut Findings) {
    let Some(newest) = config.and_then(|config| documents::read(data, &config.domain).ok()) else { return };
    let Ok(Response::Domain(shown)) = ask(data, Request::ShowDomain(ShowDomain {})) else { return };
    if shown.document.as_ref() != Some(newest.newest.signed()) {
        let what = format!("it does not show document {} yet", newest.newest.seq());
        findings.add("node", Severity::Warning, "DocumentUnpublished", what, "restart comityd");
    }
}

fn peers(data: &DataDir, findings: &mut Findings) {
    let Some(mut states) = states(data, findings) else { return };
    let idle = |state: &PeerState| !matches!(state.phase(), PeerPhase::Connected | PeerPhase::Held);
    for state in states.iter().filter(|state| idle(state)) {
        // A peer that cannot be called shows in its state.
        let _ = ask(data, Request::RetryPeer(RetryPeer { domain: state.domain.clone() }));
    }
    for _ in 0..LOOKS {
        if !states.iter().any(|state| idle(state) && state.phase() != PeerPhase::Waiting) {
            break;
        }
        thread::sleep(LOOK);
        match self::states(data, findings) {
            Some(now) => states = now,
            None => return,
        }
    }
    if states.is_empty() {
        let what = "none is pinned: this domain talks to itself";
        findings.add("peers", Severity::Note, "NoPeers", what, "`comity peer pin`");
    }
    states.iter().for_each(|state| peer(state, findings));
}

fn states(data: &DataDir, findings: &mut Findings) -> Option<Vec<PeerState>> {
    match ask(data, Request::ListPeers(ListPeers {})) {
        Ok(Response::Peers(peers)) => Some(peers.peers),
        Ok(_) => None,
        Err(failure) => {
            findings.0.push(super::Finding::of("peers", failure));
            None
        }
    }
}

fn peer(state: &PeerState, findings: &mut Findings) {
    let (domain, queued) = (&state.domain, state.queued);
    let error = (state.last_error != 0).then(|| ErrorCode::from_code(state.last_error));
    match state.phase() {
        PeerPhase::Connected => findings.ok("peers", format!("{domain} is connected, {queued} items wait")),
        PeerPhase::Held => {
            let what = format!("{domain} is held: its keys do not chain to the pin; {queued} items wait");
            let next = "ask its administrator for the fingerprint over a channel you trust, then pin anew";
            findings.add("peers", Severity::Error, "PeerHeld", what, next);
        }
        _ => {
            let told = error.map(|error| format!(": {}", meaning(error))).unwrap_or_default();
            let what = format!("{domain} cannot be reached{told}; {queued} items wait");
            let next = match error {
                Some(ErrorCode::KeyUnverified) => {
                    "give its administrator the ticket of this domain: `comity domain show --ticket`"
                }
                Some(ErrorCode::AuthFailed) => {
                    "is its endpoint right? ask its administrator whether the domain has new keys"
                }
                Some(ErrorCode::ClockSkew) => "set the clock here or there",
                _ => "check its endpoint, DNS and the firewall (UDP) on both sides",
            };
            findings.add("peers", Severity::Warning, "PeerUnreachable", what, next);
        }
    }
}

/// What an error means of a link; whether the other side has pinned nothing or another key, it does not
/// say.
const fn meaning(error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::KeyUnverified => {
            "its administrator has not pinned this domain yet, or has pinned another key of it"
        }
        ErrorCode::AuthFailed => "what answers at its endpoint has not the keys of the domain",
        ErrorCode::Blocked => "its administrator has denied this domain",
        ErrorCode::Misdirected => "what answers at its endpoint is the node of another domain",
        _ => error.meaning(),
    }
}
