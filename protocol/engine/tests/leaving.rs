//! A room that others leave: the leave is carried out whatever happens meanwhile, and one that is
//! refused has no consequences.
#![expect(clippy::panic, reason = "a helper that fails fails its test")]

mod world;

use engine::{Command, Outcome, Target, record::RoomPhase};
use room::direct_room;
use wire::{
    ErrorCode, RoomId,
    proto::{NodeFrame, entry, node_frame},
};
use world::{World, account, error};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";

fn direct() -> (World, RoomId) {
    let mut world = World::new(&[ALICE, BOB]);
    let Some(Ok(Outcome::Ordered { room, .. })) = world.send(0, Target::Account(account(BOB)), "first")
    else {
        panic!("no room")
    };
    (world, room)
}

fn members(world: &mut World, room: RoomId) -> usize {
    world.phones[0].engine().room(room).map_or(0, |view| view.members.len())
}

#[test]
fn a_restart_does_not_forget_that_somebody_waits_to_be_taken_out() {
    let (mut world, room) = direct();
    world.command(1, Command::Leave { room }).unwrap().unwrap();
    assert_eq!(members(&mut world, room), 2, "the leave is ordered and not carried out");
    world.crash(0);
    world.connect(0);
    world.wait(2_000);
    assert_eq!(members(&mut world, room), 1);
}

#[test]
fn a_leave_that_could_not_be_carried_out_is_tried_again() {
    let (mut world, room) = direct();
    world.command(1, Command::Leave { room }).unwrap().unwrap();
    world.node.failing = Some(("submit", ErrorCode::Forbidden.into()));
    world.wait(2_000);
    assert_eq!(members(&mut world, room), 2);
    world.node.failing = None;
    world.wait(120_000);
    assert_eq!(members(&mut world, room), 1);
}

#[test]
fn a_refused_leave_leaves_the_room_as_it_was() {
    let (mut world, room) = direct();
    world.command(1, Command::Leave { room }).unwrap().unwrap();
    world.wait(2_000);
    let leave = world.command(0, Command::Leave { room });
    assert_eq!(error(leave), Some(ErrorCode::Forbidden), "nobody else could bring the other back");
    world.crash(0);
    world.connect(0);
    world.send(0, Target::Room(room), "come back").unwrap().unwrap();
    assert_eq!(world.texts(1, room).last().map(String::as_str), Some("come back"));
}

#[test]
fn what_waits_for_somebody_who_cannot_be_brought_back_fails_visibly() {
    let (mut world, room) = direct();
    world.command(1, Command::Leave { room }).unwrap().unwrap();
    world.wait(2_000);
    world.node.failing = Some(("submit", ErrorCode::Forbidden.into()));
    let sent = world.send(0, Target::Room(room), "come back");
    assert_eq!(error(sent), Some(ErrorCode::Forbidden));
}

#[test]
fn a_room_that_was_never_founded_is_left_here_and_is_gone() {
    let mut world = World::new(&[ALICE, BOB]);
    let nobody = Target::Account(account("nobody@umbrella.test"));
    assert_eq!(error(world.send(0, nobody, "hello")), Some(ErrorCode::NotFound));
    let room = world.phones[0].engine().rooms()[0].room;
    world.command(0, Command::Leave { room }).unwrap().unwrap();
    assert!(world.phones[0].engine().room(room).is_none());
    world.crash(0);
    world.connect(0);
    assert!(world.phones[0].engine().room(room).is_none());
}

#[test]
fn who_leaves_a_room_before_being_let_in_is_out_of_it_afterwards() {
    for (what, confirmed) in [("the answer is confirmed", true), ("nothing has come", false)] {
        let mut world = World::new(&[ALICE, BOB]);
        world.node.asking.insert(account(ALICE));
        world.node.failing = Some(("claim", ErrorCode::Unavailable.into()));
        assert!(world.send(0, Target::Account(account(BOB)), "hello").is_none());
        let room = direct_room(&account(ALICE), &account(BOB)).0;
        world.node.failing = None;
        // Bob writes as well, which is accepted unasked; what follows does not come to alice yet.
        let mut invited = false;
        world.lie = Some(Box::new(move |to, frame| {
            let page = matches!(&frame.frame, Some(node_frame::Frame::Page(_)));
            if *to != account(ALICE) {
                return true;
            }
            let kept = !invited || (confirmed && !page);
            invited |= is_invitation(frame);
            kept
        }));
        world.send(1, Target::Account(account(ALICE)), "hi").expect("ordered").expect("taken");
        assert_eq!(
            world.phones[0].engine().room(room).map(|view| view.phase),
            Some(RoomPhase::Wanted),
            "{what}"
        );
        world.order(0, Command::Leave { room });
        world.run();
        world.lie = None;
        world.crash(0);
        world.connect(0);
        world.wait(10_000);
        let phase = world.phones[0].engine().room(room).map(|view| view.phase);
        assert_eq!(phase, Some(RoomPhase::Left), "{what}");
        assert_eq!(world.phones[1].engine().room(room).map(|view| view.members.len()), Some(1), "{what}");
        assert!(!world.texts(1, room).contains(&"hello".to_owned()), "{what}: it was taken back");
    }
}

fn is_invitation(frame: &NodeFrame) -> bool {
    let Some(node_frame::Frame::Page(page)) = &frame.frame else { return false };
    page.entries.iter().any(|entry| matches!(entry.entry, Some(entry::Entry::Invitation(_))))
}
