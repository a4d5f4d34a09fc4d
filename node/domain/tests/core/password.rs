//! What a password proves, how often it may be tried, and what nobody learns from the answers.

use domain::{AdminId, Input, Kept, SessionId, Verdict};
use wire::{
    Account, ErrorCode, WireError, limits,
    proto::{
        AccountKeys, AccountStanding, AdminStatusRequest, ClientRequest, CreateUser, Done, Enrol, ListUsers,
        SetPassword, SetPasswordSignIn, SetStanding, UnsetPassword, admin_request::Request as AdminRequest,
        admin_response::Response as AdminResponse, client_frame::Frame, client_request::Request,
        client_response::Response, enrol::Proof,
    },
};

use crate::{
    device::{Answer, Device},
    world::{World, name},
};

const PASSWORD: &str = "correct horse";

fn account(text: &str) -> Account {
    text.parse().unwrap()
}

fn set(world: &mut World, account: &Account, password: &str) -> AdminResponse {
    let password = password.as_bytes().to_vec().into();
    let request = AdminRequest::SetPassword(SetPassword { account: account.to_string(), password });
    world.admin(&name("acme.test"), request)
}

fn unset(world: &mut World, account: &Account) -> AdminResponse {
    let request = AdminRequest::UnsetPassword(UnsetPassword { account: account.to_string() });
    world.admin(&name("acme.test"), request)
}

fn refused(response: &AdminResponse) -> Option<ErrorCode> {
    match response {
        AdminResponse::Error(error) => Some(ErrorCode::from_code(error.code)),
        _ => None,
    }
}

/// A world in which alice has a password.
fn world() -> (World, Account) {
    let mut world = World::new(&["acme.test"]);
    let alice = account("alice@acme.test");
    assert_eq!(set(&mut world, &alice, PASSWORD), AdminResponse::Done(Done {}));
    (world, alice)
}

fn request(account: &Account, password: &[u8], keys: AccountKeys) -> Request {
    Request::Enrol(Enrol {
        account: account.to_string(),
        proof: Some(Proof::Password(password.to_vec().into())),
        keys: Some(keys),
    })
}

fn ask_with(world: &mut World, account: &Account, password: &[u8], keys: AccountKeys) -> Answer {
    let acme = name("acme.test");
    let session = world.open(&acme);
    world.ask(&acme, session, request(account, password, keys))
}

/// An attempt with new keys on a new connection.
fn attempt(world: &mut World, account: &Account, password: &[u8]) -> Result<AccountKeys, WireError> {
    let keys = Device::proposal(world, account);
    match ask_with(world, account, password, keys)? {
        Response::Account(keys) => Ok(keys),
        other => panic!("{other:?}"),
    }
}

fn code(world: &mut World, account: &Account, password: &[u8]) -> ErrorCode {
    attempt(world, account, password).expect_err("it is refused").code
}

/// Uses up what may be tried for an account, from networks that were not used yet.
fn exhaust(world: &mut World, account: &Account) -> WireError {
    for _ in 0..limits::ACCOUNT_TRIES_BURST {
        world.network += 1;
        assert_eq!(code(world, account, b"wrong horse"), ErrorCode::AuthFailed);
    }
    world.network += 1;
    attempt(world, account, PASSWORD.as_bytes()).expect_err("it is too often")
}

// [SYNC-30] [ID-30]
#[test]
fn a_password_enrols_an_account_once_and_never_changes_its_keys() {
    let (mut world, alice) = world();
    assert_eq!(code(&mut world, &alice, b"wrong horse"), ErrorCode::AuthFailed);
    let keys = attempt(&mut world, &alice, PASSWORD.as_bytes()).unwrap();
    // Who has the password learns that somebody was there before; the keys stay.
    assert_eq!(code(&mut world, &alice, PASSWORD.as_bytes()), ErrorCode::Conflict);
    assert_eq!(code(&mut world, &alice, b"wrong horse"), ErrorCode::AuthFailed);
    // Only the very same enrolment is answered again, whatever it proves itself with.
    let answer = ask_with(&mut world, &alice, b"wrong horse", keys.clone());
    assert_eq!(answer, Ok(Response::Account(keys)));
}

// [SYNC-30]
#[test]
fn bad_passwords_are_refused_by_name_before_anything_is_looked_up() {
    let (mut world, alice) = world();
    world.slow = true;
    let long = vec![b'x'; limits::PASSWORD_BYTES_MAX + 1];
    let elsewhere = account("alice@umbrella.test");
    for (account, password, expected) in [
        (&alice, &b""[..], ErrorCode::Malformed),
        (&alice, &long, ErrorCode::TooLarge),
        (&alice, &vec![b'x'; 1 << 20], ErrorCode::TooLarge),
        (&elsewhere, PASSWORD.as_bytes(), ErrorCode::AuthFailed),
    ] {
        assert_eq!(code(&mut world, account, password), expected);
        assert!(world.questions.is_empty(), "nothing is hashed for {expected}");
    }
    // None of them was a try.
    world.slow = false;
    assert!(attempt(&mut world, &alice, PASSWORD.as_bytes()).is_ok());
}

