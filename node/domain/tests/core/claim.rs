//! Key packages are handed out at most once, and a drained device stays reachable.

use std::collections::BTreeSet;

use wire::proto::{ClaimKeyPackages, ClaimedKeyPackages, client_request, client_response};

use crate::{
    device::{Answer, Device, error},
    message::pair,
    world::{World, name},
};

fn claim(world: &mut World, device: &Device, id: u8, accounts: &[&str]) -> Answer {
    let claim = ClaimKeyPackages {
        room: vec![1; 32].into(),
        claim_id: vec![id; 16].into(),
        accounts: accounts.iter().map(ToString::to_string).collect(),
        requester: device.account.to_string(),
    };
    let domain = device.account.domain().clone();
    world.ask(&domain, device.session, client_request::Request::ClaimKeyPackages(claim))
}

fn claimed(answer: Answer) -> ClaimedKeyPackages {
    match answer {
        Ok(client_response::Response::Claimed(claimed)) => claimed,
        other => panic!("{other:?}"),
    }
}

// [SYNC-17]
#[test]
fn each_package_once_then_the_last_resort() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let alice = world.person("alice@acme.test");
    let _bob = world.person("bob@umbrella.test");
    let mut seen = BTreeSet::new();
    for id in 0..12 {
        let answer = claimed(claim(&mut world, &alice, id, &["bob@umbrella.test"]));
        let package = &answer.accounts[0].packages[0];
        assert_eq!(package.last_resort, id >= 10, "ten were uploaded");
        assert!(package.last_resort || seen.insert(package.key_package.clone()), "never twice");
    }
}

// [SYNC-16]
#[test]
fn the_same_claim_again_gets_the_same_packages() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let alice = world.person("alice@acme.test");
    let _bob = world.person("bob@umbrella.test");
    let first = claimed(claim(&mut world, &alice, 1, &["bob@umbrella.test"]));
    assert_eq!(claimed(claim(&mut world, &alice, 1, &["bob@umbrella.test"])), first);
}

// [SYNC-18]
#[test]
fn a_domain_that_claims_too_often_gets_the_last_resort_only() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    world.upload(&mut bob, 80, false);
    let mut one_time = 0;
    for id in 0..90 {
        let answer = claimed(claim(&mut world, &alice, id, &["bob@umbrella.test"]));
        one_time += usize::from(!answer.accounts[0].packages[0].last_resort);
    }
    assert_eq!(one_time, wire::limits::CLAIMS_PER_HOUR_MAX);
    world.pass(3_600_000);
    let answer = claimed(claim(&mut world, &alice, 200, &["bob@umbrella.test"]));
    assert!(!answer.accounts[0].packages[0].last_resort, "the next hour is another");
}

// [SYNC-15]
#[test]
fn accounts_of_several_domains_in_one_answer() {
    let mut world = World::new(&["acme.test", "umbrella.test", "initech.test"]);
    let (alice, _bob, _) = pair(&mut world);
    let _carol = world.person("carol@acme.test");
    let _erin = world.person("erin@initech.test");
    let names = ["erin@initech.test", "carol@acme.test", "bob@umbrella.test", "nobody@umbrella.test"];
    world.cut(&name("initech.test"));
    world.pass(1_000);
    let answer = claimed(claim(&mut world, &alice, 3, &names));
    let got: Vec<_> =
        answer.accounts.iter().map(|part| (part.account.as_str(), part.packages.len())).collect();
    assert_eq!(got, [(names[0], 0), (names[1], 1), (names[2], 1), (names[3], 0)]);
    world.heal(&name("initech.test"));
    world.pass(300_000);
    let answer = claimed(claim(&mut world, &alice, 4, &names));
    assert_eq!(answer.accounts[0].packages.len(), 1);
}

#[test]
fn nobody_claims_in_the_name_of_another() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let request = ClaimKeyPackages {
        room: vec![1; 32].into(),
        claim_id: vec![1; 16].into(),
        accounts: vec!["alice@acme.test".to_owned()],
        requester: "carol@acme.test".to_owned(),
    };
    let answer =
        world.ask(&name("acme.test"), alice.session, client_request::Request::ClaimKeyPackages(request));
    assert_eq!(error(answer), wire::ErrorCode::OriginMismatch);
}
