//! A crash loses nothing that was acknowledged, and nothing happens twice.

use crate::{
    device::Device,
    message::pair,
    world::{World, name},
};

#[test]
fn either_node_may_crash_between_any_two_messages() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    let mut sent = Vec::new();
    for round in 0..12 {
        let sender = if round % 2 == 0 { &mut alice } else { &mut bob };
        let (message, answer) = world.say(sender, room, "x");
        answer.unwrap();
        sent.push(message);
        if round % 3 == 0 {
            world.cut(&name("umbrella.test"));
            let (message, answer) = world.say(&mut bob, room, "while cut");
            answer.unwrap();
            sent.push(message);
            world.heal(&name("umbrella.test"));
        }
        let crashed = if round % 4 < 2 { "acme.test" } else { "umbrella.test" };
        world.crash(&name(crashed));
        world.pass(300_000);
        for device in [&mut alice, &mut bob] {
            if device.account.domain().as_str() == crashed {
                world.reconnect(device);
            }
            world.sync(device, true);
        }
    }
    for device in [&mut alice, &mut bob] {
        world.sync(device, true);
        let events = Device::events(&device.entries);
        let mut got: Vec<_> = events.iter().map(|event| event.2).filter(|id| sent.contains(id)).collect();
        assert_eq!(got.len(), sent.len(), "each once");
        got.sort();
        got.dedup();
        assert_eq!(got.len(), sent.len());
        let seqs: Vec<u64> = events.iter().map(|event| event.0).collect();
        assert!(seqs.is_sorted_by(|one, next| one < next), "{seqs:?}");
    }
}

// [SYNC-7]
#[test]
fn a_cursor_that_was_not_acknowledged_still_says_what_was_delivered() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let (mut alice, mut bob, room) = pair(&mut world);
    world.say(&mut alice, room, "x").1.unwrap();
    world.sync(&mut bob, false);
    world.crash(&name("umbrella.test"));
    world.pass(300_000);
    world.sync(&mut alice, true);
    world.reconnect(&mut bob);
    world.pass(2 * wire::limits::PROGRESS_EVERY_MS);
    let told = world.sync(&mut alice, true).into_iter().any(|entry| match entry.entry {
        Some(wire::proto::entry::Entry::Progress(progress)) => {
            progress.who == "bob@umbrella.test" && progress.seq == 3
        }
        _ => false,
    });
    assert!(told);
}
