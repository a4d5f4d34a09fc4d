//! Rule R6: a device gives its leaf new keys every week in which it says something, and not otherwise.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use engine::Target;
use wire::{RoomId, limits};
use world::World;

const HOUR_MS: u64 = 3_600_000;
const WEEK_MS: u64 = limits::LEAF_UPDATE_S * 1_000;
/// The jitter of the weekly renewal, and a while more.
const DAY_MS: u64 = 25 * HOUR_MS;

fn epoch(world: &World, room: RoomId) -> u64 {
    world.node.rooms[&room].view.epoch
}

/// Alice, who founded the room and so has a fresh leaf, says something, and a day goes by. How many
/// commits there were: bob only reads, so all are hers.
fn speaks(world: &mut World, room: RoomId) -> u64 {
    let before = epoch(world, room);
    world.send(0, Target::Room(room), "still here").unwrap().unwrap();
    assert_eq!(epoch(world, room), before, "not at once: whoever speaks in a room would commit together");
    world.wait(DAY_MS);
    world.agree(room, &[0, 1]);
    epoch(world, room) - before
}

#[test]
fn a_leaf_is_renewed_every_week_in_which_its_device_speaks() {
    let mut world = World::new(&["alice@acme.test", "bob@umbrella.test"]);
    let room = world.group("a room");
    assert_eq!(speaks(&mut world, room), 0, "it is fresh");
    world.wait(WEEK_MS - DAY_MS - HOUR_MS);
    assert_eq!(speaks(&mut world, room), 0, "an hour before its week is over");

    assert_eq!(speaks(&mut world, room), 1, "its week is over");
    assert_eq!(speaks(&mut world, room), 0, "the next week has begun");
    world.crash(0);
    world.connect(0);
    assert_eq!(speaks(&mut world, room), 0, "which a restart does not forget");

    let before = epoch(&world, room);
    world.wait(3 * WEEK_MS);
    assert_eq!(epoch(&world, room), before, "who says nothing changes nothing");
    assert_eq!(speaks(&mut world, room), 1);
}
