//! Invite codes, sessions and what may be asked without one.

use bytes::Bytes;
use wire::{
    Account, ErrorCode,
    proto::{
        ClientRequest, Enrol, GetAccount, GetDomain, Subscribe, client_frame, client_request,
        client_response, enrol::Proof,
    },
};

use crate::{
    device::{Device, error},
    world::{World, name},
};

fn enrol(world: &mut World, account: &Account, code: Bytes) -> Result<(), ErrorCode> {
    let keys = Some(Device::proposal(world, account));
    let session = world.open(account.domain());
    let request = Enrol { account: account.to_string(), proof: Some(Proof::Code(code)), keys };
    world
        .ask(account.domain(), session, client_request::Request::Enrol(request))
        .map(drop)
        .map_err(|error| error.code)
}

// [SYNC-10]
#[test]
fn a_code_works_once_for_a_time_and_nobody_else_can_void_it() {
    let mut world = World::new(&["acme.test"]);
    let alice: Account = "alice@acme.test".parse().unwrap();
    let nobody: Account = "nobody@acme.test".parse().unwrap();
    let code = world.invite(&alice);
    let wrong = Bytes::from(vec![0; 16]);
    assert_eq!(enrol(&mut world, &nobody, wrong.clone()), Err(ErrorCode::AuthFailed));
    assert_eq!(enrol(&mut world, &alice, wrong.clone()), Err(ErrorCode::AuthFailed));
    assert_eq!(enrol(&mut world, &alice, code.clone()), Ok(()));
    assert_eq!(enrol(&mut world, &alice, code), Err(ErrorCode::AuthFailed), "other keys, same code");

    let bob: Account = "bob@acme.test".parse().unwrap();
    let code = world.invite(&bob);
    for _ in 0..100 {
        assert_eq!(enrol(&mut world, &bob, wrong.clone()), Err(ErrorCode::AuthFailed));
    }
    assert_eq!(enrol(&mut world, &bob, code), Ok(()), "whoever guesses voids nothing");

    let carol: Account = "carol@acme.test".parse().unwrap();
    let code = world.invite(&carol);
    world.pass(wire::limits::INVITE_CODE_VALID_S * 1000);
    assert_eq!(enrol(&mut world, &carol, code), Err(ErrorCode::Expired));
}

#[test]
fn an_enrolment_whose_answer_was_lost_is_answered_again() {
    let mut world = World::new(&["acme.test"]);
    let alice: Account = "alice@acme.test".parse().unwrap();
    let code = world.invite(&alice);
    let keys = Some(Device::proposal(&mut world, &alice));
    let request = client_request::Request::Enrol(Enrol {
        account: alice.to_string(),
        proof: Some(Proof::Code(code)),
        keys,
    });
    let session = world.open(&name("acme.test"));
    let first = world.ask(&name("acme.test"), session, request.clone()).unwrap();
    assert_eq!(world.ask(&name("acme.test"), session, request).unwrap(), first);
}

// [SYNC-1]
#[test]
fn two_enrolments_in_one_drain_do_not_both_succeed() {
    let mut world = World::new(&["acme.test"]);
    let alice: Account = "alice@acme.test".parse().unwrap();
    let code = world.invite(&alice);
    let session = world.open(&name("acme.test"));
    let inputs = (1..=2)
        .map(|id| {
            let keys = Some(Device::proposal(&mut world, &alice));
            let enrol = Enrol { account: alice.to_string(), proof: Some(Proof::Code(code.clone())), keys };
            let request = ClientRequest { id, request: Some(client_request::Request::Enrol(enrol)) };
            let frame = wire::proto::ClientFrame { frame: Some(client_frame::Frame::Request(request)) };
            domain::Input::ClientFrame { session, frame }
        })
        .collect();
    world.feed_all(&name("acme.test"), inputs);
    assert!(world.answer_to(session, 1).unwrap().is_ok());
    assert_eq!(error(world.answer_to(session, 2).unwrap()), ErrorCode::AuthFailed);
}

// [SYNC-4]
#[test]
fn without_a_session_only_documents_and_enrolment() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let acme = name("acme.test");
    world.person("alice@acme.test");
    let session = world.open(&acme);
    let get = GetDomain { domain: "acme.test".to_owned(), after_seq: 0 };
    let answer = world.ask(&acme, session, client_request::Request::GetDomain(get));
    assert!(matches!(answer, Ok(client_response::Response::Domain(list)) if list.documents.len() == 1));
    let get = GetAccount { account: "alice@acme.test".to_owned() };
    let answer = world.ask(&acme, session, client_request::Request::GetAccount(get));
    assert_eq!(error(answer), ErrorCode::AuthFailed);
    world.send(&acme, session, client_frame::Frame::Ack(1));
    assert_eq!(world.closed.get(&session), Some(&ErrorCode::AuthFailed));
}

// [SYNC-7]
#[test]
fn an_acknowledgement_of_what_was_not_sent_ends_the_session() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let acme = name("acme.test");
    world.send(&acme, alice.session, client_frame::Frame::Ack(alice.cursor));
    assert_eq!(world.closed.get(&alice.session), None);
    world.send(&acme, alice.session, client_frame::Frame::Ack(u64::MAX));
    assert_eq!(world.closed.get(&alice.session), Some(&ErrorCode::Malformed));
}

// [SYNC-8]
#[test]
fn a_session_has_one_stream_so_that_its_window_is_not_forgotten() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let subscribe = Subscribe { store_id: Bytes::new(), after: 0 };
    let answer = world.ask(&name("acme.test"), alice.session, client_request::Request::Subscribe(subscribe));
    assert_eq!(error(answer), ErrorCode::Conflict);
}

// [SYNC-2]
#[test]
fn a_hello_of_another_tls_session_device_or_time_is_refused() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let acme = name("acme.test");
    let sign = |world: &World, exporter, id, ms: u64| {
        identity::session::sign(&alice.keys.secret, &alice.account, id, exporter, world.now.plus_ms(ms))
    };
    let other = wire::DeviceId::new([9; 16]);
    let skew = wire::limits::CLOCK_SKEW_MS + 1;
    for (hello, expected) in [
        (sign(&world, &[8; 32], alice.id, 0), ErrorCode::AuthFailed),
        (sign(&world, &[7; 32], other, 0), ErrorCode::AuthFailed),
        (sign(&world, &[7; 32], alice.id, skew), ErrorCode::ClockSkew),
    ] {
        let session = world.open(&acme);
        world.send(&acme, session, client_frame::Frame::Hello(hello));
        assert_eq!(world.closed.get(&session), Some(&expected));
    }
}

// [SYNC-5]
#[test]
fn a_cursor_of_another_store_is_gone() {
    let mut world = World::new(&["acme.test"]);
    let alice = world.person("alice@acme.test");
    let acme = name("acme.test");
    let head = 1_000_000;
    for request in [
        Subscribe { store_id: vec![1; 16].into(), after: 0 },
        Subscribe { store_id: alice.store_id.clone(), after: head },
        Subscribe { store_id: Bytes::new(), after: 1 },
    ] {
        let answer = world.ask(&acme, alice.session, client_request::Request::Subscribe(request));
        assert_eq!(error(answer), ErrorCode::CursorGone);
    }
}
