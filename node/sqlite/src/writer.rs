//! Commits batches: one transaction, one fsync each.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{MutexGuard, PoisonError},
};

use store::{Batch, StoreError};
use wire::RoomId;

use crate::{
    Sqlite, accounts,
    connection::{Closing, run, run_all},
    log, outage, peers,
    plan::Plan,
    rooms,
    statement::{Script, statement},
};

/// The only connection that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) connection: Closing,
    /// What the `log` table says of rooms in use; what is here is committed.
    pub(crate) logs: BTreeMap<RoomId, Log>,
}

/// A room's number in the `event` table, and its hub.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) id: i64,
    pub(crate) hub: String,
}

/// Rooms whose numbers are remembered; beyond it all are looked up anew.
const LOGS_REMEMBERED: usize = 65_536;

impl Sqlite {
    pub(crate) fn commit_batch(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let plan = Plan::of(batch)?;
        self.lock_writer().commit(&plan, &self.directory)
    }

    fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        // A panic while writing leaves a transaction open, which the next BEGIN would refuse:
        // nothing half-done can be committed.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn commit(&mut self, plan: &Plan<'_>, directory: &Path) -> Result<(), StoreError> {
        match self.write(plan) {
            Ok(new) => {
                if self.logs.len() + new.len() > LOGS_REMEMBERED {
                    self.logs.clear();
                }
                self.logs.extend(new);
                Ok(())
            }
            Err(error) => {
                // Where SQLite has rolled back by itself, or did not begin, it says so to this.
                let _ = run(&mut self.connection, statement("ROLLBACK"));
                Err(outage::store_error(&error, directory))
            }
        }
    }

    /// The whole transaction. Returns the logs that are new to the writer.
    fn write(&mut self, plan: &Plan<'_>) -> sqlx::Result<BTreeMap<RoomId, Log>> {
        let connection = &mut *self.connection;
        let mut script = Script::default();
        script.push(statement("BEGIN IMMEDIATE"));
        let mut new = BTreeMap::new();
        if plan.events.iter().any(|event| !self.logs.contains_key(&event.room)) {
            run_all(connection, std::mem::take(&mut script))?;
            new = log::find_logs(connection, &self.logs, &plan.events)?;
        }
        log::put_events(&mut script, |room| self.logs.get(room).or_else(|| new.get(room)), &plan.events);
        log::drop_pending(&mut script, &plan.dropped_pending);
        log::put_pending(&mut script, &plan.pending);
        log::put_progress(&mut script, &plan.progress);
        peers::drop_outbox(&mut script, &plan.dropped_outbox, &plan.dropped_items);
        peers::put_outbox(&mut script, &plan.outbox);
        peers::drop_peers(&mut script, &plan.dropped_peers);
        peers::put_peers(&mut script, &plan.peers);
        rooms::put_rooms(&mut script, &plan.rooms);
        rooms::put_values(&mut script, &plan.groups, &plan.rosters);
        script.extend(plan.others.iter().filter_map(|write| {
            accounts::change(write).or_else(|| rooms::change(write)).or_else(|| peers::change(write))
        }));
        accounts::put_cursors(&mut script, &plan.cursors);
        script.push(statement("COMMIT"));
        run_all(connection, script)?;
        Ok(new)
    }
}