// [SYNC-30]
#[test]
fn nobody_learns_who_exists() {
    let (mut world, alice) = world();
    let invited = account("carol@acme.test");
    world.invite(&invited);
    world.person("bob@acme.test");
    let unset_again = account("dave@acme.test");
    set(&mut world, &unset_again, PASSWORD);
    unset(&mut world, &unset_again);
    let nobody = account("nobody@acme.test");
    let bob = account("bob@acme.test");
    world.network = 100;
    let mut seen = Vec::new();
    for account in [&alice, &invited, &bob, &unset_again, &nobody] {
        let keys = Device::proposal(&mut world, account);
        world.slow = true;
        let acme = name("acme.test");
        let session = world.open(&acme);
        let before = world.nodes[&acme].disk.commits();
        let id = world.fresh();
        let frame = ClientRequest { id, request: Some(request(account, b"wrong horse", keys)) };
        world.send(&acme, session, Frame::Request(frame));
        let asked = world.questions.len();
        let written = world.nodes[&acme].disk.commits() - before;
        world.judge();
        world.slow = false;
        world.run();
        let first = world.answer_to(session, id).unwrap().unwrap_err();
        seen.push((asked, written, first, exhaust_rest(&mut world, account)));
    }
    assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
}

/// What is said after the rest of the tries.
fn exhaust_rest(world: &mut World, account: &Account) -> Vec<WireError> {
    (0..limits::ACCOUNT_TRIES_BURST + 1)
        .map(|_| {
            world.network += 1;
            attempt(world, account, b"wrong horse").unwrap_err()
        })
        .collect()
}

// [SYNC-30]
#[test]
fn an_account_is_tried_so_often_from_wherever_also_after_a_new_start() {
    let (mut world, alice) = world();
    let acme = name("acme.test");
    let limited = exhaust(&mut world, &alice);
    assert_eq!(limited.code, ErrorCode::RateLimited);
    assert_eq!(limited.retry_after_ms, limits::ACCOUNT_TRY_EVERY_MS);
    world.crash(&acme);
    assert_eq!(code(&mut world, &alice, PASSWORD.as_bytes()), ErrorCode::RateLimited);
    world.pass(limits::ACCOUNT_TRY_EVERY_MS);
    assert!(attempt(&mut world, &alice, PASSWORD.as_bytes()).is_ok());
}

// [SYNC-30]
#[test]
fn a_try_counts_before_it_is_judged() {
    let (mut world, alice) = world();
    world.slow = true;
    let acme = name("acme.test");
    for _ in 0..limits::ACCOUNT_TRIES_BURST {
        let keys = Device::proposal(&mut world, &alice);
        let session = world.open(&acme);
        let id = world.fresh();
        let frame = ClientRequest { id, request: Some(request(&alice, b"wrong horse", keys)) };
        world.send(&acme, session, Frame::Request(frame));
        assert_eq!(world.answer_to(session, id), None, "it is being judged");
    }
    world.crash(&acme);
    world.slow = false;
    assert_eq!(code(&mut world, &alice, PASSWORD.as_bytes()), ErrorCode::RateLimited);
}

// [SYNC-30]
#[test]
fn a_network_is_held_to_its_tries_and_costs_no_account_any() {
    let (mut world, alice) = world();
    for number in 0..limits::NETWORK_TRIES_BURST {
        let somebody = account(&format!("a{number}@acme.test"));
        assert_eq!(code(&mut world, &somebody, b"wrong horse"), ErrorCode::AuthFailed);
    }
    for _ in 0..3 * limits::ACCOUNT_TRIES_BURST {
        assert_eq!(code(&mut world, &alice, b"wrong horse"), ErrorCode::RateLimited);
    }
    world.network += 1;
    assert!(attempt(&mut world, &alice, PASSWORD.as_bytes()).is_ok(), "nobody else is held to it");
}

#[test]
fn an_office_behind_one_address_logs_in() {
    let (mut world, _) = world();
    for number in 0..3 * limits::NETWORK_TRIES_BURST {
        let colleague = account(&format!("a{number}@acme.test"));
        set(&mut world, &colleague, PASSWORD);
        assert!(attempt(&mut world, &colleague, PASSWORD.as_bytes()).is_ok(), "{number}");
    }
}

