//! The peers of this domain: pinned, paused, denied, removed.

use std::collections::BTreeSet;

use bytes::Bytes;
use machine::Entropy;
use prost::Message as _;
use store::{Store, Write, row::PeerRow};
use wire::{
    DomainName, ErrorCode, limits,
    proto::{
        Item, ListQueue, Peer as PeerView, PeerMode, PinPeer, Queue, QueuedItem, RemovePeer, RemovedPeer,
        RetryPeer, SetPeerMode, ShowPeer,
    },
};

use super::{Act, hex, limit};
use crate::{Core, link_table::Peer, peer::kind, send::Send};

impl<S: Store, E: Entropy> Core<S, E> {
    /// A pin says which root key is the domain's. Another pin of the same domain needs `replace`, and
    /// then what was seen of the old one does not count.
    pub(super) fn pin_peer(&mut self, asked: &PinPeer, by: &str) -> Result<PeerView, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let fingerprint: [u8; 32] =
            asked.fingerprint.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?;
        if domain == self.config.domain || asked.endpoints.len() > limits::ENDPOINTS_MAX {
            return Err(ErrorCode::Malformed);
        }
        for endpoint in &asked.endpoints {
            endpoint.parse::<wire::Endpoint>()?;
        }
        let row = match self.links.get_mut(&domain).map(Peer::current_row) {
            Some(row) if row.fingerprint != fingerprint && !asked.replace => return Err(ErrorCode::Conflict),
            Some(row) => PeerRow { fingerprint, held: false, ..row },
            None => fresh(&domain, fingerprint, self.entropy.array()),
        };
        let endpoints = if asked.endpoints.is_empty() { row.endpoints } else { asked.endpoints.clone() };
        let row = PeerRow { endpoints, failures: 0, next_retry_ms: 0, ..row };
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutPeer(row.clone()));
        let conn = self.links.conn(&domain);
        let mut peer = Peer::load(&self.store, row).map_err(|error| error.code())?;
        if let Some(before) = self.links.get(&domain) {
            peer.traffic = before.traffic;
        }
        let view = peer_view(&peer);
        self.links.peers.insert(domain.clone(), peer);
        if let Some(conn) = conn {
            self.stage(Send::ClosePeer(conn, ErrorCode::Superseded));
        }
        self.record(Act::PeerPin, by, domain.as_str(), &format!("fingerprint {}", hex(&fingerprint)));
        Ok(view)
    }

    pub(super) fn show_peer(&self, asked: &ShowPeer) -> Result<PeerView, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        self.links.get(&domain).map(peer_view).ok_or(ErrorCode::NotFound)
    }

    pub(super) fn retry_peer(&mut self, asked: &RetryPeer) -> Result<PeerView, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let peer = self.links.get_mut(&domain).ok_or(ErrorCode::NotFound)?;
        // [ADMIN-9]
        match peer.row.mode {
            PeerMode::Denied => return Err(ErrorCode::Blocked),
            PeerMode::Paused => return Err(ErrorCode::Policy),
            PeerMode::Open | PeerMode::Unspecified => {}
        }
        peer.retry.backoff.contact();
        peer.retry.absent_since.get_or_insert(self.now);
        Ok(peer_view(peer))
    }

    /// [ADMIN-9] Opens, pauses or denies a peer. What it is already changes nothing.
    pub(super) fn set_peer_mode(&mut self, asked: &SetPeerMode, by: &str) -> Result<PeerView, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let mode = PeerMode::try_from(asked.mode).map_err(|_| ErrorCode::Malformed)?;
        let (act, code) = match mode {
            PeerMode::Unspecified => return Err(ErrorCode::Malformed),
            PeerMode::Open => (Act::PeerOpen, None),
            PeerMode::Paused => (Act::PeerPause, Some(ErrorCode::Unavailable)),
            PeerMode::Denied => (Act::PeerDeny, Some(ErrorCode::Blocked)),
        };
        let now = self.now;
        let peer = self.links.get_mut(&domain).ok_or(ErrorCode::NotFound)?;
        if peer.row.mode == mode {
            return Ok(peer_view(peer));
        }
        peer.row.mode = mode;
        if mode == PeerMode::Open {
            peer.retry.backoff.contact();
            peer.retry.absent_since.get_or_insert(now);
        }
        if let Some(code) = code {
            self.part(&domain, code);
        }
        if mode == PeerMode::Denied {
            self.refuse_pending(&domain, ErrorCode::Blocked)?;
        }
        self.drain.changed_peers.insert(domain.clone());
        self.drain.settle_first = true;
        let peer = self.links.get(&domain).ok_or(ErrorCode::Internal)?;
        let (view, detail) = (peer_view(peer), format!("{} items wait", peer.queued.0));
        self.record(act, by, domain.as_str(), &detail);
        self.tell_peer_state(&domain);
        Ok(view)
    }

    /// [ADMIN-10] The pin goes, and with it what waits for the domain: devices are told of what they
    /// sent.
    pub(super) fn remove_peer(&mut self, asked: &RemovePeer, by: &str) -> Result<RemovedPeer, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let peer = self.links.get(&domain).ok_or(ErrorCode::NotFound)?;
        let (dropped_items, dropped_bytes, _) = peer.queued;
        let print = hex(&peer.row.fingerprint);
        self.part(&domain, ErrorCode::Blocked);
        self.refuse_pending(&domain, ErrorCode::Undeliverable)?;
        self.links.peers.remove(&domain);
        self.drain.changed_peers.remove(&domain);
        self.drain.lazy.peers.remove(&domain);
        self.drain.settle_first = true;
        self.drain.batch.push(Write::DropOutbox(domain.clone(), u64::MAX));
        self.drain.batch.push(Write::DropAnswers(domain.clone(), u64::MAX));
        self.drain.batch.push(Write::DropDocuments(domain.clone()));
        self.drain.batch.push(Write::DropPeer(domain.clone()));
        let detail = format!("fingerprint {print}, {dropped_items} items dropped");
        self.record(Act::PeerRemove, by, domain.as_str(), &detail);
        self.watch_restoring();
        Ok(RemovedPeer { domain: domain.to_string(), dropped_items, dropped_bytes })
    }

    /// Ends the connection with a peer, and what was asked of it.
    fn part(&mut self, domain: &DomainName, code: ErrorCode) {
        if let Some(conn) = self.links.conn(domain) {
            self.stage(Send::ClosePeer(conn, code));
            self.links.conns.remove(&conn);
            if let Some(peer) = self.links.get_mut(domain) {
                peer.disconnected();
            }
        }
        self.asks_lost(domain, code);
    }

    /// Every submission that waits for the domain is refused, visibly, to the device that sent it.
    /// Whatever else stands among them keeps its order and goes to the end of the queue.
    fn refuse_pending(&mut self, domain: &DomainName, code: ErrorCode) -> Result<(), ErrorCode> {
        let failed = |error: store::StoreError| error.code();
        let mut pending = self.store.pending_of_peer(domain, u64::MAX, usize::MAX).map_err(failed)?;
        // What the hub has taken it may have ordered: it is given up only when nobody will hear of it.
        if code == ErrorCode::Blocked {
            let taken = self.links.get(domain).map_or(0, |peer| peer.outbound.acked());
            pending.retain(|row| row.number > taken);
        }
        let Some(up_to) = pending.last().map(|row| row.number) else { return Ok(()) };
        for row in &pending {
            self.refuse_submission(row, code);
            self.drain.seen.remove(&(row.room, row.message));
        }
        let refused: BTreeSet<u64> = pending.iter().map(|row| row.number).collect();
        let mut from = 0;
        while from <= up_to {
            let rows = self.store.outbox(domain, from, limits::GROUP_COMMIT_INPUTS_MAX).map_err(failed)?;
            let Some(last) = rows.last().map(|row| row.number) else { break };
            for row in rows.iter().filter(|row| row.number <= up_to && !refused.contains(&row.number)) {
                self.requeue(domain, row)?;
            }
            from = last.saturating_add(1);
        }
        self.given_up(domain, up_to);
        Ok(())
    }

    pub(super) fn list_queue(&self, asked: &ListQueue) -> Result<Queue, ErrorCode> {
        let domain: DomainName = asked.domain.parse()?;
        let peer = self.links.get(&domain).ok_or(ErrorCode::NotFound)?;
        let first = peer.outbound.acked().saturating_add(1);
        let rows = self.store.outbox(&domain, first, limit(asked.limit)).map_err(|error| error.code())?;
        let items = rows.into_iter().map(|row| {
            let item = Item::decode(row.item.clone()).unwrap_or_default();
            QueuedItem {
                number: row.number,
                kind: if row.from_seq > 0 { "events".to_owned() } else { kind(&item).to_owned() },
                room: row.room.to_bytes(),
                bytes: row.item.len() as u64,
                since_ms: row.queued_ms,
            }
        });
        Ok(Queue { items: items.collect(), total: peer.queued.0 })
    }
}

/// A peer that was never met.
fn fresh(domain: &DomainName, fingerprint: [u8; 32], outbox_id: [u8; 16]) -> PeerRow {
    PeerRow {
        domain: domain.clone(),
        fingerprint,
        endpoints: Vec::new(),
        held: false,
        outbox_id,
        next_number: 1,
        acked: 0,
        settled: 0,
        their_outbox_id: [0; 16],
        received: 0,
        failures: 0,
        next_retry_ms: 0,
        absent_since_ms: 0,
        last_error: 0,
        mode: PeerMode::Open,
    }
}

fn peer_view(peer: &Peer) -> PeerView {
    PeerView {
        state: Some(peer.state()),
        fingerprint: Bytes::copy_from_slice(&peer.row.fingerprint),
        endpoints: peer.row.endpoints.clone(),
        document_seq: peer.chain.as_ref().map_or(0, |chain| chain.newest().seq()),
        held: peer.row.held,
        mode: peer.row.mode.into(),
        traffic: Some(peer.traffic),
    }
}
