//! Random batches, given to the backend and to memory: every read of both must agree.

use std::fmt::Debug;

use machine::Seeded;

use super::{Backend, sample::*};
use crate::{
    Batch, Store, StoreError, Write,
    memory::Memory,
    row::{EntryRow, InvitationRow, OutboxRow, ProgressRow},
};

const SEEDS: u64 = 8;
const BATCHES: u64 = 40;

/// Whatever is written in whatever order, conflicts included.
pub fn any_batches_give_what_memory_gives<B: Backend>(_: &mut B) {
    for seed in 1..=SEEDS {
        let mut backend = B::default();
        let (mut store, model) = (backend.open(), Memory::new());
        let mut random = Seeded::new(seed);
        let mut world = World::default();
        for number in 1..=BATCHES {
            let batch = world.batch(&mut random);
            let (ours, theirs) = (store.commit(&batch), model.commit(&batch));
            match (&ours, &theirs) {
                (Ok(()), Ok(())) | (Err(StoreError::Conflict), Err(StoreError::Conflict)) => {}
                _ => assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "seed {seed}, batch {number}"),
            }
            if random.below(10) == 0 {
                drop(store);
                store = backend.open();
            }
            compare(&store, &model, &mut random, &format!("seed {seed}, batch {number}"));
        }
        assert!(model.commits() > BATCHES / 2, "seed {seed} commits too little to test anything");
    }
}

#[derive(Default)]
struct World {
    position: u64,
    seqs: [u64; 4],
    number: u64,
}

impl World {
    fn batch(&mut self, random: &mut Seeded) -> Batch {
        let count = random.below(30);
        let mut writes: Vec<_> = (0..count).map(|_| self.write(random)).collect();
        if random.below(8) == 0 {
            let seq = 1 + random.below(self.seqs[1].max(1));
            writes.push(Write::PutEvent(event(self.position + 1000, 1, seq)));
        }
        Batch { writes }
    }

    fn write(&mut self, random: &mut Seeded) -> Write {
        let (who, small) = (1 + random.below(3), random.below(6));
        match random.below(24) {
            0..=4 => {
                self.position += 1;
                let of = random.below(4);
                let seq = &mut self.seqs[usize::try_from(of).unwrap()];
                *seq += 1;
                Write::PutEvent(event(self.position, of, *seq))
            }
            5 => {
                self.position += 1;
                let only = (small < 3).then(|| device(small));
                Write::PutEntry(EntryRow { device: only, ..entry(self.position, who) })
            }
            6..=8 => {
                self.number += 1;
                let run = OutboxRow { from_seq: small, to_seq: small + 3, ..outbox(who, self.number) };
                Write::PutOutbox(run)
            }
            9 => Write::DropOutbox(domain(who), self.number.saturating_sub(random.below(20))),
            10 => Write::DropOutboxItem(domain(who), self.number.saturating_sub(random.below(9))),
            11 => {
                self.number += 1;
                Write::PutPending(pending(who, self.number, who))
            }
            12 => Write::DropPending(room(who), message(self.number.saturating_sub(random.below(9)))),
            13 => Write::PutProgress(ProgressRow { seq: random.below(99), ..progress(small, who, 0) }),
            14 => Write::PutMember(member(small, who, random.below(40), Some(random.below(80)))),
            15 => Write::PutMember(member(small, who, random.below(40), None)),
            16 => Write::PutDevice(device_row(who, small, random.below(50))),
            17 => Write::Cursor(account(who), device(small), random.below(200)),
            18 => Write::PutKeyPackage(key_package(who, random.below(30), small == 0)),
            19 => Write::ClaimKeyPackage(account(who), device(1), hash(random.below(30))),
            20 => Write::DropKeyPackage(account(who), device(1), hash(random.below(30))),
            21 => Write::PutRoom(room_row(small, random.below(99))),
            22 => {
                let (account, room) = (account(who), room(small));
                Write::PutInvitation(InvitationRow { account, room, join: "join".into(), time_ms: 1 })
            }
            _ => Write::DropDevice(account(who), device(small)),
        }
    }
}

fn compare(ours: &impl Store, model: &impl Store, random: &mut Seeded, at: &str) {
    let limit = 1 + usize::try_from(random.below(30)).unwrap();
    same(ours.head(), model.head(), at);
    same(ours.room_count(), model.room_count(), at);
    same(ours.account_count(), model.account_count(), at);
    same(ours.quarantine(limit), model.quarantine(limit), at);
    for who in 1..=3 {
        let (account, peer) = (account(who), domain(who));
        let after = random.below(60);
        same(ours.devices(&account), model.devices(&account), at);
        same(ours.invitations(&account), model.invitations(&account), at);
        same(ours.memberships(&account), model.memberships(&account), at);
        same(ours.account_events(&account, after, limit), model.account_events(&account, after, limit), at);
        for number in 0..3 {
            let device = device(number);
            same(
                ours.key_packages(&account, &device, limit),
                model.key_packages(&account, &device, limit),
                at,
            );
            same(ours.key_package_count(&account, &device), model.key_package_count(&account, &device), at);
            same(
                ours.account_entries(&account, &device, after, limit),
                model.account_entries(&account, &device, after, limit),
                at,
            );
        }
        same(ours.outbox(&peer, after, limit), model.outbox(&peer, after, limit), at);
        same(ours.outbox_size(&peer), model.outbox_size(&peer), at);
        same(ours.pending_of_peer(&peer, after, limit), model.pending_of_peer(&peer, after, limit), at);
    }
    for number in 0..6 {
        let room = room(number);
        same(ours.room(&room), model.room(&room), at);
        same(ours.members(&room), model.members(&room), at);
        same(ours.progress(&room), model.progress(&room), at);
        let from = random.below(20);
        same(ours.events(&room, from, limit), model.events(&room, from, limit), at);
    }
}

fn same<T: PartialEq + Debug>(ours: Result<T, StoreError>, model: Result<T, StoreError>, at: &str) {
    assert_eq!(ours.unwrap(), model.unwrap(), "{at}");
}
