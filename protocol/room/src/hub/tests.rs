//! Decides nothing: shows what a hub orders and by which name it refuses the rest.

use std::collections::BTreeSet;

use prost::{Message as _, bytes::Bytes};
use wire::{
    ErrorCode::{
        self, Conflict, Forbidden, Malformed, Misdirected, NotFound, OriginMismatch, StaleEpoch, Unsupported,
    },
    MessageId, RoomId, WireError,
    proto::{CommitExtras, CommitNack, EventKind, HubNotice, RoomKind, hub_notice::Notice},
};

use super::*;
use crate::{
    Request, State, direct_room,
    example::{FOUNDING, account, acme, device, direct_view, group, group_state, group_view, leaf, request},
};

fn stale(epoch: u64) -> WireError {
    WireError::with_value(StaleEpoch, epoch)
}

// [ROOM-11] [ROOM-12]
#[test]
fn members_may_submit_former_ones_are_forbidden_and_strangers_learn_nothing() {
    let mut view = group_view();
    let message = |view: &RoomView, name: &str| {
        order_message(view, &request(group(), name, EventKind::Message, 5), (&group(), 5))
    };
    assert_eq!(message(&view, "bob"), Ok(()));
    assert_eq!(message(&view, "dave"), Err(NotFound.into()), "a domain that was never here");
    assert_eq!(message(&view, "ben"), Err(Forbidden.into()), "its domain is here");
    view.former.insert(account("dave"));
    assert_eq!(message(&view, "dave"), Err(Forbidden.into()), "it was here");
    view.leaving.insert(account("bob"));
    assert_eq!(message(&view, "bob"), Err(Forbidden.into()), "it is on its way out");
    view.declined.insert(account("carol"));
    assert_eq!(message(&view, "carol"), Err(Forbidden.into()), "it declined");
    let other_device =
        Request { device: device("alice", 9), ..request(group(), "alice", EventKind::Message, 5) };
    assert_eq!(order_message(&view, &other_device, (&group(), 5)), Err(Forbidden.into()), "no leaf");
    assert_eq!(origin(&acme(), &account("bob")), Err(OriginMismatch));
    assert_eq!(origin(&acme(), &account("alice")), Ok(()));
}

// [ROOM-13]
#[test]
fn the_same_id_means_the_same_bytes_or_a_conflict() {
    let request = request(group(), "bob", EventKind::Message, 5);
    let stored = Repeat { kind: request.kind, epoch: 5, body_hash: request.body_hash };
    assert_eq!(repeat(&stored, &request), Ok(()));
    assert_eq!(repeat(&Repeat { body_hash: [0; 32], ..stored }, &request), Err(Conflict));
    assert_eq!(repeat(&Repeat { epoch: 4, ..stored }, &request), Err(Conflict));
    assert_eq!(repeat(&Repeat { kind: EventKind::Commit, ..stored }, &request), Err(Conflict));
}

// [ROOM-14]
#[test]
fn messages_of_the_last_epochs_are_ordered_and_older_ones_are_stale() {
    let view = group_view();
    for (epoch, expected) in [
        (5, Ok(())),
        (4, Ok(())),
        (3, Ok(())),
        (2, Err(stale(5))),
        (0, Err(stale(5))),
        (6, Err(Malformed.into())),
        (u64::MAX, Err(Malformed.into())),
    ] {
        let request = request(group(), "bob", EventKind::Message, epoch);
        assert_eq!(order_message(&view, &request, (&group(), epoch)), expected, "epoch {epoch}");
    }
    let request = request(group(), "bob", EventKind::Message, 5);
    assert_eq!(order_message(&view, &request, (&RoomId::new([8; 32]), 5)), Err(Malformed.into()));
    assert_eq!(order_message(&view, &request, (&group(), 4)), Err(Malformed.into()));
}

fn observation(view: &RoomView, name: &str) -> Observation {
    Observation {
        committer: leaf(name, 1),
        binding: (view.room, FOUNDING),
        added: vec![],
        removed: vec![],
        state: view.state.clone(),
    }
}

fn commit(view: &RoomView, name: &str, epoch: u64, seen: Observation) -> Result<CommitEffects, WireError> {
    let mut request = request(view.room, name, EventKind::Commit, epoch);
    let welcome = if seen.added.is_empty() { Bytes::new() } else { Bytes::from_static(b"welcome") };
    request.extras = Some(CommitExtras { welcome, group_info: Bytes::new() });
    order_commit(view, &request, || Ok(seen))
}

