//! What people do, on devices that work together: every flow ends with the same rooms everywhere.

mod world;

use engine::{
    Command, Notice, Outcome, Target,
    record::RoomPhase,
    view::{Body, Delivery},
};
use world::{World, account, error};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const CAROL: &str = "carol@acme.test";

#[test]
fn a_message_that_is_given_an_id_is_sent_once_however_often_it_is_asked_for() {
    let mut world = World::new(&["alice@acme.test", "bob@acme.test"]);
    let bob = Target::Account(account("bob@acme.test"));
    let id = wire::MessageId::new([7; 16]);
    let send = |target: &Target, text: &str| Command::Once {
        id,
        command: Box::new(Command::Send { target: target.clone(), text: text.into(), reply_to: None }),
    };
    world.disconnect(0);
    let first = world.order(0, send(&bob, "one"));
    world.run();
    world.crash(0);
    let again = world.order(0, send(&bob, "one"));
    let other = world.order(0, send(&bob, "two"));
    world.run();
    for command in [first, again] {
        assert!(world.phones[0].told(|notice| matches!(
            notice,
            Notice::Queued { command: queued, intent, .. } if *queued == command && *intent == id
        )));
    }
    assert_eq!(error(world.result(0, other)), Some(wire::ErrorCode::Conflict));
    let leave = Command::Once { id, command: Box::new(Command::ShowPresence { shown: true }) };
    assert_eq!(error(world.command(0, leave)), Some(wire::ErrorCode::Malformed));
    world.connect(0);
    world.run();
    let room = world.phones[0].engine().rooms()[0].room;
    for phone in [0, 1] {
        assert_eq!(world.texts(phone, room), ["one"]);
    }
    assert!(world.node.rooms[&room].ids.contains_key(&id), "under this id");
}

#[test]
fn a_first_message_makes_a_direct_room_and_arrives() {
    let mut world = World::new(&[ALICE, BOB]);
    let sent = world.send(0, Target::Account(account(BOB)), "hello bob");
    let Some(Ok(Outcome::Ordered { room, .. })) = sent else { panic!("{sent:?}") };
    assert_eq!(world.texts(1, room), ["hello bob"]);
    world.send(1, Target::Room(room), "hello alice").unwrap().unwrap();
    world.send(1, Target::Account(account(ALICE)), "again").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["hello bob", "hello alice", "again"]);
    assert_eq!(world.texts(0, room), world.texts(1, room));
    world.agree(room, &[0, 1]);
    let levels: Vec<Delivery> = world.phones[0]
        .notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Delivery { state, .. } => Some(*state),
            _ => None,
        })
        .collect();
    assert_eq!(levels[..2], [Delivery::Accepted, Delivery::Ordered]);
    assert!(levels.contains(&Delivery::Stored) && levels.contains(&Delivery::Delivered));
}

#[test]
fn both_who_write_at_once_end_in_one_room() {
    let mut world = World::new(&[ALICE, BOB]);
    let send = |name: &str, text: &str| Command::Send {
        target: Target::Account(account(name)),
        text: text.into(),
        reply_to: None,
    };
    let one = world.order(0, send(BOB, "from alice"));
    let other = world.order(1, send(ALICE, "from bob"));
    world.run();
    world.wait(5_000);
    let Some(Ok(Outcome::Ordered { room, .. })) = world.result(0, one) else {
        panic!("{:?}", world.phones[0].notices)
    };
    assert!(matches!(world.result(1, other), Some(Ok(_))), "{:#?}", world.phones[1].notices);
    let mut texts = world.texts(0, room);
    assert_eq!(texts, world.texts(1, room));
    texts.sort();
    assert_eq!(texts, ["from alice", "from bob"]);
    assert_eq!(world.node.rooms.len(), 1);
    world.agree(room, &[0, 1]);
}

#[test]
fn a_group_is_made_named_joined_and_spoken_in() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("the three");
    world.wait(5_000);
    for phone in 0..3 {
        world.send(phone, Target::Room(room), &format!("from {phone}")).unwrap().unwrap();
    }
    for phone in 0..3 {
        assert_eq!(world.texts(phone, room), ["from 0", "from 1", "from 2"]);
        let view = world.phones[phone].engine().room(room).unwrap();
        assert_eq!((view.name.as_str(), view.members.len()), ("the three", 3));
        assert!(view.members.iter().all(|member| member.unverified.is_none()), "{view:?}");
    }
    world.agree(room, &[0, 1, 2]);
}

