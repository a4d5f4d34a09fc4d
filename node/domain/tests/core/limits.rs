//! What a device may do too often, too much, or in the name of another.

use domain::Input;
use wire::{
    ErrorCode, WireError,
    proto::{
        ClientFrame, ClientRequest, GetAccount, KeyPackageUpload, PullEvents, Submission, UploadKeyPackages,
        client_frame, client_request, client_response,
    },
};

use crate::{
    device::{Answer, Device, error},
    world::{World, name},
};

/// A bucket that was empty is full again.
const FILLED_MS: u64 = 2_000;

fn upload(world: &mut World, device: &Device, packages: Vec<KeyPackageUpload>) -> Answer {
    let request = client_request::Request::UploadKeyPackages(UploadKeyPackages { packages });
    world.ask(device.account.domain(), device.session, request)
}

fn package(made: &mls::OwnKeyPackage) -> KeyPackageUpload {
    KeyPackageUpload { key_package: made.bytes.clone(), last_resort: made.last_resort }
}

// [SYNC-9]
#[test]
fn a_burst_of_submissions_then_a_wait_of_which_the_device_is_told() {
    let mut world = World::new(&["acme.test"]);
    let mut alice = world.person("alice@acme.test");
    world.pass(FILLED_MS);
    for _ in 0..wire::limits::TOKENS_BURST {
        assert_eq!(error(world.submit(&alice, Submission::default())), ErrorCode::Malformed);
    }
    let refused: WireError = world.submit(&alice, Submission::default()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert!(refused.retry_after_ms > 0);
    world.reconnect_unsubscribed(&mut alice);
    assert_eq!(error(world.submit(&alice, Submission::default())), ErrorCode::RateLimited);
    world.pass(refused.retry_after_ms);
    assert_eq!(error(world.submit(&alice, Submission::default())), ErrorCode::Malformed);
}

// [SYNC-9]
#[test]
fn whatever_an_account_asks_is_paced_and_others_are_not() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let bob = world.person("bob@acme.test");
    let broken = KeyPackageUpload { key_package: vec![1; 50].into(), last_resort: false };
    let commit = Submission { kind: wire::proto::EventKind::Commit.into(), ..Submission::default() };
    let policy = |number: i32| {
        let policy = wire::proto::SetContactPolicy { policy: 1 + number % 2 };
        client_request::Request::SetContactPolicy(policy)
    };
    let packages = UploadKeyPackages { packages: vec![broken; 50] };
    let pull = PullEvents { room: vec![1; 32].into(), from_seq: 1, limit: 1 };
    for (what, request) in [
        ("uploads", client_request::Request::UploadKeyPackages(packages)),
        ("commits", client_request::Request::Submit(commit)),
        ("pulls", client_request::Request::PullEvents(pull)),
        ("policies", policy(0)),
    ] {
        world.pass(FILLED_MS);
        let mut taken = 0;
        let wait = loop {
            match world.ask(&name("acme.test"), alice.session, request.clone()) {
                Err(error) if error.code == ErrorCode::RateLimited => break error.retry_after_ms,
                _ => taken += 1,
            }
        };
        assert!(taken <= wire::limits::TOKENS_BURST / 10, "{taken} {what} at once");
        assert!((1..=FILLED_MS).contains(&wait), "{wait} ms until the next of the {what}");
        world.ask(&name("acme.test"), bob.session, policy(1)).unwrap();
    }
}

// [SYNC-14]
#[test]
fn packages_are_counted_before_they_are_looked_into() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let broken = |last_resort| KeyPackageUpload { key_package: vec![1; 50].into(), last_resort };
    let many = vec![broken(false); wire::limits::KEY_PACKAGES_PER_DEVICE_MAX + 1];
    assert_eq!(error(upload(&mut world, &alice, many)), ErrorCode::Quota);
    let own = mls::make_key_packages(&alice.keys, world.now, 0, true, &mut machine::Seeded::new(9)).unwrap();
    let twice = vec![package(&own[0]); 2];
    assert_eq!(error(upload(&mut world, &alice, twice)), ErrorCode::Malformed);
    upload(&mut world, &alice, vec![package(&own[0])]).unwrap();
}

