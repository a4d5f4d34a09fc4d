//! What the store holds when an engine is opened.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use wire::{DomainName, ErrorCode, RoomId};
use zeroize::Zeroizing;

use super::{
    ContactRow, CursorRow, DomainRow, IntentRow, InvitationRow, JoinRow, KeyPackageRow, Record, RoomRow,
    RosterRow, Table,
};

/// What the store holds when an engine is opened: every row of every table but
/// [`Table::Message`] and [`Table::Upload`], in any order.
#[derive(Clone, Default)]
pub struct Snapshot {
    pub(crate) cursor: CursorRow,
    pub(crate) rooms: BTreeMap<RoomId, RoomRow>,
    pub(crate) rosters: BTreeMap<RoomId, RosterRow>,
    pub(crate) mls: BTreeMap<RoomId, mls::Rows>,
    pub(crate) key_packages: Vec<KeyPackageRow>,
    pub(crate) intents: Vec<IntentRow>,
    pub(crate) contacts: BTreeMap<String, ContactRow>,
    pub(crate) domains: BTreeMap<String, DomainRow>,
    pub(crate) invitations: BTreeMap<RoomId, InvitationRow>,
    pub(crate) joins: BTreeMap<RoomId, JoinRow>,
    pub(crate) pins: BTreeMap<DomainName, [u8; 32]>,
}

impl std::fmt::Debug for Snapshot {
    /// Rooms by number only: the rest is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot(of {} rooms)", self.rooms.len())
    }
}

impl Snapshot {
    /// Takes in a row as the store holds it. A row of [`Table::Message`] or [`Table::Upload`] is
    /// passed over.
    ///
    /// # Errors
    /// `Malformed` if it is not a row of this table.
    pub fn add(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), ErrorCode> {
        match table {
            Table::Cursor => self.cursor = decode(value)?,
            Table::Room => {
                self.rooms.insert(key.try_into()?, decode(value)?);
            }
            Table::Roster => {
                self.rosters.insert(key.try_into()?, decode(value)?);
            }
            Table::Mls => {
                let (room, key) = key.split_at_checked(RoomId::BYTES).ok_or(ErrorCode::Malformed)?;
                self.mls.entry(room.try_into()?).or_default().insert(key.into(), value.to_vec().into());
            }
            Table::KeyPackage => {
                // What is decoded are parts of these bytes, which are wiped with the last of them.
                let secret = Bytes::from_owner(Zeroizing::new(value.to_vec()));
                let row = KeyPackageRow::decode(secret).map_err(|_| ErrorCode::Malformed)?;
                self.key_packages.push(row);
            }
            Table::Intent => self.intents.push(decode(value)?),
            Table::Message | Table::Upload => {}
            Table::Contact => {
                let row: ContactRow = decode(value)?;
                self.contacts.insert(row.account.clone(), row);
            }
            Table::Domain => {
                let row: DomainRow = decode(value)?;
                self.domains.insert(row.domain.clone(), row);
            }
            Table::Invitation => {
                self.invitations.insert(key.try_into()?, decode(value)?);
            }
            Table::Join => {
                self.joins.insert(key.try_into()?, decode(value)?);
            }
        }
        Ok(())
    }

    /// Pins a domain by the fingerprint of its root key, as the invite ticket gave it. The device's
    /// own domain must be pinned before an engine is opened; of others the node's word is taken
    /// first.
    pub fn pin(&mut self, domain: &DomainName, fingerprint: [u8; 32]) {
        self.pins.insert(domain.clone(), fingerprint);
    }

    /// The snapshot of a store that is a map of rows, as tests and the simulator keep it.
    ///
    /// # Errors
    /// As [`Snapshot::add`].
    pub fn from_rows(rows: &BTreeMap<(Table, Bytes), Bytes>) -> Result<Self, ErrorCode> {
        let mut snapshot = Self::default();
        for ((table, key), value) in rows {
            snapshot.add(*table, key, value)?;
        }
        Ok(snapshot)
    }
}

/// Applies records to a map of rows, as a store does in one transaction.
pub fn apply(rows: &mut BTreeMap<(Table, Bytes), Bytes>, records: Vec<Record>) {
    for Record { table, key, value } in records {
        match value {
            Some(value) => rows.insert((table, key), value),
            None => rows.remove(&(table, key)),
        };
    }
}

fn decode<R: prost::Message + Default>(value: &[u8]) -> Result<R, ErrorCode> {
    R::decode(value).map_err(|_| ErrorCode::Malformed)
}