// [ROOM-15]
#[test]
fn of_two_commits_in_one_epoch_the_first_wins_and_the_other_learns_the_epoch() {
    let view = group_view();
    let after = commit(&view, "alice", 5, observation(&view, "alice")).unwrap().view;
    assert_eq!(after.epoch, 6);
    assert_eq!(commit(&after, "bob", 5, observation(&after, "bob")), Err(stale(6)));
    assert_eq!(commit(&after, "bob", 7, observation(&after, "bob")), Err(Malformed.into()));
    assert!(commit(&after, "bob", 6, observation(&after, "bob")).is_ok());
}

#[test]
fn a_stale_commit_is_not_even_looked_at() {
    let view = group_view();
    let request = request(view.room, "bob", EventKind::Commit, 4);
    let judged = order_commit(&view, &request, || panic!("costs more to refuse than to send"));
    assert_eq!(judged, Err(stale(5)));
}

// [ROOM-16]
#[test]
fn a_commit_is_its_submitters_and_made_for_this_place() {
    let view = group_view();
    let ok = observation(&view, "alice");
    assert_eq!(commit(&view, "bob", 5, ok.clone()), Err(OriginMismatch.into()));
    let elsewhere = Observation { binding: (RoomId::new([3; 32]), FOUNDING), ..ok.clone() };
    assert_eq!(commit(&view, "alice", 5, elsewhere), Err(Malformed.into()));
    let another_id = Observation { binding: (view.room, MessageId::new([8; 16])), ..ok.clone() };
    assert_eq!(commit(&view, "alice", 5, another_id), Err(Malformed.into()));
    let mut request = request(view.room, "alice", EventKind::Commit, 5);
    let adds = Observation { added: vec![leaf("dave", 1)], ..ok.clone() };
    assert_eq!(order_commit(&view, &request, || Ok(adds)), Err(Malformed.into()), "no Welcome for dave");
    request.extras = Some(CommitExtras { welcome: Bytes::from_static(b"w"), group_info: Bytes::new() });
    assert_eq!(order_commit(&view, &request, || Ok(ok)), Err(Malformed.into()), "a Welcome for nobody");
    let broken = order_commit(&view, &request, || Err(ErrorCode::BadSignature));
    assert_eq!(broken, Err(ErrorCode::BadSignature.into()));
}

#[test]
fn who_is_added_receives_and_who_is_removed_does_not() {
    let view = group_view();
    let seen = Observation { added: vec![leaf("dave", 1)], ..observation(&view, "alice") };
    let effects = commit(&view, "alice", 5, seen).unwrap();
    assert_eq!(effects.joined, [account("dave")].into());
    assert!(effects.view.recipients().contains(account("dave").domain()));

    let view = effects.view;
    let seen = Observation { removed: vec![leaf("dave", 1)], ..observation(&view, "alice") };
    let effects = commit(&view, "alice", 6, seen).unwrap();
    assert_eq!(effects.removed, [account("dave")].into());
    assert_eq!(effects.left, [account("dave").domain().clone()].into());
    assert_eq!(effects.view.standing(&account("dave")), Standing::Former);

    let view = effects.view;
    let seen = Observation { added: vec![leaf("dave", 2)], ..observation(&view, "alice") };
    let effects = commit(&view, "alice", 7, seen).unwrap();
    assert_eq!(effects.view.standing(&account("dave")), Standing::Member, "it may come back");
    assert!(effects.view.former.is_empty());
}

// [ROOM-17]
#[test]
fn an_account_that_leaves_is_out_at_once_and_its_leaf_with_the_next_commit() {
    let view = group_view();
    let request = request(group(), "bob", EventKind::Proposal, 5);
    let binding = (group(), FOUNDING);
    let foreign = order_proposal(&view, &request, || Ok((leaf("carol", 1), binding)));
    assert_eq!(foreign, Err(OriginMismatch.into()), "nobody leaves for another");
    let elsewhere = (group(), MessageId::new([9; 16]));
    assert_eq!(order_proposal(&view, &request, || Ok((leaf("bob", 1), elsewhere))), Err(Malformed.into()));

    let effects = order_proposal(&view, &request, || Ok((leaf("bob", 1), binding))).unwrap();
    assert_eq!(effects.left, [account("bob").domain().clone()].into());
    assert_eq!(effects.view.standing(&account("bob")), Standing::Former);
    assert!(effects.view.roster.contains_key(&account("bob")));

    let after = effects.view;
    assert_eq!(commit(&after, "alice", 5, observation(&after, "alice")), Err(Conflict.into()));
    let seen = Observation { removed: vec![leaf("bob", 1)], ..observation(&after, "carol") };
    let effects = commit(&after, "carol", 5, seen).unwrap();
    assert!(effects.removed.is_empty(), "its last event was the proposal");
    assert!(effects.left.is_empty());
    assert!(effects.view.leaving.is_empty());
    assert_eq!(effects.view.former, [account("bob")].into());
}

