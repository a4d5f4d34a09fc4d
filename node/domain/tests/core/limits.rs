//! What a device may do too often, too much, or in the name of another.

use wire::{
    ErrorCode, WireError,
    proto::{KeyPackageUpload, PullEvents, Submission, UploadKeyPackages, client_request, client_response},
};

use crate::{
    device::{Answer, Device, error},
    world::{World, name},
};

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
    let alice = world.person("alice@acme.test");
    for _ in 0..wire::limits::SUBMITS_BURST {
        assert_eq!(error(world.submit(&alice, Submission::default())), ErrorCode::Malformed);
    }
    let refused: WireError = world.submit(&alice, Submission::default()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert!(refused.retry_after_ms > 0);
    world.pass(refused.retry_after_ms);
    assert_eq!(error(world.submit(&alice, Submission::default())), ErrorCode::Malformed);
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
