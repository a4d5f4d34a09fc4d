//! Peers and what waits for them.

use super::{Backend, sample::*};
use crate::{
    Store as _, StoreError, Write,
    row::{AnswerRow, DocumentRow, OutboxRow, PeerRow, QuarantineRow},
};
use wire::proto::PeerMode;

/// A row replaces the one before, every field of it.
pub fn peers_are_replaced(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&batch([2, 1].map(|number| Write::PutPeer(peer(number))))).unwrap();
    assert_eq!(store.peers().unwrap(), [peer(1), peer(2)]);
    let met = PeerRow {
        endpoints: Vec::new(),
        held: false,
        outbox_id: [0; 16],
        next_number: 100,
        failures: 0,
        next_retry_ms: 0,
        mode: PeerMode::Denied,
        ..peer(2)
    };
    store.commit(&batch([Write::PutPeer(met.clone())])).unwrap();
    assert_eq!(store.peers().unwrap(), [peer(1), met]);
}

/// Documents with a larger seq, ascending.
pub fn documents_after_a_seq(backend: &mut impl Backend) {
    let store = backend.open();
    let row = |of, seq: u64| DocumentRow { domain: domain(of), seq, signed: seq.to_string().into() };
    let rows = [row(1, 3), row(1, 1), row(2, 2), row(1, 2)];
    store.commit(&batch(rows.map(Write::PutDocument))).unwrap();
    assert_eq!(store.documents(&domain(1), 1).unwrap(), [row(1, 2), row(1, 3)]);
    assert_eq!(store.documents(&domain(1), 0).unwrap().len(), 3);
    assert_eq!(store.documents(&domain(1), u64::MAX).unwrap(), []);
    assert_eq!(store.documents(&domain(3), 0).unwrap(), []);
}

/// Items to one peer, ascending from a number; their count, bytes and age.
pub fn outbox_in_order(backend: &mut impl Backend) {
    let store = backend.open();
    let run = OutboxRow { item: "".into(), from_seq: 3, to_seq: 9, queued_ms: 2, ..outbox(2, 11) };
    let rows = [outbox(2, 10), run.clone(), outbox(2, 9), outbox(3, 1)];
    store.commit(&batch(rows.map(Write::PutOutbox))).unwrap();
    assert_eq!(store.outbox(&domain(2), 0, 9).unwrap(), [outbox(2, 9), outbox(2, 10), run.clone()]);
    assert_eq!(store.outbox(&domain(2), 10, 1).unwrap(), [outbox(2, 10)]);
    assert_eq!(store.outbox(&domain(2), 11, 9).unwrap(), [run]);
    assert_eq!(store.outbox_size(&domain(2)).unwrap(), (3, 13, 2));
    assert_eq!(store.outbox_size(&domain(9)).unwrap(), (0, 0, 0));
}

/// Dropping up to a number takes those items of that peer and no others; one item alone; and a
/// number that was freed can be used in the same batch.
pub fn outbox_drops_exactly(backend: &mut impl Backend) {
    let store = backend.open();
    let all = (1..=200).flat_map(|number| [outbox(2, number), outbox(3, number)]);
    store.commit(&batch(all.map(Write::PutOutbox))).unwrap();
    store.commit(&batch([Write::DropOutbox(domain(2), 190), Write::DropOutboxItem(domain(2), 195)])).unwrap();
    let numbers: Vec<_> = store.outbox(&domain(2), 0, 999).unwrap().iter().map(|row| row.number).collect();
    assert_eq!(numbers, [191, 192, 193, 194, 196, 197, 198, 199, 200]);
    assert_eq!(store.outbox_size(&domain(3)).unwrap().0, 200);
    let longer = OutboxRow { item: "".into(), from_seq: 1, to_seq: 2, ..outbox(2, 200) };
    store
        .commit(&batch([
            Write::DropOutboxItem(domain(2), 200),
            Write::PutOutbox(longer.clone()),
            Write::DropOutbox(domain(3), u64::MAX),
            Write::PutOutbox(outbox(3, 1)),
        ]))
        .unwrap();
    assert_eq!(store.outbox(&domain(2), 200, 9).unwrap(), [longer]);
    assert_eq!(store.outbox(&domain(3), 0, 9).unwrap(), [outbox(3, 1)]);
}

