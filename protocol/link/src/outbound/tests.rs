//! Decides nothing: shows that an outbox arrives whole, once and in order through any number of
//! broken connections.

use machine::Seeded;
use prost::bytes::Bytes;
use wire::proto::{Declined, Progress};

use super::*;
use crate::Inbound;

fn item(number: u64, bytes: usize) -> Item {
    let declined = Declined { room: Bytes::from(vec![0; bytes]), account: String::new() };
    Item { number, item: Some(item::Item::Declined(declined)) }
}

fn queue(from: u64, to: u64, bytes: usize) -> impl Iterator<Item = Item> {
    (from..=to).map(move |number| item(number, bytes))
}

fn opened(acked: u64, received: u64, newest: u64) -> Outbound {
    let mut out = Outbound::new([1; 16], acked, acked);
    assert_eq!(out.next(), None, "nothing before the peer has answered");
    assert_eq!(out.open().first, acked + 1);
    assert_eq!(out.batch(queue(acked + 1, newest, 1)), None);
    out.resume(&LinkResume { received, answers: vec![] }, newest).unwrap();
    out
}

fn numbers(batch: &Batch) -> Vec<u64> {
    batch.items.iter().map(|item| item.number).collect()
}

fn ack(received: u64, refused: &[u64]) -> BatchAck {
    let error = Some(ErrorCode::Forbidden.into());
    BatchAck { received, answers: refused.iter().map(|number| Answer { number: *number, error }).collect() }
}

// [LINK-5] [LINK-6]
#[test]
fn a_link_resumes_after_what_the_peer_has_received() {
    let mut out = opened(3, 7, 20);
    assert_eq!((out.acked(), out.next()), (7, Some(8)), "an acknowledgement that was lost");
    assert_eq!(numbers(&out.batch(queue(8, 10, 1)).unwrap()), [8, 9, 10]);
    assert_eq!(out.next(), Some(11));
    out.close();
    assert_eq!((out.next(), out.batch(queue(11, 12, 1))), (None, None));
    assert_eq!(out.open().first, 8);
    out.resume(&LinkResume { received: 7, answers: vec![] }, 20).unwrap();
    assert_eq!(out.next(), Some(8), "what was not acknowledged is sent again");
}

#[test]
fn an_outbox_that_went_back_in_time_is_noticed_before_a_number_is_used_twice() {
    let mut out = Outbound::new([1; 16], 3, 3);
    out.open();
    let resume = LinkResume { received: 9, answers: vec![] };
    assert_eq!(out.resume(&resume, 8), Err(ErrorCode::Conflict));
    assert_eq!(out.next(), None);
}

#[test]
fn a_peer_that_forgot_items_is_not_waited_for() {
    let out = opened(5, 2, 9);
    assert_eq!((out.acked(), out.next()), (5, Some(6)));
}

// [LINK-7]
#[test]
fn batches_are_bounded_by_count_by_bytes_and_by_the_window() {
    let mut out = opened(0, 0, 100_000);
    let by_count = out.batch(queue(1, 1000, 1)).unwrap();
    assert_eq!(by_count.items.len(), limits::BATCH_ITEMS_MAX);
    let from = out.next().unwrap();
    let by_bytes = out.batch(queue(from, from + 63, 100_000)).unwrap();
    assert_eq!(by_bytes.items.len(), 10);
    assert!(by_bytes.encoded_len() < limits::FRAME_BYTES_MAX);
    for _ in 2..limits::BATCHES_IN_FLIGHT_MAX {
        let from = out.next().unwrap();
        out.batch(queue(from, from, 1)).unwrap();
    }
    assert_eq!(out.next(), None, "the window is full");
    out.ack(&ack(64, &[])).unwrap();
    assert!(out.next().is_some());
}

#[test]
fn items_are_sent_in_order_and_without_gaps_or_not_at_all() {
    let mut out = opened(0, 0, 9);
    assert_eq!(out.batch([item(2, 1)]), None);
    assert_eq!(numbers(&out.batch([item(1, 1), item(3, 1)]).unwrap()), [1]);
    assert_eq!(out.batch([item(1, 1)]), None);
}

// [LINK-14]
#[test]
fn an_item_over_the_limit_is_answered_and_holds_up_nobody() {
    let mut out = opened(0, 0, 9);
    let batch = out.batch([item(1, 1), item(2, limits::BATCH_BYTES_MAX), item(3, 1)]).unwrap();
    assert_eq!(numbers(&batch), [1, 2, 3]);
    assert_eq!(batch.items[1].item, None);
}

// [LINK-8]
#[test]
fn acknowledgements_are_cumulative_and_only_for_what_was_sent() {
    let mut out = opened(0, 0, 9);
    assert_eq!(Outbound::new([1; 16], 0, 0).ack(&ack(0, &[])), Err(ErrorCode::Malformed), "not open");
    out.batch(queue(1, 6, 1)).unwrap();
    assert_eq!(out.ack(&ack(7, &[])), Err(ErrorCode::Malformed));
    assert_eq!(out.ack(&ack(4, &[5])), Err(ErrorCode::Malformed), "an answer to what is not acknowledged");
    assert_eq!(out.ack(&ack(4, &[0])), Err(ErrorCode::Malformed));
    let unsaid = BatchAck { received: 4, answers: vec![Answer { number: 1, error: None }] };
    assert_eq!(out.ack(&unsaid), Err(ErrorCode::Malformed));
    let acked = out.ack(&ack(4, &[2, 4])).unwrap();
    let refused = vec![(2, ErrorCode::Forbidden.into()), (4, ErrorCode::Forbidden.into())];
    assert_eq!(acked, Acked { up_to: 4, refused });
    assert_eq!(out.ack(&ack(1, &[])).unwrap().up_to, 4, "an older one takes nothing back");
}

