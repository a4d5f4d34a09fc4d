//! A stranger is joined, joins, commits, speaks, comes back and is removed; after every commit all have
//! one `epoch_authenticator`.

use anyhow::{Context as _, Result, bail};
use interop::{Device, Room, Wish, binding_bytes, keys, stranger};
use machine::Seeded;
use mls::DeviceKeys;
use wire::{ErrorCode, proto::EventKind};

fn add(who: &[(u64, bool)]) -> Wish {
    Wish { add: who.to_vec(), ..Wish::default() }
}

#[test]
fn it_is_joined_and_both_sides_read() -> Result<()> {
    let mut room = Room::found(stranger, 1)?;
    room.commit(0, &add(&[(1, true), (2, false), (3, true)]))?;
    for by in 0..4 {
        room.talk(by, &[u8::try_from(by)?; 300])?;
    }
    Ok(())
}

#[test]
fn it_commits_updates_additions_removals_and_states() -> Result<()> {
    let mut room = Room::found(stranger, 2)?;
    room.commit(0, &add(&[(1, true)]))?;
    room.commit(1, &Wish::default())?;
    room.commit(1, &add(&[(2, false), (3, true)]))?;
    room.commit(3, &Wish { admins: Some(vec![0, 3]), ..Wish::default() })?;
    room.commit(3, &Wish { add: vec![(4, false)], remove: vec![2], admins: Some(vec![3]) })?;
    room.commit(0, &Wish::default())?;
    for by in [0, 1, 3, 4] {
        room.talk(by, b"still here")?;
    }
    Ok(())
}

#[test]
fn it_is_removed_and_knows_it() -> Result<()> {
    let mut room = Room::found(stranger, 3)?;
    room.commit(0, &add(&[(1, true), (2, true)]))?;
    room.commit(0, &Wish { remove: vec![1], ..Wish::default() })?;
    room.commit(2, &Wish { remove: vec![0], admins: Some(vec![2]), ..Wish::default() })?;
    room.commit(2, &add(&[(1, true), (0, false)]))?;
    room.talk(0, b"back again")
}

#[test]
fn each_side_follows_the_external_commit_of_the_other() -> Result<()> {
    let mut room = Room::found(stranger, 4)?;
    room.commit(0, &add(&[(1, true), (2, false), (3, true)]))?;
    room.rejoin(1)?;
    room.talk(1, b"I lost my way")?;
    room.rejoin(2)?;
    room.talk(2, b"so did I")?;
    room.commit(1, &Wish::default())?;
    room.commit(2, &Wish::default())?;
    room.rejoin(1)?;
    room.commit(0, &Wish { remove: vec![1], ..Wish::default() })?;
    room.talk(3, b"end")
}

// [MLS-9], [MLS-16] Tree and GroupInfo are all that an external commit needs, and the hub has both:
// it can write any name into a leaf, and only the key is proof.
#[test]
fn nobody_comes_back_in_a_member_s_name_with_another_key() -> Result<()> {
    let mut room = Room::found(stranger, 6)?;
    room.commit(0, &add(&[(1, true), (2, false), (3, true)]))?;
    let (info, tree) = (room.observer.group_info(), room.observer.ratchet_tree()?);
    for victim in [2, 3] {
        let keys = DeviceKeys { secret: keys(9).secret, ..keys(victim) };
        let leaf = room.observer.leaves().into_iter().find(|leaf| leaf.account == keys.account);
        let leaf = leaf.context("no leaf")?.index;
        let (_, data) = binding_bytes(room.room, 1_000 + victim);
        let made = stranger(keys)?.rejoin(&info, &tree, leaf, data)?;
        let hub = room.observer.check_commit(&made.commit, &made.extras);
        assert_eq!(hub.map(|_| ()), Err(ErrorCode::Forbidden));
        for number in [0, 2] {
            let Some(Device::Ours(member, _)) = room.devices.get_mut(&number) else { bail!("u{number}") };
            let refused = member.process(EventKind::Commit, &made.commit);
            assert_eq!(refused.map(|_| ()), Err(ErrorCode::Forbidden), "u{number}");
        }
    }
    room.talk(3, b"nobody new")
}

/// A walk by whoever is there; `COMITY_WALK` sets how long it is.
#[test]
fn they_agree_wherever_the_walk_goes() -> Result<()> {
    let steps: u64 = std::env::var("COMITY_WALK").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let mut dice = Seeded::new(5);
    let mut room = Room::found(stranger, 5)?;
    let mut next = 1;
    for step in 0..steps {
        let present: Vec<u64> = room.devices.keys().copied().collect();
        let one = |dice: &mut Seeded| present[usize::try_from(dice.below(present.len() as u64)).unwrap_or(0)];
        let (by, other) = (one(&mut dice), one(&mut dice));
        match dice.below(10) {
            0..=2 if present.len() < 12 => {
                let who: Vec<(u64, bool)> =
                    (0..=dice.below(3)).map(|more| (next + more, dice.below(2) == 0)).collect();
                next += 3;
                room.commit(by, &add(&who))?;
            }
            3 | 4 if present.len() > 4 && by != other => {
                room.commit(by, &Wish { remove: vec![other], ..Wish::default() })?;
            }
            5 => room.commit(by, &Wish { admins: Some(vec![by]), ..Wish::default() })?,
            6 if present.len() > 1 => room.rejoin(by)?,
            _ => room.commit(by, &Wish::default())?,
        }
        let by = *room.devices.keys().next_back().unwrap_or(&0);
        room.talk(by, &step.to_be_bytes())?;
    }
    assert!(room.observer.epoch() >= steps);
    Ok(())
}
