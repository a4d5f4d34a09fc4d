//! Rows 18, 19, 23, 26, 33, 36 and 37: link streams and batches that break the rules of chapter 06, and
//! items that say what their sender may not say.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use kit::{Person, RawLink, RawPeer, RawStream, SystemEntropy, close_code};
use mls::{DeviceKeys, Entrance, Member};
use wire::{
    ErrorCode, limits,
    proto::{
        Answer, Batch, BatchAck, Declined, Ephemeral, Event, EventKind, Events, Item, Join, Left, LinkFrame,
        LinkOpen, LinkResume, PeerRequest, Progress, ProgressKind, Submission, admin_request, admin_response,
        item, link_frame::Frame, peer_request::Request,
    },
};

use crate::{
    hand::{Hand, adding, certified, key_package, message_in, submission as submission_of},
    stage::{node, unharmed},
};

const ROOM: Bytes = Bytes::from_static(&[1; 32]);

fn left() -> item::Item {
    item::Item::Left(Left { room: ROOM, seq: 1, accounts: vec!["alice@acme.test".to_owned()] })
}

fn numbered(numbers: impl IntoIterator<Item = u64>) -> Batch {
    let items = numbers.into_iter().map(|number| Item { number, item: Some(left()) });
    Batch { items: items.collect(), settled: 0 }
}

fn submission(account: &str) -> Submission {
    Submission {
        room: ROOM,
        message_id: Bytes::from_static(&[2; 16]),
        kind: EventKind::Message.into(),
        epoch: 1,
        body: Bytes::from_static(&[3; 100]),
        hub: String::new(),
        commit: None,
        account: account.to_owned(),
        device_id: Bytes::from_static(&[4; 16]),
    }
}

async fn linked(peer: &RawPeer, node: &kit::Node) -> Result<(quinn::Connection, RawLink)> {
    let connection = peer.establish(node).await?;
    let link = peer.open_link(&connection).await?;
    Ok((connection, link))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_does_not_open_a_link_properly_ends_the_connection() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let open = |outbox_id: &'static [u8], first| {
        Some(Frame::Open(LinkOpen { outbox_id: Bytes::from_static(outbox_id), first }))
    };
    for (what, frame) in [
        ("15 bytes of outbox id", open(&[1; 15], 1)),
        ("no outbox id", open(&[], 1)),
        ("first 0", open(&[1; 16], 0)),
        ("a batch before the opening", Some(Frame::Batch(numbered([1])))),
        ("a resume by the opener", Some(Frame::Resume(LinkResume::default()))),
        ("an acknowledgement by the opener", Some(Frame::Ack(BatchAck::default()))),
        ("nothing", None),
    ] {
        let connection = peer.establish(&node).await?;
        let mut stream = RawStream::open(&connection).await?;
        stream.write(&PeerRequest { request: Some(Request::Link(LinkFrame { frame })) }).await?;
        assert_eq!(close_code(&connection).await?, ErrorCode::Malformed, "{what}");
    }
    unharmed(&mut node).await
}

