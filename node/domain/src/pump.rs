//! Sends peers what waits for them: from memory when a drain ends, from the store when a peer is
//! further behind than memory reaches; dials those that are wanted; gives up what has waited too
//! long.

use std::collections::BTreeSet;

use machine::{Entropy, Timestamp};
use prost::Message as _;
use store::{
    Store, Write,
    row::{OutboxRow, PendingRow},
};
use tracing::Span;
use wire::{
    DomainName, ErrorCode, limits,
    proto::{Events, Item, Refused, entry, item, link_frame},
};

use crate::{ConnId, Core, StreamId, fan_out::unstored, peer::event, send::Send};

impl<S: Store, E: Entropy> Core<S, E> {
    /// Acknowledges what was taken in and sends what is in memory.
    pub(crate) fn pump_links(&mut self) {
        let mut sends: Vec<(ConnId, StreamId, link_frame::Frame)> = Vec::new();
        for (domain, peer) in &mut self.links.peers {
            let Some(conn) = peer.conn else { continue };
            if let (true, Some(stream)) = (peer.ack_due, conn.theirs) {
                peer.ack_due = false;
                sends.push((conn.id, stream, link_frame::Frame::Ack(peer.inbound.ack())));
            }
            let Some(stream) = conn.ours else { continue };
            if !peer.outbound.is_open() {
                continue;
            }
            peer.load_progress();
            loop {
                let next = peer.outbound.next().unwrap_or(u64::MAX);
                let items: Vec<Item> = match peer.queue_from(next) {
                    Some(items) => items.take(limits::BATCH_ITEMS_MAX).cloned().collect(),
                    None => Vec::new(),
                };
                let Some(batch) = peer.outbound.batch(items) else { break };
                peer.sent(&batch);
                self.traces.sent(domain, &batch);
                sends.push((conn.id, stream, link_frame::Frame::Batch(batch)));
            }
        }
        for (conn, stream, frame) in sends {
            self.stage_link(conn, stream, frame);
        }
    }

