//! A random walk: whatever happens in whatever order, all who are in the room agree with the hub.

use machine::Seeded;
use mls::{Change, Member};
use wire::proto::EventKind;

use crate::world::{World, name, read, state};

const STEPS: usize = 100;

#[test]
fn members_and_hub_agree_after_every_step() {
    for seed in [1, 2] {
        walk(seed);
    }
}

fn walk(seed: u64) {
    let mut dice = Seeded::new(seed);
    let mut world = World::with(&["u0@acme.test"], seed);
    let mut next = 1;
    for _ in 0..STEPS {
        let present: Vec<String> = world.devices.keys().map(|(account, _)| account.clone()).collect();
        let by = present[usize::try_from(dice.below(present.len() as u64)).unwrap()].clone();
        match dice.below(8) {
            0 | 1 if present.len() < 9 => {
                world.add(&by, &[&format!("u{next}@acme.test")]);
                next += 1;
            }
            2 if present.len() > 3 => {
                let victim = present.iter().find(|account| **account != by).unwrap();
                let change = Change { remove: vec![victim.parse().unwrap()], ..Change::default() };
                world.run(&by, &change).unwrap();
            }
            3 if present.len() > 3 => leave(&mut world, &by),
            4 => {
                let next = state(world.room, &[&by]);
                world.run(&by, &Change { state: Some(next), ..Change::default() }).unwrap();
            }
            5 if present.len() > 1 => rejoin(&mut world, &by),
            6 => reload(&mut world),
            _ => {
                world.run(&by, &Change::default()).unwrap();
            }
        }
        world.agree();
        talk(&mut world, &mut dice);
    }
}

fn talk(world: &mut World, dice: &mut Seeded) {
    let present: Vec<String> = world.devices.keys().map(|(account, _)| account.clone()).collect();
    let by = &present[usize::try_from(dice.below(present.len() as u64)).unwrap()];
    let message = world.encrypt(by, by.as_bytes()).unwrap();
    for reader in present.iter().filter(|reader| *reader != by) {
        assert_eq!(read(world.device(reader), by, &message), by.as_bytes());
    }
}

fn reload(world: &mut World) {
    for device in world.devices.values_mut() {
        device.reload();
    }
}

fn leave(world: &mut World, by: &str) {
    let binding = world.binding();
    let device = world.devices.get_mut(&name(by)).unwrap();
    let proposal = device.member.propose_leave(&binding, &mut world.entropy).unwrap();
    world.observer.check_proposal(&proposal).unwrap();
    world.observer.merge().unwrap();
    for device in world.devices.values_mut() {
        device.member.process(EventKind::Proposal, &proposal).unwrap();
        device.store();
    }
    let other = world.devices.keys().map(|(account, _)| account.clone()).find(|account| account != by);
    world.run(&other.unwrap(), &Change::default()).unwrap();
}

fn rejoin(world: &mut World, by: &str) {
    let mut lost = world.devices.remove(&name(by)).unwrap();
    let binding = world.binding();
    let shown = world.observer.shown().unwrap();
    let (member, bundle) =
        Member::rejoin(&lost.keys, lost.rows.clone(), &shown, &binding, &mut world.entropy).unwrap();
    lost.member = member;
    let seen = world.order(&bundle).unwrap();
    world.deliver(&bundle.commit, &seen);
    lost.member.process(EventKind::Commit, &bundle.commit).unwrap();
    lost.member.merge_staged().unwrap();
    lost.store();
    world.devices.insert(name(by), lost);
}
