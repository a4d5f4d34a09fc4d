//! The rows of one group in memory, and which of them changed. OpenMLS writes many small values and
//! has no transactions; here they collect until the caller stores them all at once.

mod openmls;
mod split;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use serde::{Serialize, de::DeserializeOwned};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{RowChange, Rows};

/// A row could not be encoded or decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored row is damaged")]
pub(crate) struct Damaged;

/// Rows with a note of the changed ones. Values are MessagePack (structures as arrays, bytes as
/// bytes) and are wiped when they are replaced or dropped.
#[derive(Default)]
pub(crate) struct Store {
    inner: RefCell<Inner>,
    /// The running operation changes message secrets of no epoch but the current one.
    pub(crate) current_epoch_only: Cell<bool>,
}

#[derive(Default)]
struct Inner {
    rows: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
    changed: BTreeSet<Vec<u8>>,
}

impl Store {
    /// A store that holds these rows, none of them changed.
    pub(crate) fn load(rows: Rows) -> Self {
        Self { inner: RefCell::new(Inner { rows, changed: BTreeSet::new() }), ..Self::default() }
    }

    /// The changed rows, ascending by key; none is changed afterwards.
    pub(crate) fn take_changes(&self) -> Vec<RowChange> {
        let mut inner = self.inner.borrow_mut();
        let changed = std::mem::take(&mut inner.changed);
        changed
            .into_iter()
            .map(|key| {
                let value = inner.rows.get(&key).cloned();
                (key, value)
            })
            .collect()
    }

    /// All rows.
    pub(crate) fn rows(&self) -> Rows {
        self.inner.borrow().rows.clone()
    }

    /// Deletes all rows.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner.borrow_mut();
        let rows = std::mem::take(&mut inner.rows);
        inner.changed.extend(rows.into_keys());
    }

    /// Deletes the rows whose keys begin with `label`, as if they had never been there.
    pub(crate) fn forget(&self, label: u8) {
        let mut inner = self.inner.borrow_mut();
        inner.rows.retain(|key, _| key.first() != Some(&label));
        inner.changed.retain(|key| key.first() != Some(&label));
    }

    /// The values of the rows whose keys begin with `label`, ascending by key.
    pub(crate) fn all<T: DeserializeOwned>(&self, label: u8) -> Result<Vec<T>, Damaged> {
        let inner = self.inner.borrow();
        let rows = inner.rows.iter().filter(|(key, _)| key.first() == Some(&label));
        rows.map(|(_, value)| rmp_serde::from_slice(value).map_err(|_| Damaged)).collect()
    }

    pub(crate) fn put<T: Serialize + ?Sized>(&self, key: Vec<u8>, value: &T) -> Result<(), Damaged> {
        let room = self.inner.borrow().rows.get(&key).map_or(64, |old| old.len() + 64);
        let mut new = Zeroizing::new(Vec::with_capacity(room));
        rmp_serde::encode::write(&mut *new, value).map_err(|_| Damaged)?;
        self.put_encoded(key, new);
        Ok(())
    }

    fn put_encoded(&self, key: Vec<u8>, new: Zeroizing<Vec<u8>>) {
        let mut inner = self.inner.borrow_mut();
        let Inner { rows, changed } = &mut *inner;
        match rows.get_mut(&key) {
            Some(old) if **old == *new => return,
            Some(old) => *old = new,
            None => {
                rows.insert(key.clone(), new);
            }
        }
        changed.insert(key);
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Damaged> {
        let inner = self.inner.borrow();
        inner.rows.get(key).map(|value| rmp_serde::from_slice(value).map_err(|_| Damaged)).transpose()
    }

    pub(crate) fn delete(&self, key: &[u8]) {
        let mut inner = self.inner.borrow_mut();
        if let Some(mut value) = inner.rows.remove(key) {
            value.zeroize();
            inner.changed.insert(key.to_vec());
        }
    }
}

/// The first byte of every key: what the row holds. Numbers are stored and never given anew.
pub(crate) mod row {
    pub(crate) const JOIN_CONFIG: u8 = 1;
    pub(crate) const OWN_LEAF_NODES: u8 = 2;
    pub(crate) const GROUP_STATE: u8 = 3;
    pub(crate) const QUEUED_PROPOSAL: u8 = 4;
    pub(crate) const PROPOSAL_REFS: u8 = 5;
    pub(crate) const OWN_LEAF_INDEX: u8 = 6;
    pub(crate) const EPOCH_SECRETS: u8 = 7;
    pub(crate) const RESUMPTION_PSK: u8 = 8;
    pub(crate) const MESSAGE_SECRETS: u8 = 9;
    pub(crate) const TREE: u8 = 10;
    pub(crate) const CONTEXT: u8 = 11;
    pub(crate) const INTERIM_HASH: u8 = 12;
    pub(crate) const CONFIRMATION_TAG: u8 = 13;
    pub(crate) const KEY_PACKAGE: u8 = 14;
    pub(crate) const PSK: u8 = 15;
    pub(crate) const ENCRYPTION_KEY: u8 = 16;
    pub(crate) const EPOCH_KEYS: u8 = 17;
    pub(crate) const SIGNATURE_KEY: u8 = 18;
    /// Comity's own: the hash of the external commit that this device waits for.
    pub(crate) const REJOIN: u8 = 19;
    /// Comity's own, of the hub: the message by which the leaf with this index (4 bytes) leaves.
    pub(crate) const DEPARTURE: u8 = 20;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(changes: &[RowChange], key: &[u8]) -> Option<Option<Vec<u8>>> {
        let found = changes.iter().find(|(changed, _)| changed == key);
        found.map(|(_, value)| value.as_ref().map(|value| value.to_vec()))
    }

    #[test]
    fn only_what_differs_is_a_change_and_it_is_taken_once() {
        let store = Store::default();
        store.put(vec![1], "one").unwrap();
        store.put(vec![2], "two").unwrap();
        let first = store.take_changes();
        assert_eq!(first.len(), 2);
        assert!(value(&first, &[1]).flatten().is_some());
        assert_eq!(store.take_changes(), vec![]);
        store.put(vec![1], "one").unwrap();
        assert_eq!(store.take_changes(), vec![]);
        store.put(vec![1], "other").unwrap();
        store.delete(&[2]);
        store.delete(&[3]);
        let second = store.take_changes();
        assert_eq!(second.len(), 2);
        assert_eq!(value(&second, &[2]), Some(None));
        assert_eq!(store.get::<String>(&[1]), Ok(Some("other".into())));
        assert_eq!(store.get::<u64>(&[1]), Err(Damaged));
    }

    #[test]
    fn rows_that_were_loaded_are_not_changes_and_clearing_them_is() {
        let store = Store::default();
        store.put(vec![1], "one").unwrap();
        store.put(vec![2], "two").unwrap();
        let again = Store::load(store.rows());
        assert_eq!(again.take_changes(), vec![]);
        again.forget(2);
        assert_eq!(again.take_changes(), vec![]);
        again.clear();
        assert_eq!(again.take_changes(), vec![(vec![1], None)]);
    }
}
