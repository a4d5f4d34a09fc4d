//! Rows 23, 24, 28, 29, 30, 31, 33 and 35 in a room with real groups: what a device of the hub's own
//! domain may not do to it.

use anyhow::Result;
use bytes::Bytes;
use kit::{Person, RawPeer, SystemEntropy, ask_peer};
use machine::Timestamp;
use mls::{Change, Entrance, Member};
use wire::{
    ErrorCode, WireError,
    proto::{EventKind, KeyPackageUpload, PullEvents, item, peer_request::Request},
};

use crate::{
    hand::{Hand, adding, certified, key_package, message_in, submission},
    stage::{node, unharmed},
};

/// A room of alice, bob and carol; alice is its admin.
async fn room_of_three(node: &kit::Node) -> Result<(Vec<Hand>, Vec<Member>)> {
    let mut hands =
        vec![Hand::new(node, "alice").await?, Hand::new(node, "bob").await?, Hand::new(node, "carol").await?];
    let (mut alice, mut hub) = hands[0].found().await?;
    let packages = [key_package(&hands[1].keys)?, key_package(&hands[2].keys)?];
    let commit = hands[0].carry_out(&mut alice, &adding(&[&packages[0], &packages[1]])).await?;
    let mut members = vec![alice];
    let extras = commit.commit.unwrap_or_default();
    hub.check_commit(&commit.body, &extras)?;
    hub.merge()?;
    let tree = hub.ratchet_tree()?;
    for (hand, package) in hands[1..].iter().zip(&packages) {
        let entrance = Entrance { commit: &commit.body, welcome: &extras.welcome, ratchet_tree: &tree };
        members.push(Member::join(&hand.keys, &entrance, &package.rows)?.member);
    }
    Ok((hands, members))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_has_one_effect_however_often_it_is_sent() -> Result<()> {
    let mut node = node()?;
    let (mut hands, mut members) = room_of_three(&node).await?;
    let message = hands[1].message(&mut members[1], b"once")?;
    for _ in 0..1_000 {
        hands[1].submit(message.clone()).await??;
    }
    // The founding, the commit and the message.
    assert_eq!(hands[0].pull(members[0].room()).await?, Ok(3));
    let mut other = hands[1].message(&mut members[1], b"twice")?;
    other.message_id = message.message_id.clone();
    assert_eq!(hands[1].refused(other).await?, ErrorCode::Conflict, "same id, other content");
    let mut epoch = message.clone();
    epoch.epoch += 1;
    assert_eq!(hands[1].refused(epoch).await?, ErrorCode::Conflict, "same id, other epoch");
    assert_eq!(hands[0].pull(members[0].room()).await?, Ok(3));
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_commit_of_an_epoch_wins_and_the_others_are_stale() -> Result<()> {
    let mut node = node()?;
    let (mut hands, mut members) = room_of_three(&node).await?;
    let remove = Change { remove: vec![hands[2].keys.account.clone()], ..Change::default() };
    let room = *members[0].room();
    let mut twin = Member::load(&hands[0].keys, &room, rows(&mut members[0]))?;
    let late = hands[0].commit(&mut twin, &Change::default())?;
    let old_epoch = members[0].epoch();
    hands[0].carry_out(&mut members[0], &remove).await?;
    let refused = hands[0].submit(late.clone()).await?.expect_err("a second commit of one epoch");
    assert_eq!(refused.code, ErrorCode::StaleEpoch);
    assert_eq!(refused.value, old_epoch + 1, "the answer says which epoch is current");
    let mut future = late;
    future.epoch += 7;
    future.message_id = message_in(members[0].room()).message_id;
    assert!(matches!(hands[0].refused(future).await?, ErrorCode::StaleEpoch | ErrorCode::Malformed));
    // The proof that the room goes on.
    let message = hands[0].message(&mut members[0], b"after")?;
    hands[0].submit(message).await??;
    unharmed(&mut node).await
}

/// Everything that a member's rows hold.
fn rows(member: &mut Member) -> mls::Rows {
    member.take_changes().into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_admin_adds_and_removes_nobody() -> Result<()> {
    let mut node = node()?;
    let (mut hands, mut members) = room_of_three(&node).await?;
    let dave = Hand::new(&node, "dave").await?;
    let room = *members[1].room();
    let package = key_package(&dave.keys)?;
    let add = hands[1].commit(&mut members[1], &adding(&[&package]))?;
    assert_eq!(hands[1].refused(add).await?, ErrorCode::Forbidden, "bob adds dave");
    members[1].clear_pending()?;
    let remove = Change { remove: vec![hands[2].keys.account.clone()], ..Change::default() };
    let remove = hands[1].commit(&mut members[1], &remove)?;
    assert_eq!(hands[1].refused(remove).await?, ErrorCode::Forbidden, "bob removes carol");
    members[1].clear_pending()?;
    let mut state = members[1].state().clone();
    state.admins = vec![hands[1].keys.account.to_string()];
    let crown = Change { state: Some(state), ..Change::default() };
    let crown = hands[1].commit(&mut members[1], &crown)?;
    assert_eq!(hands[1].refused(crown).await?, ErrorCode::Forbidden, "bob makes himself admin");
    members[1].clear_pending()?;
    // Alice's commit under bob's name, and bob's under alice's.
    let stolen = hands[0].commit(&mut members[0], &Change::default())?;
    let mut stolen_by_bob = stolen.clone();
    stolen_by_bob.account = hands[1].keys.account.to_string();
    stolen_by_bob.device_id = hands[1].keys.device.to_bytes();
    assert_eq!(hands[1].refused(stolen_by_bob).await?, ErrorCode::OriginMismatch);
    assert_eq!(hands[1].refused(stolen).await?, ErrorCode::OriginMismatch);
    assert_eq!(hands[0].pull(&room).await?, Ok(2), "nothing of it was ordered");
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_that_its_domain_does_not_vouch_for_is_not_added() -> Result<()> {
    let mut node = node()?;
    let (mut hands, mut members) = room_of_three(&node).await?;
    let pinned = RawPeer::new("evil.test")?;
    pinned.pinned_by(&node)?;
    let _connection = pinned.establish(&node).await?;
    let stranger = RawPeer::new("nobody.test")?;
    // An account of ours, made up by another domain; one of a domain that nobody pinned; one whose
    // binding another domain signed.
    let made_up = certified(&Person::new("dave@acme.test")?, &pinned)?;
    let unpinned = certified(&Person::new("eve@nobody.test")?, &stranger)?;
    let borrowed = certified(&Person::new("eve@evil.test")?, &stranger)?;
    for (what, keys) in [("made up", made_up), ("not pinned", unpinned), ("borrowed", borrowed)] {
        let package = key_package(&keys)?;
        let add = hands[0].commit(&mut members[0], &adding(&[&package]))?;
        let error = hands[0].refused(add).await?;
        let named = matches!(
            error,
            ErrorCode::BadSignature | ErrorCode::KeyUnverified | ErrorCode::NotFound | ErrorCode::AuthFailed
        );
        assert!(named, "{what}: {error}");
        members[0].clear_pending()?;
    }
    let honest = key_package(&certified(&Person::new("eve@evil.test")?, &pinned)?)?;
    hands[0].carry_out(&mut members[0], &adding(&[&honest])).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_parts_do_not_belong_together_is_malformed() -> Result<()> {
    let mut node = node()?;
    let (mut hands, mut members) = room_of_three(&node).await?;
    let dave = Hand::new(&node, "dave").await?;
    let package = key_package(&dave.keys)?;
    let honest = hands[0].commit(&mut members[0], &adding(&[&package]))?;
    // A Welcome and a GroupInfo of another room.
    let (mut other, _) = hands[0].found().await?;
    let foreign = hands[0].commit(&mut other, &adding(&[&key_package(&dave.keys)?]))?;
    let foreign = foreign.commit.unwrap_or_default();
    for part in 0..4 {
        let mut spoilt = honest.clone();
        let extras = spoilt.commit.get_or_insert_default();
        match part {
            0 => extras.welcome = foreign.welcome.clone(),
            1 => extras.group_info = foreign.group_info.clone(),
            2 => extras.welcome = Bytes::new(),
            _ => extras.group_info = Bytes::from_static(b"noise"),
        }
        assert_eq!(hands[0].refused(spoilt).await?, ErrorCode::Malformed, "part {part}");
    }
    hands[0].submit(honest).await??;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_not_what_they_say_are_refused() -> Result<()> {
    let mut node = node()?;
    let (mut hands, mut members) = room_of_three(&node).await?;
    let (mut other_room, _) = hands[1].found().await?;
    let room = *members[1].room();
    let honest = hands[1].message(&mut members[1], b"text")?;
    let elsewhere = hands[1].message(&mut other_room, b"text")?;
    let binding = || message_in(&room);
    let epoch = members[1].epoch();
    let flipped = |at: usize| {
        let mut body = honest.body.to_vec();
        body[at] ^= 1;
        Bytes::from(body)
    };
    let rows = [
        ("noise as a message", EventKind::Message, epoch, Bytes::from_static(&[7; 200])),
        ("noise as a commit", EventKind::Proposal, epoch, Bytes::from_static(&[7; 200])),
        ("a message as a proposal", EventKind::Proposal, epoch, honest.body.clone()),
        ("a message of another room", EventKind::Message, epoch, elsewhere.body.clone()),
        ("another version of MLS", EventKind::Message, epoch, flipped(1)),
        ("a notice of a device", EventKind::Notice, epoch, Bytes::from_static(&[7; 20])),
        ("a message of another epoch than it says", EventKind::Message, epoch - 1, honest.body.clone()),
    ];
    for (what, kind, epoch, body) in rows {
        let spoilt = hands[1].submission(&binding(), kind, epoch, body);
        let error = hands[1].refused(spoilt).await?;
        let named = matches!(error, ErrorCode::Malformed | ErrorCode::Unsupported | ErrorCode::StaleEpoch);
        assert!(named, "{what}: {error}");
    }
    let mut later = honest.clone();
    later.epoch += 5;
    later.message_id = binding().message_id;
    assert!(matches!(hands[1].refused(later).await?, ErrorCode::Malformed | ErrorCode::StaleEpoch));
    hands[1].submit(honest).await??;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_looks_to_a_stranger_as_if_it_did_not_exist() -> Result<()> {
    let mut node = node()?;
    let (hands, mut members) = room_of_three(&node).await?;
    let mut mallory = Hand::new(&node, "mallory").await?;
    let room = *members[0].room();
    assert_eq!(mallory.pull(&room).await?, Err(ErrorCode::NotFound));
    let stolen = hands[0].message(&mut members[0], b"text")?;
    let body = mallory.submission(&message_in(&room), EventKind::Message, stolen.epoch, stolen.body.clone());
    // Her own domain is in the room, so that it exists is no secret from her; what is in it is.
    assert_eq!(mallory.refused(body).await?, ErrorCode::Forbidden);
    // A domain that has nobody in the room learns as much of it as of one that does not exist.
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let connection = peer.establish(&node).await?;
    let pull = PullEvents { room: room.to_bytes(), from_seq: 0, limit: 64 };
    let refused = ask_peer(&connection, Request::PullEvents(pull)).await.expect_err("not its room");
    assert_eq!(refused.downcast::<WireError>()?.code, ErrorCode::NotFound);
    let eve = certified(&Person::new("eve@evil.test")?, &peer)?;
    let body = submission(&eve, &message_in(&room), EventKind::Message, stolen.epoch, stolen.body);
    let mut link = peer.open_link(&connection).await?;
    let number = link.send([item::Item::Submission(body)]).await?;
    assert_eq!(link.acknowledged(number).await?, [(number, ErrorCode::NotFound)]);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_removed_sends_nothing_and_reads_nothing_later() -> Result<()> {
    let mut node = node()?;
    let (mut hands, mut members) = room_of_three(&node).await?;
    let room = *members[0].room();
    let remove = Change { remove: vec![hands[2].keys.account.clone()], ..Change::default() };
    hands[0].carry_out(&mut members[0], &remove).await?;
    let secret = hands[0].message(&mut members[0], b"carol is gone")?;
    hands[0].submit(secret).await??;
    // Carol was added with event 2 and removed with event 3, which she still gets.
    let visible = hands[2].pull(&room).await?;
    assert!(matches!(visible, Ok(1..=2)), "{visible:?}");
    let late = hands[2].message(&mut members[2], b"still here")?;
    assert_eq!(hands[2].refused(late).await?, ErrorCode::Forbidden);
    let revenge = hands[2].commit(&mut members[2], &Change::default())?;
    assert_eq!(hands[2].refused(revenge).await?, ErrorCode::Forbidden);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn key_packages_are_of_the_device_that_uploads_them_and_in_force() -> Result<()> {
    let mut node = node()?;
    let mut alice = Hand::new(&node, "alice").await?;
    let bob = Hand::new(&node, "bob").await?;
    let upload = |package: &mls::OwnKeyPackage| KeyPackageUpload {
        key_package: package.bytes.clone(),
        last_resort: package.last_resort,
    };
    let honest = key_package(&alice.keys)?;
    let make = |now: Timestamp| -> Result<mls::OwnKeyPackage> {
        Ok(mls::make_key_packages(&alice.keys, now, 1, false, &mut SystemEntropy)?.remove(0))
    };
    let year = 365 * 86_400_000;
    let expired = make(Timestamp::from_ms(net::now().as_ms() - year))?;
    let early = make(net::now().plus_ms(year))?;
    let flipped = |at: usize| {
        let mut bytes = honest.bytes.to_vec();
        let at = at.min(bytes.len() - 1);
        bytes[at] ^= 1;
        KeyPackageUpload { key_package: bytes.into(), last_resort: false }
    };
    let length = honest.bytes.len();
    let rows = [
        ("of another account", ErrorCode::OriginMismatch, upload(&key_package(&bob.keys)?)),
        ("expired", ErrorCode::Expired, upload(&expired)),
        ("of next year", ErrorCode::ClockSkew, upload(&early)),
        ("its signature flipped", ErrorCode::BadSignature, flipped(length - 1)),
        ("its suite another", ErrorCode::Unsupported, flipped(7)),
        (
            "cut short",
            ErrorCode::Malformed,
            KeyPackageUpload { key_package: honest.bytes.slice(..length - 1), last_resort: false },
        ),
        (
            "called a last resort",
            ErrorCode::Malformed,
            KeyPackageUpload { key_package: honest.bytes.clone(), last_resort: true },
        ),
    ];
    for (what, error, package) in rows {
        // One bad package refuses the good one beside it: all are stored, or none.
        assert_eq!(alice.upload(vec![upload(&honest), package]).await?, Err(error), "{what}");
    }
    assert_eq!(alice.upload(vec![upload(&honest)]).await?, Ok(()));
    unharmed(&mut node).await
}