// [SYNC-11]
#[test]
fn a_session_asks_peers_for_a_few_things_at_once() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let alice = world.person("alice@acme.test");
    let bob = world.person("bob@acme.test");
    let asks = |session, ids: std::ops::Range<u64>| {
        ids.map(move |id| {
            let asked = GetAccount { account: "carol@umbrella.test".to_owned() };
            let request = ClientRequest { id, request: Some(client_request::Request::GetAccount(asked)) };
            let frame = ClientFrame { frame: Some(client_frame::Frame::Request(request)) };
            Input::ClientFrame { session, frame }
        })
    };
    let most = wire::limits::PEER_REQUESTS_PER_SESSION_MAX as u64;
    let first = 1_000_000;
    let inputs = asks(alice.session, first..first + 2 * most).chain(asks(bob.session, first..first + 1));
    world.feed_all(&name("acme.test"), inputs.collect());
    for id in first..first + 2 * most {
        let expected = if id < first + most { ErrorCode::NotFound } else { ErrorCode::Quota };
        assert_eq!(error(world.answer_to(alice.session, id).unwrap()), expected, "{}", id - first);
    }
    assert_eq!(error(world.answer_to(bob.session, first).unwrap()), ErrorCode::NotFound);
}

// [SYNC-14]
#[test]
fn packages_of_the_uploading_device_as_flagged_and_not_too_many() {
    let mut world = World::new(&["acme.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut carol = world.person("carol@acme.test");
    let make = |world: &World, device: &mut Device, count: usize, last: bool| {
        mls::make_key_packages(&device.keys, world.now, count, last, &mut device.entropy).unwrap()
    };
    let hers = make(&world, &mut carol, 1, false);
    assert_eq!(error(upload(&mut world, &alice, vec![package(&hers[0])])), ErrorCode::OriginMismatch);
    let own = make(&world, &mut alice, 2, false);
    let flagged = KeyPackageUpload { last_resort: true, ..package(&own[0]) };
    assert_eq!(error(upload(&mut world, &alice, vec![package(&own[1]), flagged])), ErrorCode::Malformed);
    let broken = KeyPackageUpload { key_package: vec![1; 50].into(), last_resort: false };
    assert!(upload(&mut world, &alice, vec![broken]).is_err());
    let large = KeyPackageUpload {
        key_package: vec![1; wire::limits::KEY_PACKAGE_BYTES_MAX + 1].into(),
        last_resort: false,
    };
    assert_eq!(error(upload(&mut world, &alice, vec![large])), ErrorCode::TooLarge);
    let many = make(&world, &mut alice, wire::limits::KEY_PACKAGES_PER_DEVICE_MAX - 9, false);
    let many = many.iter().map(package).collect();
    assert_eq!(error(upload(&mut world, &alice, many)), ErrorCode::Quota);
    let disk = &world.nodes[&name("acme.test")].disk;
    let count = store::Store::key_package_count(disk, &alice.account, &alice.id).unwrap();
    assert_eq!(count, (10, true), "of a refused upload nothing is stored");
}

#[test]
fn a_pull_is_cut_into_pages_that_fit_and_ends() {
    let mut world = World::new(&["acme.test"]);
    let mut alice = world.person("alice@acme.test");
    let (room, _, answer) = world.found(&mut alice, None);
    answer.unwrap();
    for _ in 0..150 {
        world.say(&mut alice, room, "x").1.unwrap();
    }
    let (mut from, mut seqs) = (1, Vec::new());
    loop {
        let pull = PullEvents { room: room.to_bytes(), from_seq: from, limit: 1_000 };
        let request = client_request::Request::PullEvents(pull);
        let answer = world.ask(&name("acme.test"), alice.session, request).unwrap();
        let client_response::Response::Pulled(pulled) = answer else { panic!("{answer:?}") };
        assert!(pulled.events.len() <= wire::limits::BATCH_ITEMS_MAX);
        seqs.extend(pulled.events.iter().map(|event| room::chain::read(event).unwrap().seq));
        if pulled.end {
            break;
        }
        from = seqs.last().unwrap() + 1;
    }
    assert_eq!(seqs, (1..=151).collect::<Vec<u64>>());
}
