//! What one peer sends holds nobody else up.

use bytes::Bytes;
use domain::{Input, StreamId};
use wire::{
    ErrorCode, limits,
    proto::{
        Batch, ClientFrame, ClientRequest, Ephemeral, GetAccount, Item, LinkFrame, LinkOpen, client_frame,
        client_request, item, link_frame,
    },
};

use crate::{
    origin::{acks, greet},
    world::{World, name},
};

/// A batch of items that are none: a few bytes each, and rows to write for each.
fn bad(from: u64, count: u64) -> link_frame::Frame {
    let items = (from..from + count).map(|number| Item { number, item: None });
    link_frame::Frame::Batch(Batch { items: items.collect(), settled: 0 })
}

fn open(world: &mut World) -> (domain::ConnId, StreamId) {
    let acme = name("acme.test");
    let conn = greet(world, &acme, &name("evil.test"));
    let stream = StreamId(world.fresh());
    let open = LinkOpen { outbox_id: Bytes::from_static(&[1; 16]), first: 1 };
    world.feed(&acme, Input::LinkOpened { conn, stream, open });
    (conn, stream)
}

// [LINK-16]
#[test]
fn a_peer_that_sends_much_is_served_in_turns_and_a_device_between_them() {
    let mut world = World::new(&["acme.test", "evil.test"]);
    let alice = world.person("alice@acme.test");
    let (conn, stream) = open(&mut world);
    let before = world.links.len();
    let batches = limits::BATCHES_IN_FLIGHT_MAX as u64;
    let size = limits::BATCH_ITEMS_MAX as u64;
    let link = |batch| Input::LinkFrame {
        conn,
        stream,
        frame: LinkFrame { frame: Some(bad(1 + batch * size, size)) },
    };
    let asked = client_request::Request::GetAccount(GetAccount { account: alice.account.to_string() });
    let request = ClientRequest { id: 77, request: Some(asked) };
    let frame = ClientFrame { frame: Some(client_frame::Frame::Request(request)) };
    let mut inputs: Vec<Input> = (0..batches).map(link).collect();
    inputs.push(Input::ClientFrame { session: alice.session, frame });
    world.feed_all(&name("acme.test"), inputs);
    assert!(world.answer_to(alice.session, 77).expect("an answer").is_ok());
    let received = |world: &World| acks(world, before).last().map_or(0, |ack| ack.received);
    let first = received(&world);
    let turn = (limits::LINK_TURN_COST / limits::COST_WRITE + 1) as u64;
    assert!((1..=turn).contains(&first), "{first} of {} items in one turn", batches * size);
    world.pass(2 * batches * size / turn);
    assert_eq!(received(&world), batches * size, "nothing is refused for want of a turn");
    let answers: usize = acks(&world, before).iter().map(|ack| ack.answers.len()).sum();
    assert_eq!(answers as u64, batches * size);
}

// [LINK-7] [LINK-16]
#[test]
fn more_batches_than_may_be_in_flight_end_the_connection() {
    let mut world = World::new(&["acme.test", "evil.test"]);
    let acme = name("acme.test");
    let (conn, stream) = open(&mut world);
    let link = |frame| Input::LinkFrame { conn, stream, frame: LinkFrame { frame: Some(frame) } };
    let typing = || {
        let body = Bytes::from_static(b"x");
        let typing = Ephemeral { room: Bytes::from_static(&[1; 32]), epoch: 1, body };
        let items = vec![Item { number: 0, item: Some(item::Item::Ephemeral(typing)) }];
        link_frame::Frame::Batch(Batch { items, settled: 0 })
    };
    let size = limits::BATCH_ITEMS_MAX as u64;
    // One is begun, the others wait.
    let may_be = 1 + limits::BATCHES_IN_FLIGHT_MAX as u64;
    let mut inputs: Vec<Input> = (0..may_be).map(|n| link(bad(1 + n * size, size))).collect();
    // Typing takes no place among them.
    inputs.extend((0..100).map(|_| link(typing())));
    world.feed_all(&acme, inputs);
    assert_eq!(world.ended.get(&conn), None);
    world.feed_all(&acme, vec![link(bad(1 + may_be * size, size))]);
    assert_eq!(world.ended.get(&conn), Some(&ErrorCode::RateLimited));
}
