//! What only the backend in memory can do; the rest is in the suite.
use crate::{
    Batch, Store as _, StoreError, Write,
    memory::{Fault, Memory},
};

fn meta(name: &'static str) -> Batch {
    Batch { writes: vec![Write::PutMeta(name, "value".into())] }
}

#[test]
fn a_clone_is_the_same_disk_and_a_fork_is_not() {
    let disk = Memory::new();
    let fork = disk.fork();
    disk.clone().commit(&meta("a")).unwrap();
    assert!(disk.meta("a").unwrap().is_some());
    assert!(fork.meta("a").unwrap().is_none());
}

#[test]
fn each_fault_is_met_once_and_says_what_is_on_the_disk() {
    let disk = Memory::new();
    for (fault, written) in [
        (Fault::Full, false),
        (Fault::Conflict, false),
        (Fault::FailedUnwritten, false),
        (Fault::FailedWritten, true),
    ] {
        let disk = disk.fork();
        disk.fail_next(fault);
        let error = disk.commit(&meta("a")).unwrap_err();
        match fault {
            Fault::Full => assert!(matches!(error, StoreError::Full)),
            Fault::Conflict => assert!(matches!(error, StoreError::Conflict)),
            _ => assert!(matches!(error, StoreError::Failed(_))),
        }
        assert_eq!(disk.meta("a").unwrap().is_some(), written, "{fault:?}");
        disk.commit(&meta("b")).unwrap();
    }
}

#[test]
fn a_disk_without_room_refuses_puts_takes_drops_and_heals() {
    let disk = Memory::new();
    disk.commit(&meta("a")).unwrap();
    disk.set_capacity(Some(1));
    assert!(matches!(disk.commit(&meta("b")), Err(StoreError::Full)));
    let peer: wire::DomainName = "acme.test".parse().unwrap();
    disk.commit(&Batch { writes: vec![Write::DropOutbox(peer, 7)] }).unwrap();
    assert!(disk.meta("b").unwrap().is_none());
    disk.set_capacity(None);
    disk.commit(&meta("b")).unwrap();
    assert_eq!(disk.rows(), 2);
}

#[test]
fn the_journal_replays_to_every_state_that_was_durable() {
    let disk = Memory::new();
    disk.record();
    disk.commit(&meta("a")).unwrap();
    disk.commit(&meta("b")).unwrap();
    let journal = disk.journal();
    let before_second = Memory::new();
    journal.iter().take(1).for_each(|batch| before_second.commit(batch).unwrap());
    assert!(before_second.meta("a").unwrap().is_some());
    assert!(before_second.meta("b").unwrap().is_none());
    assert_eq!(disk.commits(), 2);
}

#[derive(Default)]
struct InMemory(Memory);

impl crate::suite::Backend for InMemory {
    type Store = Memory;

    fn open(&mut self) -> Memory {
        self.0.clone()
    }
}

mod suite {
    crate::suite!(crate::memory::tests::InMemory);
}