fn broken_batches() -> Vec<(&'static str, ErrorCode, Frame)> {
    use ErrorCode::{Malformed, TooLarge};
    let batch = |numbers: &[u64]| Frame::Batch(numbered(numbers.iter().copied()));
    let typing = Ephemeral { room: ROOM, epoch: 1, body: Bytes::from_static(b"x") };
    let of =
        |number, item| Frame::Batch(Batch { items: vec![Item { number, item: Some(item) }], settled: 0 });
    let large = Submission { body: vec![0; limits::BATCH_BYTES_MAX].into(), ..submission("eve@evil.test") };
    let answer = Answer { number: 1, error: Some(ErrorCode::NotFound.into()) };
    vec![
        ("a gap before the first", Malformed, batch(&[2])),
        ("a gap within", Malformed, batch(&[1, 3])),
        ("one number twice", Malformed, batch(&[1, 1])),
        ("numbers that descend", Malformed, batch(&[2, 1])),
        ("number 2^63 - 1", Malformed, batch(&[i64::MAX as u64])),
        ("number 2^64 - 1", Malformed, batch(&[u64::MAX])),
        ("no number", Malformed, batch(&[0])),
        ("typing with a number", Malformed, of(1, item::Item::Ephemeral(typing))),
        ("65 items", TooLarge, Frame::Batch(numbered(1..=limits::BATCH_ITEMS_MAX as u64 + 1))),
        ("over 1 MiB", TooLarge, of(1, item::Item::Submission(large))),
        ("an opening in the middle", Malformed, Frame::Open(LinkOpen::default())),
        (
            "an acknowledgement of what was never sent",
            Malformed,
            Frame::Ack(BatchAck { received: 1_000, answers: Vec::new() }),
        ),
        (
            "an answer to what was never sent",
            Malformed,
            Frame::Ack(BatchAck { received: 0, answers: vec![answer] }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_breaks_the_rules_ends_the_connection_and_counts_for_nothing() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let honest = RawPeer::new("honest.test")?;
    honest.pinned_by(&node)?;
    let (_honest_connection, mut honest_link) = linked(&honest, &node).await?;
    for (what, error, frame) in broken_batches() {
        let (connection, mut link) = linked(&peer, &node).await?;
        link.stream().write(&LinkFrame { frame: Some(frame) }).await?;
        assert_eq!(close_code(&connection).await?, error, "{what}");
        // Nothing of it was taken: the same numbers are free.
        let (_connection, mut link) = linked(&peer, &node).await?;
        assert_eq!(link.send([left()]).await?, 1, "{what}");
        link.acknowledged(1).await?;
        let number = honest_link.send([left()]).await?;
        honest_link.acknowledged(number).await.context("the honest peer beside it")?;
    }
    unharmed(&mut node).await
}

/// A room at the node with alice and this peer's eve, and what eve needs to speak in it.
async fn room_with_eve(node: &kit::Node, peer: &RawPeer) -> Result<(Hand, DeviceKeys, Member)> {
    let mut alice = Hand::new(node, "alice").await?;
    let eve = certified(&Person::new("eve@evil.test")?, peer)?;
    let package = key_package(&eve)?;
    let (mut member, mut hub) = alice.found().await?;
    let commit = alice.carry_out(&mut member, &adding(&[&package])).await?;
    let extras = commit.commit.unwrap_or_default();
    hub.check_commit(&commit.body, &extras)?;
    hub.merge()?;
    let tree = hub.ratchet_tree()?;
    let entrance = Entrance { commit: &commit.body, welcome: &extras.welcome, ratchet_tree: &tree };
    let joined = Member::join(&eve, &entrance, &package.rows)?;
    Ok((alice, eve, joined.member))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_item_does_not_block_its_neighbours() -> Result<()> {
    const BAD: u64 = 25;
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    // Its documents come with the hello: before it nobody of its people is believed.
    let (_connection, mut link) = linked(&peer, &node).await?;
    let (mut alice, eve, mut member) = room_with_eve(&node, &peer).await?;
    let mut items = Vec::new();
    for number in 1..=50 {
        let binding = message_in(member.room());
        let body = member.encrypt(&binding, b"honest", &mut SystemEntropy)?;
        let said = submission_of(&eve, &binding, EventKind::Message, member.epoch(), body);
        let item = (number != BAD).then_some(item::Item::Submission(said));
        items.push(Item { number, item });
    }
    link.write(Batch { items, settled: 0 }).await?;
    assert_eq!(link.acknowledged(50).await?, [(BAD, ErrorCode::Malformed)]);
    // The founding, the commit and 49 messages.
    assert_eq!(alice.pull(member.room()).await?, Ok(51));
    match node.ask(admin_request::Request::ListQuarantine(Default::default()))? {
        admin_response::Response::Quarantine(kept) => assert_eq!(kept.total, 1, "{kept:?}"),
        other => panic!("{other:?} is no quarantine"),
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_repeated_has_its_effect_once() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let (_connection, mut link) = linked(&peer, &node).await?;
    let poison = || Batch { items: vec![Item { number: 1, item: None }], settled: 0 };
    for _ in 0..1_000 {
        link.write(poison()).await?;
    }
    let refusals = link.acknowledged(1).await?;
    assert_eq!(refusals, [(1, ErrorCode::Malformed)]);
    link.write(numbered([2])).await?;
    link.acknowledged(2).await?;
    match node.ask(admin_request::Request::ListQuarantine(Default::default()))? {
        admin_response::Response::Quarantine(kept) => assert_eq!(kept.total, 1, "{kept:?}"),
        other => panic!("{other:?} is no quarantine"),
    }
    unharmed(&mut node).await
}

fn claims_of_others() -> Vec<(&'static str, ErrorCode, item::Item)> {
    use ErrorCode::{Malformed, NotFound, OriginMismatch, TooLarge};
    use item::Item as Kind;
    let progress = |kind: ProgressKind, who: &str| {
        Kind::Progress(Progress { room: ROOM, kind: kind.into(), who: who.to_owned(), seq: 1 })
    };
    let declined = |account: &str| Kind::Declined(Declined { room: ROOM, account: account.to_owned() });
    let leaves = |account: &str| Kind::Left(Left { room: ROOM, seq: 1, accounts: vec![account.to_owned()] });
    let submits = |account: &str| Kind::Submission(submission(account));
    let founding = Submission {
        kind: EventKind::Founding.into(),
        epoch: 0,
        hub: "third.test".to_owned(),
        ..submission("eve@evil.test")
    };
    let large =
        Submission { body: vec![0; limits::MESSAGE_BYTES_MAX + 1].into(), ..submission("eve@evil.test") };
    let event = Event { head: vec![1; 40].into(), signature: vec![2; 64].into(), body: vec![3; 10].into() };
    let run = |events: Vec<Event>| Kind::Events(Events { room: ROOM, events });
    let join = |commit: Option<Event>| {
        Kind::Join(Join {
            room: ROOM,
            commit,
            accounts: vec!["alice@acme.test".to_owned()],
            ..Join::default()
        })
    };
    vec![
        ("a message of its own account in a room that does not exist", NotFound, submits("eve@evil.test")),
        ("a message of our account", OriginMismatch, submits("alice@acme.test")),
        ("a message of a third domain's account", OriginMismatch, submits("bob@umbrella.test")),
        ("a message of nobody", Malformed, submits("")),
        ("a message over its limit", TooLarge, Kind::Submission(large)),
        ("an empty submission", Malformed, Kind::Submission(Submission::default())),
        ("a founding at another hub", ErrorCode::Misdirected, Kind::Submission(founding)),
        ("our account declines", OriginMismatch, declined("alice@acme.test")),
        ("a third domain's account declines", OriginMismatch, declined("bob@umbrella.test")),
        ("its own account declines nothing", NotFound, declined("eve@evil.test")),
        ("nobody declines", Malformed, declined("eve")),
        ("its own account has left", OriginMismatch, leaves("eve@evil.test")),
        ("our account has left a room that does not exist", NotFound, leaves("alice@acme.test")),
        ("a domain has received", Malformed, progress(ProgressKind::Delivered, "evil.test")),
        ("an account has stored", Malformed, progress(ProgressKind::Stored, "eve@evil.test")),
        ("progress of no kind", Malformed, progress(ProgressKind::Unspecified, "evil.test")),
        ("progress in a room that does not exist", NotFound, progress(ProgressKind::Stored, "evil.test")),
        ("no event", Malformed, run(Vec::new())),
        ("events of noise", Malformed, run(vec![event.clone()])),
        ("a join without an event", Malformed, join(None)),
        ("a join with an event of noise", Malformed, join(Some(event))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_speaks_for_its_own_accounts_and_rooms_only() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let (_connection, mut link) = linked(&peer, &node).await?;
    for (what, error, item) in claims_of_others() {
        let number = link.send([item]).await?;
        let refusals = link.acknowledged(number).await.context(what)?;
        assert_eq!(refusals, [(number, error)], "{what}");
    }
    unharmed(&mut node).await
}
