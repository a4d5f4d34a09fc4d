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
    connection::{Closing, run},
    log, outage, peers,
    plan::Plan,
    rooms,
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
        run(&mut self.connection, sqlx::query("BEGIN IMMEDIATE"))
            .map_err(|error| outage::store_error(&error, directory))?;
        let written =
            self.write(plan).and_then(|new| run(&mut self.connection, sqlx::query("COMMIT")).map(|()| new));
        match written {
            Ok(new) => {
                if self.logs.len() + new.len() > LOGS_REMEMBERED {
                    self.logs.clear();
                }
                self.logs.extend(new);
                Ok(())
            }
            Err(error) => {
                // SQLite has rolled back by itself after some errors, and says so to this.
                let _ = run(&mut self.connection, sqlx::query("ROLLBACK"));
                Err(outage::store_error(&error, directory))
            }
        }
    }

    fn write(&mut self, plan: &Plan<'_>) -> sqlx::Result<BTreeMap<RoomId, Log>> {
        let connection = &mut *self.connection;
        let new = log::put_events(connection, &self.logs, &plan.events)?;
        log::drop_pending(connection, &plan.dropped_pending)?;
        log::put_pending(connection, &plan.pending)?;
        log::put_progress(connection, &plan.progress)?;
        peers::drop_outbox(connection, &plan.dropped_outbox, &plan.dropped_items)?;
        peers::put_outbox(connection, &plan.outbox)?;
        peers::drop_peers(connection, &plan.dropped_peers)?;
        peers::put_peers(connection, &plan.peers)?;
        rooms::put_rooms(connection, &plan.rooms)?;
        rooms::put_values(connection, &plan.groups, &plan.rosters)?;
        for write in &plan.others {
            let statement = accounts::statement(write)
                .or_else(|| rooms::statement(write))
                .or_else(|| peers::statement(write));
            if let Some(statement) = statement {
                run(connection, statement)?;
            }
        }
        accounts::put_cursors(connection, &plan.cursors)?;
        Ok(new)
    }
}