// [SYNC-30]
#[test]
fn so_many_wait_and_others_are_told_to_come_again() {
    let (mut world, alice) = world();
    world.slow = true;
    let acme = name("acme.test");
    let mut asked: Vec<(SessionId, u64)> = Vec::new();
    for number in 0..limits::PASSWORDS_WAITING_MAX {
        world.network = u8::try_from(1 + number / 8).unwrap();
        let somebody = account(&format!("a{number}@acme.test"));
        let keys = Device::proposal(&mut world, &somebody);
        let session = world.open(&acme);
        let id = world.fresh();
        let frame = ClientRequest { id, request: Some(request(&somebody, b"wrong horse", keys)) };
        world.send(&acme, session, Frame::Request(frame));
        asked.push((session, id));
    }
    world.network = 200;
    for _ in 0..3 * limits::ACCOUNT_TRIES_BURST {
        assert_eq!(code(&mut world, &alice, PASSWORD.as_bytes()), ErrorCode::RateLimited);
    }
    // Nobody else waits for them, and an administrator's password is not one too many.
    world.person("bob@acme.test");
    while !world.questions.is_empty() {
        world.judge();
    }
    world.slow = false;
    world.run();
    for (session, id) in asked {
        assert_eq!(world.answer_to(session, id).unwrap().unwrap_err().code, ErrorCode::AuthFailed);
    }
    assert!(attempt(&mut world, &alice, PASSWORD.as_bytes()).is_ok(), "being told so was no try");
}

#[test]
fn what_cannot_be_judged_is_no_try() {
    let (mut world, alice) = world();
    world.slow = true;
    let acme = name("acme.test");
    for _ in 0..3 * limits::ACCOUNT_TRIES_BURST {
        let keys = Device::proposal(&mut world, &alice);
        let session = world.open(&acme);
        let id = world.fresh();
        let frame = ClientRequest { id, request: Some(request(&alice, PASSWORD.as_bytes(), keys)) };
        world.send(&acme, session, Frame::Request(frame));
        world.decide(Verdict::Refused(ErrorCode::Unavailable));
        world.run();
        assert_eq!(world.answer_to(session, id).unwrap().unwrap_err().code, ErrorCode::Unavailable);
    }
}

#[test]
fn a_password_that_changed_while_it_was_judged_proves_nothing() {
    for meanwhile in ["another horse", ""] {
        let (mut world, alice) = world();
        let acme = name("acme.test");
        let keys = Device::proposal(&mut world, &alice);
        let session = world.open(&acme);
        let id = world.fresh();
        world.slow = true;
        let frame = ClientRequest { id, request: Some(request(&alice, PASSWORD.as_bytes(), keys)) };
        world.send(&acme, session, Frame::Request(frame));
        let late = world.questions.pop_front().unwrap();
        world.slow = false;
        match meanwhile {
            "" => unset(&mut world, &alice),
            other => set(&mut world, &alice, other),
        };
        world.questions.push_back(late);
        world.decide(Verdict::Proved { renewed: None });
        world.run();
        assert_eq!(world.answer_to(session, id).unwrap().unwrap_err().code, ErrorCode::AuthFailed);
    }
}

// [ADMIN-7]
#[test]
fn a_password_does_not_outlive_its_account() {
    let (mut world, alice) = world();
    let acme = name("acme.test");
    world.slow = true;
    let id = AdminId(world.fresh());
    let password = b"made while it was deleted".to_vec().into();
    let asked = SetPassword { account: alice.to_string(), password };
    let request = wire::proto::AdminRequest { request: Some(AdminRequest::SetPassword(asked)) };
    world.feed(&acme, Input::Admin { id, request, uid: Some(0) });
    let standing = AccountStanding::Deleted.into();
    let deleted = SetStanding { account: alice.to_string(), standing };
    let answer = world.admin(&acme, AdminRequest::SetStanding(deleted));
    assert!(matches!(answer, AdminResponse::User(_)), "{answer:?}");
    world.decide(Verdict::Kept(Kept("late".into())));
    world.run();
    let answer = world.admin.remove(&id).unwrap().response.unwrap();
    assert_eq!(refused(&answer), Some(ErrorCode::Conflict));
    let disk = world.nodes[&acme].disk.clone();
    assert_eq!(store::Store::password(&disk, &alice).unwrap(), None);
    // Whatever a store has of the one before: whoever gets the address begins without.
    let mut batch = store::Batch::default();
    batch.push(store::Write::PutPassword(store::row::PasswordRow {
        account: alice.clone(),
        kept: "of the one before".into(),
    }));
    store::Store::commit(&disk, &batch).unwrap();
    let again = CreateUser { account: alice.to_string(), reuse: true };
    let answer = world.admin(&acme, AdminRequest::CreateUser(again));
    assert!(matches!(answer, AdminResponse::Invite(_)), "{answer:?}");
    assert_eq!(store::Store::password(&disk, &alice).unwrap(), None);
}

