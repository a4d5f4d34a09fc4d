//! The frames of link streams: batches from a peer, and its acknowledgements of ours.

use link::Acked;
use machine::Entropy;
use prost::Message as _;
use store::{Store, Write, row::AnswerRow};
use tracing::Span;
use wire::{
    DomainName, ErrorCode, WireError, frame,
    proto::{Batch, Item, LinkFrame, LinkOpen, LinkResume, ProgressKind, Refused, entry, link_frame},
};

use crate::{ConnId, Core, StreamId, admin::Act, send::Send};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn link_opened(&mut self, conn: ConnId, stream: StreamId, open: &LinkOpen) {
        let Some(domain) = self.links.peer_of(conn) else {
            return self.stage(Send::ClosePeer(conn, ErrorCode::AuthFailed));
        };
        if self.waits_for_lost(&domain, conn, stream, open) {
            return;
        }
        let Some(peer) = self.links.get_mut(&domain) else { return };
        let (resume, renumbered) = match peer.inbound.open(open) {
            Ok(opened) => opened,
            Err(error) => return self.stage(Send::ClosePeer(conn, error)),
        };
        self.turns.forget(&domain);
        let Some(peer) = self.links.get_mut(&domain) else { return };
        if let Some(in_use) = &mut peer.conn {
            in_use.theirs = Some(stream);
        }
        if renumbered {
            self.drain.batch.push(Write::DropAnswers(domain.clone(), u64::MAX));
        }
        self.drain.changed_peers.insert(domain);
        self.stage_link(conn, stream, link_frame::Frame::Resume(resume));
    }

    pub(crate) fn link_frame(&mut self, conn: ConnId, stream: StreamId, frame: LinkFrame) {
        let Some(domain) = self.links.peer_of(conn) else { return };
        let outcome = match frame.frame {
            Some(link_frame::Frame::Batch(batch)) => self.take_batch(&domain, (conn, stream), batch),
            Some(link_frame::Frame::Ack(ack)) => {
                let peer = self.links.get_mut(&domain).ok_or(ErrorCode::Internal);
                peer.and_then(|peer| peer.outbound.ack(&ack)).and_then(|acked| self.acked(&domain, &acked))
            }
            Some(link_frame::Frame::Resume(resume)) => self.resumed(&domain, stream, &resume),
            Some(link_frame::Frame::Open(_)) | None => Err(ErrorCode::Malformed),
        };
        if let Err(error) = outcome {
            self.close_link(&domain, conn, error);
        }
    }

    /// Ends the connection of a peer that broke the rules of the link.
    pub(crate) fn close_link(&mut self, domain: &DomainName, conn: ConnId, error: ErrorCode) {
        tracing::warn!(peer = %domain, error = error.name(), "a link was closed");
        self.turns.forget(domain);
        self.stage(Send::ClosePeer(conn, error));
    }

    /// The items of a batch that are new.
    ///
    /// # Errors
    /// `Malformed` on another stream than the peer's link, and those of `link`.
    pub(crate) fn open_batch(
        &mut self,
        domain: &DomainName,
        stream: StreamId,
        batch: Batch,
    ) -> Result<Vec<Item>, ErrorCode> {
        let peer = self.links.get_mut(domain).ok_or(ErrorCode::Internal)?;
        if peer.conn.and_then(|conn| conn.theirs) != Some(stream) {
            return Err(ErrorCode::Malformed);
        }
        peer.received(&batch);
        if peer.inbound.settled(batch.settled) {
            self.drain.lazy.answers.insert(domain.clone(), batch.settled);
            self.drain.lazy.touch(self.now);
        }
        peer.inbound.batch(batch)
    }

    /// Decides an item of a batch that was begun.
    pub(crate) fn take_one(&mut self, domain: &DomainName, item: &Item) {
        let refused = self.take_item(domain, item);
        if item.number > 0 {
            self.taken(domain, item.number, refused);
        }
    }

    fn taken(&mut self, domain: &DomainName, number: u64, refused: Option<WireError>) {
        let Some(peer) = self.links.get_mut(domain) else { return };
        peer.inbound.taken(number, refused);
        peer.ack_due = true;
        self.drain.changed_peers.insert(domain.clone());
        if let Some(error) = refused {
            self.drain.batch.push(Write::PutAnswer(AnswerRow {
                peer: domain.clone(),
                number,
                error: wire::proto::Error::from(error).encode_to_vec().into(),
            }));
        }
    }

    fn resumed(
        &mut self,
        domain: &DomainName,
        stream: StreamId,
        resume: &LinkResume,
    ) -> Result<(), ErrorCode> {
        let peer = self.links.peers.get_mut(domain).ok_or(ErrorCode::Internal)?;
        let before = peer.outbound.acked();
        let newest = peer.row.next_number.saturating_sub(1);
        let acked = match peer.outbound.resume(resume, newest) {
            Ok(acked) => acked,
            Err(ErrorCode::Conflict) => {
                // The peer holds numbers that this outbox has not given out: it was restored from an
                // older copy, and counts anew under another name.
                tracing::error!(peer = %domain, "the outbox is older than what the peer has received");
                peer.row.outbox_id = self.entropy.array();
                peer.outbound = link::Outbound::new(peer.row.outbox_id, before, peer.row.settled);
                self.drain.changed_peers.insert(domain.clone());
                self.notice(
                    Act::PeerConflict,
                    domain,
                    "this node holds less than the peer has received of it",
                );
                return Err(ErrorCode::Unavailable);
            }
            Err(error) => return Err(error),
        };
        if let Some(conn) = &mut peer.conn {
            conn.ours = Some(stream);
        }
        self.note_acked_runs(domain, before, acked.up_to)?;
        self.acked(domain, &acked)
    }

    // Items that were sent before a restart are known by their rows only.
    fn note_acked_runs(&mut self, domain: &DomainName, after: u64, up_to: u64) -> Result<(), ErrorCode> {
        let mut from = after.saturating_add(1);
        while from <= up_to {
            let rows = self.store.outbox(domain, from, 1_000).map_err(|error| error.code())?;
            let Some(last) = rows.last().map(|row| row.number) else { return Ok(()) };
            let Some(peer) = self.links.get_mut(domain) else { return Ok(()) };
            for row in rows.iter().filter(|row| row.number <= up_to && row.from_seq > 0) {
                peer.note_run(row.number, row.room, row.to_seq);
            }
            from = last.saturating_add(1);
        }
        Ok(())
    }

    /// Items are durable at the peer: what that means for rooms, and for those who sent what was
    /// refused.
    fn acked(&mut self, domain: &DomainName, acked: &Acked) -> Result<(), ErrorCode> {
        let Some(peer) = self.links.get_mut(domain) else { return Ok(()) };
        let mut runs = peer.drop_up_to(acked.up_to);
        // What a follower has refused it does not hold.
        for (number, _) in &acked.refused {
            runs.remove(number);
        }
        let left = peer.row.next_number.saturating_sub(1).saturating_sub(acked.up_to);
        peer.queued.0 = left;
        if left == 0 {
            peer.queued = (0, 0, 0);
        }
        self.drain.lazy.outbox.insert(domain.clone(), acked.up_to);
        self.drain.lazy.peers.insert(domain.clone());
        self.drain.lazy.touch(self.now);
        for (id, seq) in runs.into_values() {
            if let Some(mut room) = self.take_room(&id)? {
                self.advance(&mut room, ProgressKind::Stored, domain.as_str().to_owned(), seq);
                self.rooms.put(room);
            }
        }
        if !acked.refused.is_empty() {
            self.refused(domain, acked)?;
        }
        Ok(())
    }

    fn refused(&mut self, domain: &DomainName, acked: &Acked) -> Result<(), ErrorCode> {
        let most = wire::limits::ANSWERS_KEPT_MAX;
        let pending = self.store.pending_of_peer(domain, acked.up_to, most).map_err(|error| error.code())?;
        for (number, error) in &acked.refused {
            let Some(row) = pending.iter().find(|row| row.number == *number) else {
                tracing::warn!(peer = %domain, error = error.code.name(), "an item was refused");
                continue;
            };
            self.drain.batch.push(Write::DropPending(row.room, row.message));
            self.drain.seen.remove(&(row.room, row.message));
            let _entered = self.traces.take(row.room, row.message).map(Span::entered);
            tracing::debug!(message_id = %row.message, error = error.code.name(), "refused by its hub");
            let refused = Refused {
                room: row.room.to_bytes(),
                message_id: row.message.to_bytes(),
                error: Some((*error).into()),
            };
            self.add_entry(&row.account, Some(row.device), entry::Entry::Refused(refused));
        }
        if let Some(peer) = self.links.get_mut(domain) {
            peer.outbound.settle(acked.up_to);
            peer.row.settled = acked.up_to;
        }
        self.drain.changed_peers.insert(domain.clone());
        Ok(())
    }

    /// Stages a frame on a link stream.
    pub(crate) fn stage_link(&mut self, conn: ConnId, stream: StreamId, frame: link_frame::Frame) {
        if let Ok(bytes) = frame::encode(&LinkFrame { frame: Some(frame) }) {
            self.stage(Send::Link(conn, stream, bytes));
        }
    }
}