#[test]
fn the_last_member_of_a_direct_room_stays() {
    let mut view = direct_view();
    let binding = (view.room, FOUNDING);
    let leave = |view: &RoomView, name: &str| {
        let request = request(view.room, name, EventKind::Proposal, 1);
        order_proposal(view, &request, || Ok((leaf(name, 1), binding)))
    };
    let after = leave(&view, "bob").unwrap().view;
    assert_eq!(leave(&after, "alice"), Err(Forbidden.into()));
    view.declined.insert(account("bob"));
    assert_eq!(leave(&view, "alice"), Err(Forbidden.into()));
}

#[test]
fn a_late_leave_is_stale() {
    let view = group_view();
    let request = request(group(), "bob", EventKind::Proposal, 4);
    assert_eq!(order_proposal(&view, &request, || panic!("not looked at")), Err(stale(5)));
}

fn founding(kind: RoomKind) -> (Request, FoundingLeaf) {
    let (room, state) = match kind {
        RoomKind::Direct => {
            let room = direct_room(&account("alice"), &account("bob")).0;
            (room, State::direct(&account("alice"), &account("bob")))
        }
        _ => (group(), group_state(&["alice"])),
    };
    let leaves = vec![leaf("alice", 1)];
    (
        request(room, "alice", EventKind::Founding, 0),
        FoundingLeaf { group: room, epoch: 0, leaves, state: state.to_proto() },
    )
}

// [ROOM-18] [ROOM-2]
#[test]
fn a_room_is_founded_by_one_device_under_an_id_that_is_its_own() {
    for kind in [RoomKind::Group, RoomKind::Direct] {
        let (request, seen) = founding(kind);
        let found = |seen: &FoundingLeaf| {
            order_founding(&acme(), None, &request, || Ok(seen.clone())).map(|founded| founded.view)
        };
        let view = found(&seen).unwrap();
        assert_eq!((view.epoch, view.roster.len()), (0, 1));

        let known_as = |known: &RoomView, seen: &FoundingLeaf| {
            order_founding(&acme(), Some(known), &request, || Ok(seen.clone())).map(drop)
        };
        let exists = |known: &RoomView| known_as(known, &seen);
        let mut known = RoomView { roster: Default::default(), ..view.clone() };
        assert_eq!(exists(&known), Err(Conflict.into()), "it will be invited");
        known.former.insert(account("alice"));
        assert_eq!(exists(&known), Err(Forbidden.into()), "only the other side can bring it back");
        let guessed = FoundingLeaf { leaves: vec![leaf("bob", 1)], ..seen.clone() };
        assert_eq!(known_as(&known, &guessed), Err(OriginMismatch.into()), "as if it did not exist");
        let umbrella = "umbrella.test".parse().unwrap();
        assert_eq!(order_founding(&umbrella, None, &request, || panic!("not ours")), Err(Misdirected.into()));

        let with = |change: &dyn Fn(&mut FoundingLeaf)| {
            let mut seen = seen.clone();
            change(&mut seen);
            found(&seen)
        };
        assert_eq!(with(&|seen| seen.leaves = vec![leaf("bob", 1)]), Err(OriginMismatch.into()));
        assert_eq!(with(&|seen| seen.leaves.push(leaf("bob", 1))), Err(OriginMismatch.into()));
        assert_eq!(with(&|seen| seen.group = RoomId::new([3; 32])), Err(Malformed.into()));
        assert_eq!(with(&|seen| seen.epoch = 1), Err(Malformed.into()));
        assert_eq!(with(&|seen| seen.state.hub = "umbrella.test".into()), Err(Malformed.into()));
        assert_eq!(with(&|seen| seen.state.version = 2), Err(Unsupported.into()));
        assert_eq!(with(&|seen| seen.state.kind = 9), Err(Unsupported.into()));
        assert_eq!(with(&|seen| seen.state.admins.clear()), Err(Malformed.into()));
    }
}

