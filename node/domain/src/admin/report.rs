//! How much there is of what, and what could not be processed.

use machine::Entropy;
use store::{Store, StoreError};
use wire::{
    ErrorCode,
    proto::{AccountStanding, ListQuarantine, PeerUsage, Quarantine, QuarantinedItem, Usage},
};

use super::limit;
use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(super) fn report_usage(&self) -> Result<Usage, ErrorCode> {
        let failed = |error: StoreError| error.code();
        let accounts = self.all_accounts()?;
        let mut devices = 0;
        for row in &accounts {
            devices += self.store.devices(&row.account).map_err(failed)?.len() as u64;
        }
        let of = |standing| accounts.iter().filter(|row| row.standing == standing).count() as u64;
        let deleted = of(AccountStanding::Deleted);
        Ok(Usage {
            accounts: accounts.len() as u64 - deleted,
            suspended: of(AccountStanding::Suspended),
            deleted,
            devices,
            sessions: self.sessions.len() as u64,
            rooms: self.store.room_count().map_err(failed)?,
            positions: self.position,
            store_bytes: self.store.size().map_err(failed)?,
            since_ms: self.started.as_ms(),
            peers: self.peer_usage(),
        })
    }

    /// What went over each peer's link, and what waits for it.
    pub(super) fn peer_usage(&self) -> Vec<PeerUsage> {
        let usage = self.links.peers.values().map(|peer| PeerUsage {
            domain: peer.row.domain.to_string(),
            traffic: Some(peer.traffic),
            queued: peer.queued.0,
            queued_bytes: peer.queued.1,
        });
        usage.collect()
    }

    pub(super) fn list_quarantine(&self, asked: &ListQuarantine) -> Result<Quarantine, ErrorCode> {
        let (rows, total) = self.store.quarantine(limit(asked.limit)).map_err(|error| error.code())?;
        let items = rows.into_iter().map(|row| QuarantinedItem {
            domain: row.peer.as_str().to_owned(),
            time_ms: row.time_ms,
            error: row.error,
            kind: row.kind,
        });
        Ok(Quarantine { items: items.collect(), total })
    }
}