// [LINK-9]
#[test]
fn what_is_settled_is_told_once_and_only_when_it_is_durable() {
    let mut out = opened(0, 0, 9);
    out.batch(queue(1, 4, 1)).unwrap();
    out.ack(&ack(4, &[2])).unwrap();
    assert_eq!(out.batch([]), None, "the answer is not durable yet");
    out.settle(4);
    assert_eq!(out.batch([]), Some(Batch { items: vec![], settled: 4 }));
    assert_eq!(out.batch([]), None);
    out.settle(9);
    assert_eq!(out.batch(queue(5, 5, 1)).unwrap().settled, 4, "never more than is acknowledged");
}

// [LINK-10]
#[test]
fn ephemeral_messages_ride_along_and_are_lost_rather_than_kept() {
    let mut out = Outbound::new([1; 16], 0, 0);
    out.ephemeral(Ephemeral::default());
    out.open();
    out.resume(&LinkResume::default(), 9).unwrap();
    assert_eq!(out.batch([]), None, "said while nobody listened");
    out.ephemeral(Ephemeral { epoch: 1, ..Ephemeral::default() });
    assert_eq!(numbers(&out.batch(queue(1, 2, 1)).unwrap()), [1, 2, 0]);
    assert_eq!(out.next(), Some(3));
    for epoch in 0..100 {
        out.ephemeral(Ephemeral { epoch, ..Ephemeral::default() });
    }
    let batch = out.batch([]).unwrap();
    assert_eq!(batch.items.len(), EPHEMERAL_WAITING_MAX);
    let Some(item::Item::Ephemeral(first)) = &batch.items[0].item else { panic!("not ephemeral") };
    assert_eq!(first.epoch, 36, "the oldest are dropped");
    out.ephemeral(Ephemeral::default());
    out.close();
    out.open();
    out.resume(&LinkResume::default(), 9).unwrap();
    assert_eq!(numbers(&out.batch(queue(1, 1, 1)).unwrap()), [1]);
}

// [LINK-13]
#[test]
fn what_was_given_up_is_never_sent() {
    let mut out = Outbound::new([1; 16], 2, 2);
    out.give_up(5);
    assert_eq!(out.open().first, 6);
    out.resume(&LinkResume { received: 2, answers: vec![] }, 9).unwrap();
    assert_eq!(out.next(), Some(6));
}

/// Both halves with a store behind each that may be behind what was said.
#[test]
fn whatever_breaks_every_item_is_taken_exactly_once_and_every_refusal_arrives() {
    for seed in 0..300 {
        let mut random = Seeded::new(seed);
        let newest = 200;
        let refuses = |number: u64| number.is_multiple_of(7);
        let (mut out, mut inbound) = (Outbound::new([1; 16], 0, 0), Inbound::default());
        let (mut taken, mut told) = (Vec::new(), std::collections::BTreeSet::new());
        // What the receiver has stored: the state to restart from.
        let mut stored = inbound.clone();
        let mut broken = 0;
        while out.acked() < newest {
            let (resume, _) = inbound.open(&out.open()).unwrap();
            let acked = out.resume(&resume, newest).unwrap();
            told.extend(acked.refused.iter().map(|(number, _)| *number));
            out.settle(acked.up_to);
            for _ in 0..random.below(12) {
                let Some(next) = out.next() else { break };
                let sent: Vec<Item> =
                    queue(next, newest, 1).take(usize::try_from(random.below(9)).unwrap()).collect();
                let Some(batch) = out.batch(sent) else { continue };
                inbound.settled(batch.settled);
                for item in inbound.batch(batch).unwrap() {
                    let refused = refuses(item.number).then(|| ErrorCode::Forbidden.into());
                    inbound.taken(item.number, refused);
                    taken.push(item.number);
                }
                if random.below(4) == 0 && broken < 100 {
                    // It crashes before its transaction is durable: nothing of it happened.
                    broken += 1;
                    taken.truncate(usize::try_from(stored.received()).unwrap());
                    inbound = stored.clone();
                    break;
                }
                stored = inbound.clone();
                let ack = inbound.ack();
                if random.below(3) != 0 {
                    let acked = out.ack(&ack).unwrap();
                    told.extend(acked.refused.iter().map(|(number, _)| *number));
                    out.settle(acked.up_to);
                } else {
                    break;
                }
            }
            out.close();
        }
        assert_eq!(taken, (1..=newest).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(told, (1..=newest).filter(|number| refuses(*number)).collect(), "seed {seed}");
    }
}

#[test]
fn other_items_pass_through_unchanged() {
    let mut out = opened(0, 0, 1);
    let progress = Item { number: 1, item: Some(item::Item::Progress(Progress::default())) };
    assert_eq!(out.batch([progress.clone()]).unwrap().items, [progress]);
}

// [LINK-8]
#[test]
fn of_an_acknowledgement_that_is_malformed_nothing_counts() {
    let mut out = opened(0, 0, 5);
    out.batch(queue(1, 5, 1)).unwrap();
    let no_error = BatchAck { received: 3, answers: vec![Answer { number: 1, error: None }] };
    for wrong in [ack(3, &[4]), ack(3, &[0]), ack(6, &[]), no_error.clone()] {
        assert_eq!(out.ack(&wrong), Err(ErrorCode::Malformed), "{wrong:?}");
        assert_eq!(out.acked(), 0, "{wrong:?}");
    }
    out.close();
    out.open();
    let resume = LinkResume { received: 3, answers: no_error.answers };
    assert_eq!(out.resume(&resume, 5), Err(ErrorCode::Malformed));
    assert_eq!((out.acked(), out.is_open()), (0, false));
}
