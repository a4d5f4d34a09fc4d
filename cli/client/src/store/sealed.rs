//! How rows stand in the database: keys hashed, values sealed and bound to their table, key and
//! columns, and a sum over the rows of all tables but that of the messages, so that a row that was
//! altered, moved, deleted or put back to what it was is noticed.
//!
//! In the clear remain: how many rows a table has and how long they are; of messages the seq, which
//! of them are of one room, concern one other message, and count as unread.

use std::collections::BTreeMap;

use engine::{
    Record, Table,
    record::{ItemKind, MessageRow},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use wire::RoomId;
use zeroize::Zeroizing;

use crate::seal::{NONCE_BYTES, SealedDir, Sealer, nonce};

/// A hashed key.
pub(super) type Hashed = [u8; 16];
/// What a row adds to the sum.
type Share = [u8; 32];

/// The row of the sum.
pub(super) const SUM: &str = "sum";

/// The keys of the rows, and what the rows are.
pub(super) struct Rows {
    tables: BTreeMap<Table, TableKeys>,
    sum_sealer: Sealer,
    sum_mac: Hmac<Sha256>,
    shares: BTreeMap<(Table, Hashed), Share>,
    sum: Share,
}

struct TableKeys {
    sealer: Sealer,
    mac: Hmac<Sha256>,
}

/// A row as it is written.
#[derive(Debug)]
pub(super) struct SealedRow {
    pub(super) table: Table,
    pub(super) key: Vec<u8>,
    /// `None` deletes it.
    pub(super) value: Option<Vec<u8>>,
    /// Messages: the hashed id of the message that it concerns.
    pub(super) target: Option<Vec<u8>>,
    /// Messages: counts as unread until it is read.
    pub(super) counts: bool,
}

/// What is written in one transaction, and what holds once it is.
pub(super) struct Change {
    /// The rows, by table.
    pub(super) rows: Vec<SealedRow>,
    /// The sealed sum.
    pub(super) sum: Vec<u8>,
    shares: Vec<((Table, Hashed), Option<Share>)>,
    new_sum: Share,
}

impl std::fmt::Debug for Rows {
    /// Never shows a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({})", self.shares.len())
    }
}

impl Rows {
    /// With the keys of a directory; of a store in which no row is.
    pub(super) fn new(dir: &SealedDir) -> Self {
        let keys = |table: Table| TableKeys {
            sealer: dir.key(&format!("row/{}", table.name())).sealer(),
            mac: dir.key(&format!("index/{}", table.name())).mac(),
        };
        Self {
            tables: Table::ALL.into_iter().map(|table| (table, keys(table))).collect(),
            sum_sealer: dir.key("sum").sealer(),
            sum_mac: dir.key("sum/row").mac(),
            shares: BTreeMap::new(),
            sum: [0; 32],
        }
    }

    /// Seals what is to be written; `None` if a row is larger than any may be.
    pub(super) fn seal(&self, records: Vec<Record>) -> Option<Change> {
        let mut change = Change {
            rows: Vec::with_capacity(records.len()),
            sum: Vec::new(),
            shares: Vec::new(),
            new_sum: self.sum,
        };
        for Record { table, key, value } in records {
            let row = self.row(table, &key, value.as_deref())?;
            if table != Table::Message {
                let hashed: Hashed = row.key.as_slice().try_into().ok()?;
                let share = row.value.as_deref().map(|value| self.share(table, &hashed, value));
                let old = self.shares.get(&(table, hashed)).copied();
                for gone_or_new in [old, share].into_iter().flatten() {
                    add(&mut change.new_sum, &gone_or_new);
                }
                change.shares.push(((table, hashed), share));
            }
            change.rows.push(row);
        }
        change.sum = self.seal_sum(&change.new_sum)?;
        Some(change)
    }

    /// The change is on disk.
    pub(super) fn apply(&mut self, change: Change) {
        for (row, share) in change.shares {
            match share {
                Some(share) => self.shares.insert(row, share),
                None => self.shares.remove(&row),
            };
        }
        self.sum = change.new_sum;
    }

    /// The sum of a store in which no row is.
    pub(super) fn seal_nothing(&self) -> Option<Vec<u8>> {
        self.seal_sum(&[0; 32])
    }

    /// Takes in a row of any table but that of the messages as it stands in the store: its key and
    /// its value. `None` if it is not what was written there.
    pub(super) fn learn(
        &mut self,
        table: Table,
        hashed: &[u8],
        sealed: &[u8],
    ) -> Option<(Zeroizing<Vec<u8>>, usize)> {
        let opened = self.open(table, hashed, sealed)?;
        let hashed: Hashed = hashed.try_into().ok()?;
        let share = self.share(table, &hashed, sealed);
        add(&mut self.sum, &share);
        self.shares.insert((table, hashed), share);
        Some(opened)
    }

    /// Whether all rows that were learnt are all that were written last.
    pub(super) fn are_all(&self, sealed_sum: &[u8]) -> bool {
        self.sum_sealer.open(SUM.as_bytes(), sealed_sum).is_some_and(|sum| sum.as_slice() == self.sum)
    }

