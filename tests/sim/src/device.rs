//! Runs one device: an `engine::Engine` over a map of rows, which may die at any write and start
//! again over what it had written.

use std::collections::BTreeMap;

use engine::{Engine, Snapshot, Table, device::DeviceKeys, record};
use machine::{Seeded, Timestamp};
use prost::bytes::Bytes;
use wire::{Account, RoomId};

use crate::fault::AtWrite;

/// The rows of a device.
pub type Rows = BTreeMap<(Table, Bytes), Bytes>;

/// One device.
pub struct Device {
    /// Its account.
    pub account: Account,
    /// Its home node, by index.
    pub home: usize,
    /// What it proves itself with.
    pub keys: DeviceKeys,
    /// Its disk; survives everything.
    pub rows: Rows,
    /// The running program, if it runs.
    pub engine: Option<Engine<Seeded>>,
    /// Counts the programs.
    pub life: u64,
    /// Its connection, and whether the session on it stands.
    pub session: Option<(u64, bool)>,
    /// Whether it wants to be connected.
    pub online: bool,
    /// Writes so far, over all lives.
    pub writes: u64,
    /// What happens at which write, by its number from 1.
    pub at_write: BTreeMap<u64, AtWrite>,
    /// The timer that counts; earlier ones are void.
    pub timer: u64,
    /// Commands so far, over all lives.
    pub commands: u64,
    pin: [u8; 32],
    seed: u64,
}

impl Device {
    /// A device that does not run yet. `pin` is the fingerprint in its invite ticket.
    #[must_use]
    pub fn new(keys: DeviceKeys, home: usize, pin: [u8; 32], seed: u64) -> Self {
        Self {
            account: keys.account.clone(),
            home,
            keys,
            rows: Rows::new(),
            engine: None,
            life: 0,
            session: None,
            online: true,
            writes: 0,
            at_write: BTreeMap::new(),
            timer: 0,
            commands: 0,
            pin,
            seed,
        }
    }

    /// Starts the program over the rows.
    pub fn start(&mut self, now: Timestamp) {
        self.life += 1;
        self.session = None;
        let fail = |error: wire::ErrorCode| -> ! { panic!("{} does not start: {error}", self.account) };
        let mut snapshot = Snapshot::from_rows(&self.rows).unwrap_or_else(|error| fail(error));
        snapshot.pin(self.account.domain(), self.pin);
        let entropy = Seeded::new(self.seed ^ self.life.wrapping_mul(0x51ed_270b));
        let engine = Engine::open(self.keys.clone(), snapshot, entropy, now);
        self.engine = Some(engine.unwrap_or_else(|error| fail(error)));
    }

    /// The program dies; what it had not written is gone.
    pub fn kill(&mut self) {
        self.engine = None;
        self.session = None;
        self.life += 1;
    }

    /// Its disk loses what it had of a room's group.
    pub fn forget_group(&mut self, room: &RoomId) {
        self.rows.retain(|(table, key), _| *table != Table::Mls || !key.starts_with(room.as_bytes()));
    }

    /// The timeline as it is stored: every item of every room.
    #[must_use]
    pub fn stored_items(&self) -> Vec<record::MessageRow> {
        let of_table = self.rows.iter().filter(|((table, _), _)| *table == Table::Message);
        let parse = |value: &Bytes| {
            record::MessageRow::parse(value).unwrap_or_else(|error| panic!("a stored row: {error}"))
        };
        of_table.map(|(_, value)| parse(value)).collect()
    }

    /// The stored items of one room, ascending by seq.
    #[must_use]
    pub fn stored_room(&self, room: &RoomId) -> Vec<record::MessageRow> {
        let mut items = self.stored_items();
        items.retain(|item| item.room.as_ref() == room.as_bytes());
        items
    }

    /// What it still wants to do or has failed to do, as stored.
    #[must_use]
    pub fn stored_intents(&self) -> Vec<record::IntentRow> {
        use prost::Message as _;
        let of_table = self.rows.iter().filter(|((table, _), _)| *table == Table::Intent);
        let parse = |value: &Bytes| {
            record::IntentRow::decode(value.as_ref()).unwrap_or_else(|error| panic!("a stored row: {error}"))
        };
        of_table.map(|(_, value)| parse(value)).collect()
    }
}