    /// Sends what is no more in memory, while everything is committed.
    pub(crate) fn refill_links(&mut self) {
        let behind = |peer: &crate::link_table::Peer| {
            let next = peer.outbound.next()?;
            (next < peer.row.next_number && peer.queue_from(next).is_none()).then_some(next)
        };
        let peers: Vec<(DomainName, u64)> = self
            .links
            .peers
            .iter()
            .filter_map(|(domain, peer)| Some((domain.clone(), behind(peer)?)))
            .collect();
        for (domain, mut next) in peers {
            loop {
                match self.refill(&domain, next) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::error!(peer = %domain, error = error.name(), "the outbox could not be read");
                        break;
                    }
                }
                match self.links.get(&domain).and_then(behind) {
                    Some(later) if later > next => next = later,
                    _ => break,
                }
            }
        }
    }

    fn refill(&mut self, domain: &DomainName, next: u64) -> Result<bool, ErrorCode> {
        let rows = self.store.outbox(domain, next, limits::BATCH_ITEMS_MAX).map_err(|error| error.code())?;
        let mut items = Vec::with_capacity(rows.len());
        let mut number = next;
        let mut bytes = 0;
        for row in rows {
            if bytes > limits::BATCH_BYTES_MAX {
                break;
            }
            // A number without a row was given up; its place is taken by an item without content.
            while number < row.number && items.len() < limits::BATCH_ITEMS_MAX {
                items.push(Item { number, item: None });
                number += 1;
            }
            let item = self.item(&row)?;
            bytes += item.encoded_len();
            items.push(item);
            number += 1;
            if let (true, Some(peer)) = (row.from_seq > 0, self.links.get_mut(domain)) {
                peer.note_run(row.number, row.room, row.to_seq);
            }
        }
        let Some(peer) = self.links.get_mut(domain) else { return Ok(false) };
        let Some(conn) = peer.conn else { return Ok(false) };
        let (Some(stream), Some(batch)) = (conn.ours, peer.outbound.batch(items)) else { return Ok(false) };
        peer.sent(&batch);
        self.traces.sent(domain, &batch);
        self.stage_link(conn.id, stream, link_frame::Frame::Batch(batch));
        Ok(true)
    }

    /// An item as it travels, from its row.
    fn item(&self, row: &OutboxRow) -> Result<Item, ErrorCode> {
        if row.from_seq == 0 {
            let item = Item::decode(row.item.clone()).map_err(|_| ErrorCode::Internal)?;
            return Ok(Item { number: row.number, ..item });
        }
        let count = usize::try_from(row.to_seq.saturating_sub(row.from_seq)).unwrap_or(usize::MAX) + 1;
        let events = self.store.events(&row.room, row.from_seq, count).map_err(|error| error.code())?;
        let run = Events { room: row.room.to_bytes(), events: events.iter().map(event).collect() };
        Ok(Item { number: row.number, item: Some(item::Item::Events(run)) })
    }

    /// Writes what has changed of peers.
    pub(crate) fn write_peers(&mut self) {
        for domain in std::mem::take(&mut self.drain.changed_peers) {
            if let Some(peer) = self.links.get_mut(&domain) {
                self.drain.batch.push(Write::PutPeer(peer.current_row()));
            }
        }
    }

    /// Dials every peer that is wanted and due.
    pub(crate) fn dial_peers(&mut self) {
        if self.draining {
            return;
        }
        let mut dials = Vec::new();
        for (domain, peer) in &mut self.links.peers {
            let wanted = peer.queued.0 > 0
                || peer.retry.absent_since.is_some()
                || self.waiting.wants(domain)
                || self.restoring.wants(domain);
            let free = peer.conn.is_none() && !peer.dialling && peer.is_open();
            if wanted && free && peer.retry.is_due(self.now) && !peer.row.endpoints.is_empty() {
                peer.dialling = true;
                dials.push(Send::Dial(domain.clone(), peer.row.endpoints.clone()));
            }
        }
        self.drain.staged.append(&mut dials);
    }

    /// Tells those concerned of an absence that has lasted, and gives up what has waited too long.
    pub(crate) fn watch_peers(&mut self) {
        let absent: Vec<DomainName> = self
            .links
            .peers
            .iter_mut()
            .filter_map(|(domain, peer)| peer.retry.notice(self.now).then(|| domain.clone()))
            .collect();
        for domain in &absent {
            self.tell_peer_state(domain);
        }
        let oldest = link::undeliverable_before(self.now).as_ms();
        self.give_up_unordered(oldest);
        let late = self.links.peers.iter().filter(|(_, peer)| peer.queued.0 > 0 && peer.queued.2 < oldest);
        let late: Vec<(DomainName, Option<ConnId>)> = late
            .map(|(domain, peer)| {
                let open = peer.conn.filter(|_| peer.outbound.is_open());
                (domain.clone(), open.map(|conn| conn.id))
            })
            .collect();
        for (domain, open) in late {
            // A peer that is there and acknowledges nothing for so long is as good as absent.
            if let Some(conn) = open {
                self.stage(Send::ClosePeer(conn, ErrorCode::Timeout));
            } else if let Err(error) = self.give_up_late(&domain, oldest) {
                tracing::error!(peer = %domain, error = error.name(), "the outbox could not be read");
            }
        }
    }

    // [LINK-13] What a hub has taken and never ordered is given up as well, looked for once an hour.
    fn give_up_unordered(&mut self, oldest: u64) {
        let hour = self.now.as_s() / 3_600;
        if std::mem::replace(&mut self.unordered_looked_for, hour) == hour {
            return;
        }
        let acked: Vec<(DomainName, u64)> =
            self.links.peers.iter().map(|(domain, peer)| (domain.clone(), peer.outbound.acked())).collect();
        for (domain, acked) in acked {
            match self.store.pending_of_peer(&domain, acked, limits::ANSWERS_KEPT_MAX) {
                Ok(rows) => {
                    for row in rows.iter().filter(|row| row.time_ms < oldest) {
                        self.refuse_submission(row, ErrorCode::Undeliverable);
                    }
                }
                Err(error) => {
                    let error = error.code().name();
                    tracing::error!(peer = %domain, error, "the outbox could not be read");
                }
            }
        }
    }

    /// Pushes the state of a link to the devices of the rooms that it concerns.
    pub(crate) fn tell_peer_state(&mut self, domain: &DomainName) {
        let Some(peer) = self.links.get(domain) else { return };
        let Some(frame) = unstored(entry::Entry::PeerState(peer.state())) else { return };
        let accounts: BTreeSet<_> = self
            .rooms
            .iter()
            .filter(|room| room.row.hub == *domain || room.followers.contains(domain))
            .flat_map(|room| room.locals.iter().cloned())
            .collect();
        for account in accounts {
            self.tell(&account, &frame);
        }
    }

    // [LINK-13] Submissions are given up and their senders told. Whatever else stood among them keeps
    // its order and goes to the end of the queue: the peer gets it when it is back.
    fn give_up_late(&mut self, domain: &DomainName, oldest: u64) -> Result<(), ErrorCode> {
        let failed = |error: store::StoreError| error.code();
        let Some(peer) = self.links.get(domain) else { return Ok(()) };
        let first = peer.outbound.acked().saturating_add(1);
        let rows = self.store.outbox(domain, first, limits::GROUP_COMMIT_INPUTS_MAX).map_err(failed)?;
        let late: Vec<OutboxRow> = rows.into_iter().take_while(|row| row.queued_ms < oldest).collect();
        let Some(up_to) = late.last().map(|row| row.number) else {
            if let Some(peer) = self.links.get_mut(domain) {
                peer.queued = self.store.outbox_size(domain).map_err(failed)?;
            }
            return Ok(());
        };
        let pending = self.store.pending_of_peer(domain, up_to, limits::ANSWERS_KEPT_MAX).map_err(failed)?;
        for row in &pending {
            self.refuse_submission(row, ErrorCode::Undeliverable);
        }
        for row in late.iter().filter(|row| pending.iter().all(|pending| pending.number != row.number)) {
            self.requeue(domain, row)?;
        }
        self.given_up(domain, up_to);
        Ok(())
    }

    /// Items up to this number will not be sent: what of them is to be sent all the same stands at the
    /// end of the queue.
    pub(crate) fn given_up(&mut self, domain: &DomainName, up_to: u64) {
        self.drain.batch.push(Write::DropOutbox(domain.clone(), up_to));
        self.drain.changed_peers.insert(domain.clone());
        if let Some(peer) = self.links.get_mut(domain) {
            peer.outbound.give_up(up_to);
            peer.drop_up_to(up_to);
            peer.queued.0 = peer.row.next_number.saturating_sub(1).saturating_sub(up_to);
            peer.queued.2 = self.now.as_ms();
        }
    }

    /// A submission will not reach its hub: the device that sent it is told.
    pub(crate) fn refuse_submission(&mut self, row: &PendingRow, error: ErrorCode) {
        self.drain.batch.push(Write::DropPending(row.room, row.message));
        let _entered = self.traces.take(row.room, row.message).map(Span::entered);
        tracing::debug!(message_id = %row.message, error = error.name(), "given up");
        let refused = Refused {
            room: row.room.to_bytes(),
            message_id: row.message.to_bytes(),
            error: Some(error.into()),
        };
        self.add_entry(&row.account, Some(row.device), entry::Entry::Refused(refused));
    }

    /// Puts an item at the end of the queue.
    pub(crate) fn requeue(&mut self, domain: &DomainName, row: &OutboxRow) -> Result<(), ErrorCode> {
        let item = self.item(row)?;
        let number = self.links.take_number(domain).ok_or(ErrorCode::Internal)?;
        let item = Item { number, ..item };
        self.drain.batch.push(Write::PutOutbox(OutboxRow {
            number,
            item: if row.from_seq > 0 { row.item.clone() } else { item.encode_to_vec().into() },
            queued_ms: self.now.as_ms(),
            ..row.clone()
        }));
        self.links.queue_item(domain, item, self.now);
        if let (true, Some(peer)) = (row.from_seq > 0, self.links.get_mut(domain)) {
            peer.note_run(number, row.room, row.to_seq);
        }
        Ok(())
    }

    /// When the driver is to give the next `Tick`.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        let absences =
            self.links.peers.values().filter(|peer| peer.conn.is_none() && !peer.dialling && peer.is_open());
        let peers = absences.filter_map(|peer| peer.retry.wake_at()).min();
        let late = self.links.peers.values().filter(|peer| peer.queued.0 > 0 && peer.conn.is_none());
        let late = late
            .map(|peer| Timestamp::from_ms(peer.queued.2).plus_ms(limits::OUTBOX_MAX_AGE_S * 1000 + 1))
            .min();
        let lazy = self.drain.lazy.due();
        let more = (self.pages_wait || self.turns.are_waiting()).then_some(self.now);
        let progress = self.progress_due();
        let restoring = self.restoring.due();
        let presence = self.presence.due();
        [peers, late, lazy, self.waiting.due(), progress, presence, more, restoring]
            .into_iter()
            .flatten()
            .min()
            .map(|at| {
                // A time that has passed is the next moment, not this one again.
                at.max(self.now.plus_ms(1))
            })
    }

    /// The links as the store has them; connections are closed and will resume.
    pub(crate) fn roll_back_links(&mut self, code: ErrorCode) {
        self.turns.clear();
        let conns: Vec<ConnId> = self.links.conns.keys().copied().collect();
        let rows = match self.store.peers() {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(error = error.code().name(), "the peers could not be read");
                return;
            }
        };
        let known: BTreeSet<DomainName> = rows.iter().map(|row| row.domain.clone()).collect();
        self.links.peers.retain(|domain, _| known.contains(domain));
        for row in rows {
            let domain = row.domain.clone();
            let Ok(mut fresh) = crate::link_table::Peer::load(&self.store, row) else { continue };
            if let Some(peer) = self.links.peers.get(&domain) {
                fresh.retry = peer.retry;
                fresh.dialling = peer.dialling;
                fresh.traffic = peer.traffic;
            }
            if self.links.conn(&domain).is_some() {
                fresh.retry.failed(self.now, code, &mut self.entropy);
            }
            self.links.peers.insert(domain, fresh);
        }
        self.load_restoring();
        for conn in conns {
            self.stage(Send::ClosePeer(conn, code));
        }
    }
}
