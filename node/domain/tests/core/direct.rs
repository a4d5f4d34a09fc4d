//! Both sides of a direct room begin at once: one room, and nobody is asked.

use wire::{
    ErrorCode, WireError,
    proto::{EventKind, entry},
};

use crate::{
    device::Device,
    world::{World, name},
};

#[test]
fn two_foundings_end_in_one_room() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut alice = world.person("alice@acme.test");
    let mut bob = world.person("bob@umbrella.test");
    let (room, _, answer) = world.found(&mut alice, Some(&bob.account));
    answer.unwrap();
    let (same, loser, answer) = world.found(&mut bob, Some(&alice.account));
    answer.unwrap();
    assert_eq!(room, same);
    let at_bob = world.sync(&mut bob, true);
    let refused = at_bob.iter().find_map(|entry| match &entry.entry {
        Some(entry::Entry::Refused(refused)) => Some(refused.clone()),
        _ => None,
    });
    let refused = refused.expect("the loser is told");
    assert_eq!(refused.message_id, loser.to_bytes());
    assert_eq!(WireError::from(&refused.error.unwrap()).code, ErrorCode::Conflict);
    bob.rooms.remove(&room);
    world.sync(&mut alice, true);
    world.add(&mut alice, room, &[&bob.account.clone()]).unwrap();
    world.sync(&mut alice, true);
    world.sync(&mut bob, true);
    assert!(bob.rooms.contains_key(&room), "no question is asked of whoever wanted the room too");
    let (message, answer) = world.say(&mut bob, room, "hi");
    answer.unwrap();
    assert_eq!(Device::events(&world.sync(&mut alice, true)).last().unwrap().2, message);
}

#[test]
fn the_hub_may_be_at_the_other_domain() {
    let mut world = World::new(&["acme.test", "umbrella.test"]);
    let mut bob = world.person("bob@umbrella.test");
    let mut alice = world.person("alice@acme.test");
    let (room, founding, answer) = world.found(&mut bob, Some(&alice.account));
    answer.unwrap();
    assert_eq!(Device::events(&world.sync(&mut bob, true)), [(1, EventKind::Founding, founding)]);
    let hub = store::Store::room(&world.nodes[&name("umbrella.test")].disk, &room).unwrap().unwrap().hub;
    assert_eq!(hub, name("acme.test"));
    world.add(&mut bob, room, &[&alice.account.clone()]).unwrap();
    world.sync(&mut bob, true);
    crate::invitation::accept(&mut world, &mut alice, room).unwrap();
    world.sync(&mut alice, true);
    let (message, answer) = world.say(&mut alice, room, "hi");
    answer.unwrap();
    assert_eq!(Device::events(&world.sync(&mut bob, true)).last().unwrap().2, message);
}