#[test]
fn nobody_takes_the_room_of_others() {
    let (request, seen) = founding(RoomKind::Direct);
    let ours = FoundingLeaf { state: group_state(&["alice"]).to_proto(), ..seen };
    let as_group = FoundingLeaf {
        state: wire::proto::RoomState { room: request.room.to_bytes(), ..ours.state },
        ..ours
    };
    assert_eq!(
        order_founding(&acme(), None, &request, || Ok(as_group)),
        Err(Malformed.into()),
        "a group under the id of a direct room"
    );
    let (request, seen) = founding(RoomKind::Direct);
    let stolen = Request { account: account("carol"), ..request };
    let seen = FoundingLeaf { leaves: vec![(account("carol"), stolen.device)], ..seen };
    assert_eq!(order_founding(&acme(), None, &stolen, || Ok(seen)), Err(Forbidden.into()));
    let (request, mut seen) = founding(RoomKind::Group);
    seen.state.admins = vec!["alice@acme.test".into(), "bob@umbrella.test".into()];
    assert_eq!(order_founding(&acme(), None, &request, || Ok(seen)), Err(Forbidden.into()));
}

// [ROOM-19]
#[test]
fn who_declines_receives_nothing_and_is_noticed_once() {
    let view = group_view();
    let (notice, after) = declined(&view, &account("bob")).unwrap();
    assert_eq!(notice.notice, Some(Notice::Declined("bob@umbrella.test".into())));
    assert_eq!(after.recipients(), BTreeSet::from([acme()]));
    assert_eq!(declined(&after, &account("bob")), None);
    assert_eq!(declined(&view, &account("dave")), None);
    let seen = Observation { removed: vec![leaf("bob", 1)], ..observation(&after, "alice") };
    let effects = commit(&after, "alice", 5, seen).unwrap();
    assert!(effects.view.declined.is_empty() && effects.removed.is_empty());
}

#[test]
fn a_device_complains_only_for_itself_and_about_what_is_there() {
    let view = direct_view();
    let nack = |notice: Option<Notice>| {
        let mut request = request(view.room, "bob", EventKind::Notice, 1);
        request.body = HubNotice { notice }.encode_to_vec().into();
        order_nack(&view, 7, &request)
    };
    let of = |name: &str, seq| {
        let (account, device_id) = (account(name).as_str().into(), device(name, 1).to_bytes());
        Some(Notice::Nack(CommitNack { account, device_id, seq }))
    };
    assert_eq!(nack(of("bob", 7)), Ok(()));
    assert_eq!(nack(of("bob", 8)), Err(Malformed.into()));
    assert_eq!(nack(of("bob", 0)), Err(Malformed.into()));
    assert_eq!(nack(of("alice", 7)), Err(OriginMismatch.into()));
    assert_eq!(nack(Some(Notice::Declined("bob@umbrella.test".into()))), Err(Malformed.into()));
    assert_eq!(nack(None), Err(Malformed.into()));
}

// [ROOM-34]
#[test]
fn the_group_is_shown_to_devices_that_are_in_it() {
    let view = group_view();
    let ask = |view: &RoomView, name: &str, number| may_rejoin(view, &account(name), &device(name, number));
    assert_eq!(ask(&view, "bob", 1), Ok(()));
    assert_eq!(ask(&view, "bob", 9), Err(Forbidden), "no such leaf");
    assert_eq!(ask(&view, "dave", 1), Err(NotFound), "as if there were no room");
    let out = RoomView { leaving: BTreeSet::from([account("bob")]), ..view.clone() };
    assert_eq!(ask(&out, "bob", 1), Err(Forbidden));
    assert_eq!(ask(&out, "alice", 1), Ok(()), "who comes back carries it out");
    let mut two = out;
    two.roster.entry(account("bob")).or_default().insert(device("bob", 2));
    assert_eq!(ask(&two, "alice", 1), Err(Conflict), "but no leaf that has not said so");
    let mut led = view.clone();
    led.leaving.insert(account("bob"));
    led.state.admins.insert(account("bob"));
    assert_eq!(ask(&led, "alice", 1), Err(Conflict), "nor does it change roles");
    let declined = RoomView { declined: BTreeSet::from([account("bob")]), ..view };
    assert_eq!(ask(&declined, "bob", 1), Err(Forbidden));
    assert_eq!(ask(&declined, "alice", 1), Ok(()));
}