#[test]
fn accounts_are_added_later_removed_and_leave() {
    let mut world = World::new(&[ALICE, BOB]);
    let room = world.group("a room");
    let carol = world.enrol(CAROL);
    world.connect(carol);
    world.run();
    let invite = Command::Invite { room, accounts: vec![account(CAROL)] };
    let invited = world.command(0, invite.clone());
    assert_eq!(invited, Some(Ok(Outcome::Room { room, added: vec![account(CAROL)], refused: Vec::new() })));
    world.send(carol, Target::Room(room), "here").unwrap().unwrap();
    assert_eq!(world.texts(1, room), ["here"]);
    assert_eq!(world.phones[carol].engine().room(room).unwrap().name, "a room");
    assert_eq!(error(world.command(1, invite)), Some(wire::ErrorCode::Forbidden), "bob is no admin");

    let removed = world.command(0, Command::Remove { room, account: account(BOB) });
    assert_eq!(removed, Some(Ok(Outcome::Done)));
    assert_eq!(world.phones[1].engine().room(room).unwrap().phase, RoomPhase::Left);
    world.send(0, Target::Room(room), "without bob").unwrap().unwrap();
    assert_eq!(world.texts(1, room), ["here"]);
    assert_eq!(error(world.send(1, Target::Room(room), "?")), Some(wire::ErrorCode::Forbidden));

    assert_eq!(world.command(carol, Command::Leave { room }), Some(Ok(Outcome::Done)));
    assert_eq!(world.phones[carol].engine().room(room).unwrap().phase, RoomPhase::Left);
    world.wait(5_000);
    assert_eq!(world.phones[0].engine().room(room).unwrap().members.len(), 1, "her leave is committed");
    world.send(0, Target::Room(room), "alone").unwrap().unwrap();
    let rows = &world.phones[carol].rows;
    let group = rows.keys().filter(|(table, _)| *table == engine::Table::Mls).count();
    assert_eq!(group, 0, "nothing of the group's secrets stays behind");
}

#[test]
fn somebody_who_was_removed_can_be_added_again() {
    let mut world = World::new(&[ALICE, BOB]);
    let room = world.group("a room");
    world.command(0, Command::Remove { room, account: account(BOB) }).unwrap().unwrap();
    world.send(0, Target::Room(room), "not for bob").unwrap().unwrap();
    world.command(0, Command::Invite { room, accounts: vec![account(BOB)] }).unwrap().unwrap();
    world.send(1, Target::Room(room), "back").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["not for bob", "back"]);
    assert_eq!(world.texts(1, room), ["back"]);
    world.agree(room, &[0, 1]);
}

#[test]
fn roles_are_given_and_kept_by_those_who_remain() {
    let mut world = World::new(&[ALICE, BOB, CAROL]);
    let room = world.group("a room");
    let admins = |world: &mut World, phone: usize| -> Vec<String> {
        let view = world.phones[phone].engine().room(room).unwrap();
        view.members.iter().filter(|member| member.admin).map(|member| member.account.to_string()).collect()
    };
    let promote = Command::SetRole { room, account: account(CAROL), admin: true };
    assert_eq!(world.command(0, promote), Some(Ok(Outcome::Done)));
    assert_eq!(admins(&mut world, 1), [ALICE, CAROL]);
    let demote = Command::SetRole { room, account: account(ALICE), admin: false };
    assert_eq!(world.command(2, demote), Some(Ok(Outcome::Done)));
    assert_eq!(admins(&mut world, 1), [CAROL]);
    world.command(2, Command::Leave { room }).unwrap().unwrap();
    world.wait(5_000);
    assert_eq!(admins(&mut world, 0), [ALICE], "the lowest remaining account follows");
    assert_eq!(admins(&mut world, 1), [ALICE]);
    world.agree(room, &[0, 1]);
}

#[test]
fn edits_deletions_reactions_and_receipts_are_applied() {
    let mut world = World::new(&[ALICE, BOB]);
    let Some(Ok(Outcome::Ordered { room, message, seq })) =
        world.send(0, Target::Account(account(BOB)), "helo")
    else {
        panic!()
    };
    world.command(0, Command::Edit { room, message, text: "hello".into() }).unwrap().unwrap();
    world.command(1, Command::Edit { room, message, text: "forged".into() }).unwrap().unwrap();
    let react = Command::React { room, message, emoji: "+".into(), remove: false };
    world.command(1, react).unwrap().unwrap();
    let reply = Command::Send { target: Target::Room(room), text: "hi".into(), reply_to: Some(message) };
    world.command(1, reply).unwrap().unwrap();
    for phone in 0..2 {
        let timeline = world.phones[phone].timeline(room);
        let item = timeline.iter().find(|item| item.message == message).unwrap();
        assert_eq!(item.body, Body::Text("hello".into()), "only the author edits");
        assert!(item.edited);
        assert_eq!(item.reactions[0].accounts, [account(BOB)]);
        assert_eq!(timeline.last().unwrap().reply_to, Some(message));
    }
    world.command(1, Command::MarkRead { room, seq }).unwrap().unwrap();
    world.wait(100);
    let alice = &world.phones[0];
    assert!(alice.told(|notice| matches!(notice,
        Notice::Delivery { message: read, state: Delivery::Read, .. } if *read == message)));
    world.command(0, Command::Delete { room, message }).unwrap().unwrap();
    assert!(world.texts(1, room).iter().all(|text| text != "hello"));
}