// [ADMIN-20]
#[test]
fn what_is_kept_is_renewed_when_the_password_is_given() {
    let (mut world, alice) = world();
    world.slow = true;
    let acme = name("acme.test");
    let keys = Device::proposal(&mut world, &alice);
    let session = world.open(&acme);
    let id = world.fresh();
    let frame = ClientRequest { id, request: Some(request(&alice, PASSWORD.as_bytes(), keys)) };
    world.send(&acme, session, Frame::Request(frame));
    world.decide(Verdict::Proved { renewed: Some(Kept("dearer".into())) });
    world.run();
    assert!(world.answer_to(session, id).unwrap().is_ok());
    let row = store::Store::password(&world.nodes[&acme].disk, &alice).unwrap().unwrap();
    assert_eq!(row.kept, "dearer");
}

// [ADMIN-20]
#[test]
fn an_administrator_sets_and_unsets_passwords_within_their_limits() {
    let (mut world, alice) = world();
    let long = "x".repeat(limits::PASSWORD_BYTES_MAX + 1);
    for (who, password, expected) in [
        ("alice@acme.test", "short", ErrorCode::Malformed),
        ("alice@acme.test", "", ErrorCode::Malformed),
        ("alice@acme.test", &long, ErrorCode::TooLarge),
        ("alice@umbrella.test", PASSWORD, ErrorCode::Misdirected),
    ] {
        assert_eq!(refused(&set(&mut world, &account(who), password)), Some(expected), "{who}");
    }
    let listed =
        |world: &mut World| match world.admin(&name("acme.test"), AdminRequest::ListUsers(ListUsers {})) {
            AdminResponse::Users(users) => users.users.iter().map(|user| user.password).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
    assert_eq!(listed(&mut world), [true]);
    // A new password wipes out what was guessed at the old one.
    assert_eq!(exhaust(&mut world, &alice).code, ErrorCode::RateLimited);
    assert_eq!(set(&mut world, &alice, "another horse"), AdminResponse::Done(Done {}));
    assert_eq!(code(&mut world, &alice, PASSWORD.as_bytes()), ErrorCode::AuthFailed);
    assert_eq!(unset(&mut world, &alice), AdminResponse::Done(Done {}));
    assert_eq!(listed(&mut world), [false]);
    assert_eq!(refused(&unset(&mut world, &alice)), Some(ErrorCode::NotFound));
    world.network += 1;
    assert_eq!(code(&mut world, &alice, b"another horse"), ErrorCode::AuthFailed);
    // An invitation works beside a password, and without one.
    let invitation = world.invite(&alice);
    let keys = Some(Device::proposal(&mut world, &alice));
    let session = world.open(&name("acme.test"));
    let enrol = Enrol { account: alice.to_string(), proof: Some(Proof::Code(invitation)), keys };
    assert!(world.ask(&name("acme.test"), session, Request::Enrol(enrol)).is_ok());
}

#[test]
fn switched_off_no_password_is_asked_about() {
    let (mut world, alice) = world();
    let acme = name("acme.test");
    let switch = |world: &mut World, allowed| {
        let request = AdminRequest::SetPasswordSignIn(SetPasswordSignIn { allowed });
        assert_eq!(world.admin(&acme, request), AdminResponse::Done(Done {}));
    };
    switch(&mut world, false);
    world.slow = true;
    assert_eq!(code(&mut world, &alice, PASSWORD.as_bytes()), ErrorCode::Policy);
    assert_eq!(refused(&set(&mut world, &alice, "another horse")), Some(ErrorCode::Policy));
    assert!(world.questions.is_empty());
    world.slow = false;
    switch(&mut world, true);
    assert!(attempt(&mut world, &alice, PASSWORD.as_bytes()).is_ok());
}

#[test]
fn what_came_of_attempts_is_counted() {
    let (mut world, alice) = world();
    let limited = exhaust(&mut world, &alice);
    assert_eq!(limited.code, ErrorCode::RateLimited);
    world.pass(limits::ACCOUNT_TRY_EVERY_MS);
    attempt(&mut world, &alice, PASSWORD.as_bytes()).unwrap();
    let status = AdminRequest::Status(AdminStatusRequest {});
    let AdminResponse::Status(status) = world.admin(&name("acme.test"), status) else { panic!("no status") };
    let counts = status.passwords.unwrap();
    assert_eq!((counts.accepted, counts.refused, counts.limited), (1, 5, 1));
}
