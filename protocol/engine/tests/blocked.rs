//! Accounts of which the user wants to hear nothing: what they say is kept and shown nowhere, and
//! everybody else is heard as before.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use engine::{Command, Notice, Outcome, Target};
use wire::{ErrorCode, RoomId};
use world::{World, account, error};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";

fn block(world: &mut World, name: &str, blocked: bool) {
    world.command(0, Command::Block { account: account(name), blocked }).unwrap().unwrap();
}

fn unread_mark(world: &mut World, room: RoomId) -> u64 {
    world.phones[0].engine().room(room).map_or(0, |view| view.last_text_seq)
}

#[test]
fn what_a_blocked_account_says_is_shown_and_told_nowhere() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("ops");
    world.send(1, Target::Room(room), "before").unwrap().unwrap();
    block(&mut world, BOB, true);
    let (told, mark) = (world.phones[0].notices.len(), unread_mark(&mut world, room));
    world.send(1, Target::Room(room), "unheard").unwrap().unwrap();
    world.command(1, Command::Typing { room, active: true });
    assert_eq!(unread_mark(&mut world, room), mark, "nothing is unread");
    let heard = |notice: &Notice| matches!(notice, Notice::Item { .. } | Notice::Typing { .. });
    assert!(!world.phones[0].notices[told..].iter().any(heard));
    world.send(2, Target::Room(room), "by carol").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["before", "by carol"]);
    assert_eq!(world.texts(2, room), ["before", "unheard", "by carol"], "only alice hears nothing");

    world.crash(0);
    world.connect(0);
    world.send(1, Target::Room(room), "unheard too").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["before", "by carol"], "over a restart");
    block(&mut world, BOB, false);
    world.send(1, Target::Room(room), "heard again").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["before", "by carol", "heard again"]);
    world.agree(room, &[0, 1, 2]);
}

#[test]
fn a_blocked_account_changes_nothing_of_what_it_has_said() {
    let mut world = World::new(&[ALICE, BOB]);
    let Some(Ok(Outcome::Ordered { room, message, .. })) =
        world.send(1, Target::Account(account(ALICE)), "as it was")
    else {
        panic!("no room")
    };
    block(&mut world, BOB, true);
    world.command(1, Command::Edit { room, message, text: "as it is".into() }).unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["as it was"]);
}

#[test]
fn nobody_blocks_themselves_and_who_is_blocked_is_listed() {
    let mut world = World::new(&[ALICE, BOB]);
    let own = world.command(0, Command::Block { account: account(ALICE), blocked: true });
    assert_eq!(error(own), Some(ErrorCode::Forbidden));
    block(&mut world, BOB, true);
    block(&mut world, BOB, true);
    assert_eq!(world.phones[0].engine().blocked(), [account(BOB)]);
    assert!(world.phones[0].engine().contacts().is_empty(), "no key of bob's was seen");
    block(&mut world, BOB, false);
    assert!(world.phones[0].engine().blocked().is_empty());
}

#[test]
fn an_invitation_by_a_blocked_account_is_declined_and_one_that_waits_as_well() {
    for blocked_first in [true, false] {
        let mut world = World::new(&[ALICE, BOB]);
        world.node.asking.insert(account(ALICE));
        if blocked_first {
            block(&mut world, BOB, true);
        }
        world.command(1, Command::OpenDirect { account: account(ALICE) });
        if !blocked_first {
            assert_eq!(world.phones[0].engine().invitations().len(), 1);
            block(&mut world, BOB, true);
        }
        let waiting = world.phones[0].engine().invitations();
        assert!(waiting.iter().all(|invitation| invitation.answered.is_some()), "nothing is asked");
        assert!(world.node.invitations.is_empty(), "the node knows the answer");
        let asked = |notice: &Notice| matches!(notice, Notice::Invitation(_));
        assert_eq!(world.phones[0].notices.iter().any(asked), !blocked_first);
    }
}