    /// A row that was learnt or written since: its text, and where the value begins in it behind
    /// the key.
    pub(super) fn reopen(
        &self,
        table: Table,
        hashed: &[u8],
        sealed: &[u8],
    ) -> Option<(Zeroizing<Vec<u8>>, usize)> {
        let opened = self.open(table, hashed, sealed)?;
        let hashed: Hashed = hashed.try_into().ok()?;
        let known = self.shares.get(&(table, hashed))? == &self.share(table, &hashed, sealed);
        known.then_some(opened)
    }

    /// A message.
    pub(super) fn message(
        &self,
        key: &[u8],
        sealed: &[u8],
        target: Option<&[u8]>,
        counts: bool,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let keys = self.tables.get(&Table::Message)?;
        keys.sealer.open(&bound_message(key, target, counts), sealed)
    }

    /// The key of the message at this place; keys of one room are in the order of their seqs.
    pub(super) fn message_key(&self, room: &RoomId, seq: u64) -> Vec<u8> {
        let room = self.hash(Table::Message, b"room", room.as_bytes());
        [room.as_slice(), &seq.to_be_bytes()].concat()
    }

    /// What stands for the id of a message that others concern.
    pub(super) fn target(&self, message: &[u8]) -> Vec<u8> {
        self.hash(Table::Message, b"target", message).to_vec()
    }

    fn row(&self, table: Table, key: &[u8], value: Option<&[u8]>) -> Option<SealedRow> {
        if table == Table::Message {
            return self.message_row(key, value);
        }
        let hashed = self.hash(table, b"key", key);
        let Some(value) = value else {
            return Some(SealedRow { table, key: hashed.to_vec(), value: None, target: None, counts: false });
        };
        let length = u16::try_from(key.len()).ok()?.to_be_bytes();
        let sealer = &self.tables.get(&table)?.sealer;
        let sealed = sealer.seal(nonce(), &hashed, &[&length, key, value])?;
        Some(SealedRow { table, key: hashed.to_vec(), value: Some(sealed), target: None, counts: false })
    }

    fn message_row(&self, key: &[u8], value: Option<&[u8]>) -> Option<SealedRow> {
        let (room, seq) = key.split_at_checked(RoomId::BYTES)?;
        let key = self.message_key(&room.try_into().ok()?, u64::from_be_bytes(seq.try_into().ok()?));
        let table = Table::Message;
        let Some(value) = value else {
            return Some(SealedRow { table, key, value: None, target: None, counts: false });
        };
        let (target, counts) = message_columns(value);
        let target = target.map(|target| self.target(&target));
        let bound = bound_message(&key, target.as_deref(), counts);
        let sealed = self.tables.get(&table)?.sealer.seal(nonce(), &bound, &[value])?;
        Some(SealedRow { table, key, value: Some(sealed), target, counts })
    }

    fn open(&self, table: Table, hashed: &[u8], sealed: &[u8]) -> Option<(Zeroizing<Vec<u8>>, usize)> {
        let text = self.tables.get(&table)?.sealer.open(hashed, sealed)?;
        let length = text.first_chunk::<2>().map(|length| usize::from(u16::from_be_bytes(*length)))?;
        (text.len() >= 2 + length).then_some((text, 2 + length))
    }

    fn seal_sum(&self, sum: &Share) -> Option<Vec<u8>> {
        self.sum_sealer.seal(nonce(), SUM.as_bytes(), &[sum])
    }

    fn hash(&self, table: Table, what: &[u8], key: &[u8]) -> Hashed {
        let mut hashed = Hashed::default();
        if let Some(keys) = self.tables.get(&table) {
            let mut mac = keys.mac.clone();
            mac.update(what);
            mac.update(key);
            hashed.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        }
        hashed
    }

    /// The nonce tells one version of a row from another; what is sealed under it is bound by the tag.
    fn share(&self, table: Table, hashed: &Hashed, sealed: &[u8]) -> Share {
        let mut mac = self.sum_mac.clone();
        mac.update(table.name().as_bytes());
        mac.update(hashed);
        mac.update(sealed.get(..NONCE_BYTES).unwrap_or_default());
        mac.finalize().into_bytes().into()
    }
}

fn add(sum: &mut Share, share: &Share) {
    sum.iter_mut().zip(share).for_each(|(to, from)| *to ^= from);
}

fn bound_message(key: &[u8], target: Option<&[u8]>, counts: bool) -> Vec<u8> {
    [key, &[u8::from(counts), u8::from(target.is_some())], target.unwrap_or_default()].concat()
}

/// The message that an edit, a deletion or a reaction concerns, and whether the row counts as
/// unread.
fn message_columns(value: &[u8]) -> (Option<Vec<u8>>, bool) {
    let Ok(row) = MessageRow::parse(value) else { return (None, false) };
    let concerns = matches!(row.kind(), ItemKind::Edit | ItemKind::Delete | ItemKind::Reaction);
    (concerns.then(|| row.target.to_vec()), row.counts())
}
