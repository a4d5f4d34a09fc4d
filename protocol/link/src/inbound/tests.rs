//! Decides nothing: shows what a receiver takes, skips and refuses.

use prost::bytes::Bytes;
use wire::proto::{Declined, Ephemeral};

use super::*;

fn item(number: u64) -> Item {
    Item { number, item: Some(item::Item::Declined(Declined::default())) }
}

fn ephemeral(number: u64) -> Item {
    Item { number, item: Some(item::Item::Ephemeral(Ephemeral::default())) }
}

fn open(id: u8, first: u64) -> LinkOpen {
    LinkOpen { outbox_id: Bytes::from(vec![id; 16]), first }
}

fn batch(numbers: &[u64]) -> Batch {
    Batch { items: numbers.iter().map(|number| item(*number)).collect(), settled: 0 }
}

fn new(inbound: &Inbound, numbers: &[u64]) -> Result<Vec<u64>, ErrorCode> {
    inbound.batch(batch(numbers)).map(|items| items.iter().map(|item| item.number).collect())
}

fn received(up_to: u64) -> Inbound {
    let mut inbound = Inbound::default();
    inbound.open(&open(1, 1)).unwrap();
    for number in 1..=up_to {
        inbound.taken(number, None);
    }
    inbound
}

// [LINK-7]
#[test]
fn what_is_known_is_skipped_and_gaps_are_refused() {
    let inbound = received(5);
    assert_eq!(new(&inbound, &[6, 7]), Ok(vec![6, 7]));
    assert_eq!(new(&inbound, &[4, 5, 6]), Ok(vec![6]));
    assert_eq!(new(&inbound, &[1, 2]), Ok(vec![]));
    assert_eq!(new(&inbound, &[]), Ok(vec![]));
    for gap in [&[7][..], &[6, 8], &[6, 6], &[7, 6], &[u64::MAX], &[5, 7]] {
        assert_eq!(new(&inbound, gap), Err(ErrorCode::Malformed), "{gap:?}");
    }
    let last = Inbound::new([1; 16], limits::SEQ_MAX, []);
    assert_eq!(new(&last, &[limits::SEQ_MAX + 1]), Err(ErrorCode::Malformed));
    assert_eq!(Inbound::default().open(&open(1, limits::SEQ_MAX + 1)).unwrap_err(), ErrorCode::Malformed);
}

#[test]
fn a_batch_over_its_limits_is_refused_whole() {
    let inbound = received(0);
    let numbers: Vec<u64> = (1..=65).collect();
    assert_eq!(new(&inbound, &numbers), Err(ErrorCode::TooLarge));
    assert!(new(&inbound, &numbers[..64]).is_ok());
    let with = |bytes: usize| {
        let declined = Declined { room: Bytes::from(vec![0; bytes]), account: String::new() };
        let items = vec![item(1), Item { number: 2, item: Some(item::Item::Declined(declined)) }];
        inbound.batch(Batch { items, settled: 0 }).map(|items| items.len())
    };
    assert_eq!(with(limits::BATCH_BYTES_MAX), Err(ErrorCode::TooLarge));
    assert_eq!(with(limits::BATCH_BYTES_MAX - 40), Ok(2));
}

// [LINK-10]
#[test]
fn ephemeral_items_have_no_number_and_no_other_item_has_none() {
    let inbound = received(0);
    let check = |items: Vec<Item>| inbound.batch(Batch { items, settled: 0 }).map(|items| items.len());
    assert_eq!(check(vec![ephemeral(0), item(1), ephemeral(0), item(2)]), Ok(4));
    assert_eq!(check(vec![ephemeral(1)]), Err(ErrorCode::Malformed));
    assert_eq!(check(vec![item(0)]), Err(ErrorCode::Malformed));
    assert_eq!(check(vec![Item::default()]), Err(ErrorCode::Malformed));
}

// [LINK-14]
#[test]
fn one_bad_item_is_answered_and_its_neighbours_are_taken() {
    let mut inbound = received(0);
    let mut items: Vec<Item> = (1..=50).map(item).collect();
    items[20].item = None;
    let new = inbound.batch(Batch { items, settled: 0 }).unwrap();
    for item in &new {
        let refused = item.item.is_none().then(|| ErrorCode::Malformed.into());
        inbound.taken(item.number, refused);
    }
    let ack = inbound.ack();
    assert_eq!(ack.received, 50);
    assert_eq!(ack.answers, [Answer { number: 21, error: Some(ErrorCode::Malformed.into()) }]);
}

// [LINK-8] [LINK-9]
#[test]
fn refusals_are_told_once_on_a_stream_and_again_on_the_next_until_they_are_settled() {
    let mut inbound = received(0);
    inbound.taken(1, Some(ErrorCode::Forbidden.into()));
    assert_eq!(inbound.ack().answers.len(), 1);
    inbound.taken(2, Some(ErrorCode::NotFound.into()));
    assert_eq!(inbound.ack().answers, [Answer { number: 2, error: Some(ErrorCode::NotFound.into()) }]);
    assert!(inbound.ack().answers.is_empty());
    let (resume, _) = inbound.open(&open(1, 1)).unwrap();
    assert_eq!((resume.received, resume.answers.len()), (2, 2));
    assert!(inbound.settled(1));
    assert!(!inbound.settled(1));
    let (resume, _) = inbound.open(&open(1, 1)).unwrap();
    assert_eq!(resume.answers, [Answer { number: 2, error: Some(ErrorCode::NotFound.into()) }]);
}

#[test]
fn a_peer_that_never_settles_is_stopped() {
    let many = (1..=limits::ANSWERS_KEPT_MAX as u64).map(|number| (number, ErrorCode::Forbidden.into()));
    let mut inbound = Inbound::new([1; 16], limits::ANSWERS_KEPT_MAX as u64, many);
    let next = inbound.received() + 1;
    assert_eq!(new(&inbound, &[next]), Err(ErrorCode::Quota));
    inbound.settled(5);
    assert_eq!(new(&inbound, &[next]), Ok(vec![next]));
}

// [LINK-6]
#[test]
fn a_new_numbering_voids_the_old_and_what_will_never_come_is_not_waited_for() {
    let mut inbound = received(9);
    inbound.taken(10, Some(ErrorCode::Forbidden.into()));
    let (resume, renumbered) = inbound.open(&open(2, 1)).unwrap();
    assert_eq!((resume, renumbered), (LinkResume { received: 0, answers: vec![] }, true));
    assert_eq!(new(&inbound, &[1]), Ok(vec![1]));
    let (resume, renumbered) = inbound.open(&open(2, 5)).unwrap();
    assert_eq!((resume.received, renumbered), (4, false));
    assert_eq!(new(&inbound, &[5]), Ok(vec![5]));
    assert_eq!(inbound.open(&open(2, 0)), Err(ErrorCode::Malformed));
    let short = LinkOpen { outbox_id: Bytes::from_static(b"short"), first: 1 };
    assert_eq!(inbound.open(&short), Err(ErrorCode::Malformed));
}