/// Refusals stay until they are settled.
pub fn answers_until_settled(backend: &mut impl Backend) {
    let store = backend.open();
    let row = |peer, number: u64| AnswerRow { peer: domain(peer), number, error: number.to_string().into() };
    store
        .commit(&batch([(2, 9), (2, 3), (3, 1)].map(|(peer, number)| Write::PutAnswer(row(peer, number)))))
        .unwrap();
    assert_eq!(store.answers(&domain(2)).unwrap(), [row(2, 3), row(2, 9)]);
    store.commit(&batch([Write::DropAnswers(domain(2), 8)])).unwrap();
    assert_eq!(store.answers(&domain(2)).unwrap(), [row(2, 9)]);
    assert_eq!(store.answers(&domain(3)).unwrap(), [row(3, 1)]);
}

/// The newest are shown and all are counted.
pub fn quarantine_newest_first(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&batch((1..=5).map(|number| Write::PutQuarantine(quarantined(number))))).unwrap();
    assert_eq!(store.quarantine(2).unwrap(), (vec![quarantined(5), quarantined(4)], 5));
}

/// Of a peer the newest stay; others lose nothing by it.
pub fn quarantine_is_trimmed_by_peer(backend: &mut impl Backend) {
    let store = backend.open();
    let of = |peer, number| QuarantineRow { peer: domain(peer), ..quarantined(number) };
    let rows = [of(3, 1), of(2, 2), of(2, 3), of(2, 4), of(3, 5)];
    store.commit(&batch(rows.map(Write::PutQuarantine))).unwrap();
    store.commit(&batch([Write::TrimQuarantine(domain(2), 2), Write::TrimQuarantine(domain(3), 2)])).unwrap();
    assert_eq!(store.quarantine(9).unwrap(), (vec![of(3, 5), of(2, 4), of(2, 3), of(3, 1)], 4));
}

/// A peer that is removed takes its documents along, in whatever order; a new one may take its place
/// in the same batch.
pub fn a_peer_goes(backend: &mut impl Backend) {
    let store = backend.open();
    let document = |of| DocumentRow { domain: domain(of), seq: 1, signed: "x".into() };
    let puts = (1..=3).flat_map(|of| [Write::PutPeer(peer(of)), Write::PutDocument(document(of))]);
    store.commit(&batch(puts)).unwrap();
    let again = PeerRow { held: false, ..peer(3) };
    store
        .commit(&batch([
            Write::PutPeer(peer(2)),
            Write::DropPeer(domain(2)),
            Write::DropDocuments(domain(2)),
            Write::DropPeer(domain(3)),
            Write::PutPeer(again.clone()),
        ]))
        .unwrap();
    assert_eq!(store.peers().unwrap(), [peer(1), again]);
    assert_eq!(store.documents(&domain(2), 0).unwrap(), []);
    assert_eq!(store.documents(&domain(1), 0).unwrap(), [document(1)]);
}

/// Entries of the audit log, newest first; none is ever written over; the oldest may go.
pub fn audit_newest_first(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&batch((1..=5).map(|seq| Write::PutAudit(audited(seq))))).unwrap();
    assert_eq!(store.audit(u64::MAX, 2).unwrap(), [audited(5), audited(4)]);
    assert_eq!(store.audit(4, 9).unwrap(), [audited(3), audited(2), audited(1)]);
    assert_eq!(store.audit(1, 9).unwrap(), []);
    let over = store.commit(&batch([Write::PutAudit(audited(5))]));
    assert!(matches!(over, Err(StoreError::Conflict)), "{over:?}");
    store.commit(&batch([Write::PutAudit(audited(6)), Write::PruneAudit(3)])).unwrap();
    assert_eq!(store.audit(u64::MAX, 9).unwrap(), [6, 5, 4, 3].map(audited));
}

/// What is written takes up room.
pub fn the_size_grows(backend: &mut impl Backend) {
    let store = backend.open();
    let before = store.size().unwrap();
    store.commit(&batch((1..=500).map(|seq| Write::PutEvent(event(seq, 1, seq))))).unwrap();
    assert!(store.size().unwrap() > before + 500 * 64);
}
