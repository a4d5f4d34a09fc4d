//! The backend in memory, whose durability, space and failures the simulator controls.
//!
//! A [`Memory`] is a handle to a disk: its clones see the same rows, so that a node can be dropped
//! (which is what a crash is) and another started over what it had committed. Whatever a node held
//! uncommitted was never here.

mod apply;
mod read;
mod state;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{Batch, StoreError};
use state::State;

/// What the next commit meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `StoreError::Full`; nothing is written.
    Full,
    /// `StoreError::Conflict`; nothing is written.
    Conflict,
    /// `StoreError::Failed`, and nothing is on the disk.
    FailedUnwritten,
    /// `StoreError::Failed`, though everything is on the disk.
    FailedWritten,
}

/// A disk in memory. Cloning makes another handle to the same disk; [`Memory::fork`] copies it.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Clone, Debug, Default)]
struct Disk {
    state: State,
    faults: VecDeque<Fault>,
    capacity: Option<u64>,
    journal: Option<Vec<Batch>>,
    commits: u64,
}

impl Memory {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy that shares nothing with this disk: rows, capacity, and journal if there is one, but
    /// no pending faults.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut disk = self.lock().clone();
        disk.faults.clear();
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// The next commit meets this fault; faults set before come first.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// Faults that no commit has met yet are taken back.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// From now on a batch that puts anything is `Full` while the disk holds this many rows.
    /// Batches that only drop rows pass. `None`: no limit.
    pub fn set_capacity(&self, rows: Option<u64>) {
        self.lock().capacity = rows;
    }

    /// The number of rows on the disk.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.lock().state.rows()
    }

    /// The number of batches written so far.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// From now on every written batch is kept, for [`Memory::journal`].
    pub fn record(&self) {
        self.lock().journal.get_or_insert_default();
    }

    /// The batches written since [`Memory::record`], in order. Committing the first `n` of them to
    /// an empty disk gives the disk as a crash after the `n`th commit left it.
    #[must_use]
    pub fn journal(&self) -> Vec<Batch> {
        self.lock().journal.clone().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::Full) => return Err(StoreError::Full),
            Some(Fault::Conflict) => return Err(StoreError::Conflict),
            Some(Fault::FailedUnwritten) => return Err(StoreError::Failed("injected".to_owned())),
            Some(Fault::FailedWritten) | None => {}
        }
        let is_full = self.capacity.is_some_and(|capacity| self.state.rows() >= capacity);
        if is_full && !batch.writes.iter().all(apply::only_drops) {
            return Err(StoreError::Full);
        }
        self.state.apply(batch)?;
        self.commits += 1;
        if let Some(journal) = &mut self.journal {
            journal.push(batch.clone());
        }
        match fault {
            Some(Fault::FailedWritten) => Err(StoreError::Failed("injected".to_owned())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