#[test]
fn typing_is_seen_and_stored_nowhere() {
    let mut world = World::new(&[ALICE, BOB]);
    let Some(Ok(Outcome::Ordered { room, .. })) = world.send(0, Target::Account(account(BOB)), "x") else {
        panic!()
    };
    let before = (world.node.rooms[&room].log.len(), world.phones[1].messages(room).len());
    world.command(0, Command::Typing { room, active: true }).unwrap().unwrap();
    assert!(world.phones[1].told(|notice| matches!(notice, Notice::Typing { active: true, .. })));
    let after = (world.node.rooms[&room].log.len(), world.phones[1].messages(room).len());
    assert_eq!(before, after);
    world.send(0, Target::Room(room), "y").unwrap().unwrap();
    assert_eq!(world.texts(1, room), ["x", "y"]);
}

#[test]
fn an_invitation_waits_for_its_answer() {
    let mut world = World::new(&[ALICE, BOB]);
    world.node.asking.insert(account(BOB));
    let room = world.group("come");
    world.send(0, Target::Room(room), "before").unwrap().unwrap();
    assert_eq!(world.phones[1].engine().invitations().len(), 1);
    assert!(world.phones[1].engine().room(room).is_none());
    let accept = Command::AnswerInvitation { room, accept: true };
    assert_eq!(world.command(1, accept), Some(Ok(Outcome::Done)));
    assert_eq!(world.texts(1, room), ["before"], "what came meanwhile is pulled");
    assert!(world.phones[1].engine().invitations().is_empty());
    world.send(1, Target::Room(room), "thanks").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["before", "thanks"]);
}

#[test]
fn whoever_declines_is_shown_so_and_taken_out_or_invited_again_by_an_admin() {
    let mut world = World::new(&[ALICE, BOB]);
    world.node.asking.insert(account(BOB));
    let room = world.group("come");
    let declined = |world: &mut World| {
        world.command(1, Command::AnswerInvitation { room, accept: false }).unwrap().unwrap();
        world.wait(5_000);
        let view = world.phones[0].engine().room(room).unwrap();
        assert!(view.member(&account(BOB)).unwrap().declined);
        assert!(world.phones[1].engine().room(room).is_none());
    };
    declined(&mut world);
    world.command(0, Command::Invite { room, accounts: vec![account(BOB)] }).unwrap().unwrap();
    assert_eq!(world.phones[1].engine().invitations().len(), 1, "again");
    declined(&mut world);
    world.command(0, Command::Remove { room, account: account(BOB) }).unwrap().unwrap();
    assert_eq!(world.phones[0].engine().room(room).unwrap().members.len(), 1);
}

#[test]
fn writing_to_somebody_who_invited_accepts() {
    let mut world = World::new(&[ALICE, BOB]);
    world.node.asking.insert(account(BOB));
    let sent = world.send(0, Target::Account(account(BOB)), "hello");
    let Some(Ok(Outcome::Ordered { room, .. })) = sent else { panic!("{sent:?}") };
    assert!(world.texts(1, room).is_empty(), "an invitation carries no text");
    world.send(1, Target::Account(account(ALICE)), "hello back").unwrap().unwrap();
    assert_eq!(world.texts(1, room), ["hello", "hello back"]);
}

#[test]
fn a_direct_room_that_was_declined_is_opened_again_by_the_other_side_only() {
    let mut world = World::new(&[ALICE, BOB]);
    world.node.asking.insert(account(BOB));
    world.order(
        0,
        Command::Send { target: Target::Account(account(BOB)), text: "hello".into(), reply_to: None },
    );
    world.run();
    let room = world.phones[1].engine().invitations()[0].room;
    world.command(1, Command::AnswerInvitation { room, accept: false }).unwrap().unwrap();
    world.wait(5_000);
    assert!(world.phones[1].engine().invitations().is_empty());
    let sent = world.send(1, Target::Account(account(ALICE)), "well");
    assert_eq!(error(sent), Some(wire::ErrorCode::Forbidden), "said at once, not queued for ever");
    world.send(0, Target::Account(account(BOB)), "please").unwrap().unwrap();
    assert_eq!(world.phones[1].engine().invitations().len(), 1);
    world.send(1, Target::Account(account(ALICE)), "well").unwrap().unwrap();
    assert_eq!(world.texts(0, room), ["hello", "please", "well"]);
    assert_eq!(world.texts(1, room), ["please", "well"]);
}

#[test]
fn an_account_that_does_not_exist_is_said_so() {
    let mut world = World::new(&[ALICE, BOB]);
    let nobody = Target::Account(account("nobody@umbrella.test"));
    assert_eq!(error(world.send(0, nobody, "hello")), Some(wire::ErrorCode::NotFound));
    let group = Command::CreateRoom {
        name: "some".into(),
        topic: String::new(),
        members: vec![account("nobody@umbrella.test"), account(BOB)],
    };
    let Some(Ok(Outcome::Room { added, refused, .. })) = world.command(0, group) else { panic!() };
    assert_eq!(added, [account(BOB)]);
    assert_eq!(refused, [(account("nobody@umbrella.test"), wire::ErrorCode::NotFound)]);
}

#[test]
fn every_question_for_an_account_is_answered() {
    let mut world = World::new(&[ALICE, BOB]);
    let nobody = Command::LookUp { account: account("nobody@umbrella.test") };
    for _ in 0..2 {
        assert_eq!(error(world.command(0, nobody.clone())), Some(wire::ErrorCode::NotFound));
    }
}
