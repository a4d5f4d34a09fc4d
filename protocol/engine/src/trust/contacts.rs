//! The account keys that were seen: the first one is trusted, another one only by the user's word.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use identity::{AccountBinding, AccountView};
use machine::Timestamp;
use wire::{Account, DeviceId, ErrorCode, PublicKey, proto};

use crate::record::{ContactRow, Record, Row as _};

/// Accounts that a user may block.
const BLOCKED_MAX: usize = 10_000;

/// What is known about accounts.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    known: BTreeMap<Account, ContactRow>,
    /// Of whom the user wants to hear nothing, known or not.
    blocked: BTreeSet<Account>,
}

impl Contacts {
    /// Those that were stored.
    pub(crate) fn load(rows: BTreeMap<String, ContactRow>) -> Result<Self, ErrorCode> {
        let mut contacts = Self::default();
        for row in rows.into_values() {
            let account: Account = row.account.parse()?;
            if row.blocked {
                contacts.blocked.insert(account.clone());
            }
            if !row.key.is_empty() {
                contacts.known.insert(account, row);
            }
        }
        Ok(contacts)
    }

    /// Whether the user wants to hear nothing of an account.
    pub(crate) fn is_blocked(&self, account: &Account) -> bool {
        self.blocked.contains(account)
    }

    /// All of whom the user wants to hear nothing.
    pub(crate) fn blocked(&self) -> impl Iterator<Item = &Account> {
        self.blocked.iter()
    }

    /// The user wants to hear nothing of an account, or takes that back. Gives the change to store.
    ///
    /// # Errors
    /// `Quota` if too many are blocked.
    pub(crate) fn block(&mut self, account: &Account, blocked: bool) -> Result<Record, ErrorCode> {
        if blocked && self.blocked.len() >= BLOCKED_MAX && !self.blocked.contains(account) {
            return Err(ErrorCode::Quota);
        }
        if blocked {
            self.blocked.insert(account.clone());
        } else {
            self.blocked.remove(account);
        }
        Ok(match self.known.get_mut(account) {
            Some(row) => {
                row.blocked = blocked;
                row.put()
            }
            None => {
                let row = ContactRow { account: account.to_string(), blocked, ..ContactRow::default() };
                if blocked { row.put() } else { row.gone() }
            }
        })
    }

    /// What is known about an account.
    pub(crate) fn get(&self, account: &Account) -> Option<&ContactRow> {
        self.known.get(account)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ContactRow> {
        self.known.values()
    }

    /// A leaf shows this binding, whose signatures hold. Gives the row to store if it is news.
    ///
    /// # Errors
    /// `KeyUnverified` if another account key is trusted; the row remembers the one that was shown.
    pub(crate) fn see(&mut self, binding: &AccountBinding) -> Result<Option<&ContactRow>, ErrorCode> {
        let key = binding.account_key().as_bytes().as_slice();
        match self.known.get_mut(binding.account()) {
            Some(row) if row.key == key => Ok(None),
            Some(row) => {
                row.other_key = Bytes::copy_from_slice(key);
                Err(ErrorCode::KeyUnverified)
            }
            None => {
                let row = ContactRow {
                    account: binding.account().to_string(),
                    key: Bytes::copy_from_slice(key),
                    mode: binding.mode().into(),
                    binding_seq: binding.seq(),
                    binding_hash: Bytes::copy_from_slice(&binding.hash()),
                    blocked: self.blocked.contains(binding.account()),
                    ..ContactRow::default()
                };
                Ok(Some(self.known.entry(binding.account().clone()).or_insert(row)))
            }
        }
    }

    /// The account's domain states this, and it was checked as a whole.
    ///
    /// # Errors
    /// As `AccountView::follows`: `KeyUnverified`, `Superseded`, `ForkedLog`.
    pub(crate) fn learn(&mut self, now: Timestamp, view: &AccountView) -> Result<&ContactRow, ErrorCode> {
        let blocked = self.blocked.contains(&view.account);
        let row = self.known.entry(view.account.clone()).or_insert_with(|| ContactRow {
            account: view.account.to_string(),
            blocked,
            key: Bytes::copy_from_slice(view.account_key.as_bytes()),
            ..ContactRow::default()
        });
        let key = view.account_key.as_bytes().as_slice();
        if row.key != key {
            row.other_key = Bytes::copy_from_slice(key);
            return Err(ErrorCode::KeyUnverified);
        }
        view.follows(&known_view(view, row))?;
        row.mode = view.mode.into();
        row.binding_seq = view.binding_seq;
        row.binding_hash = Bytes::copy_from_slice(&view.binding_hash);
        row.list_seq = view.list_seq;
        row.list_hash = Bytes::copy_from_slice(&view.list_hash);
        row.devices = view
            .devices
            .iter()
            .map(|(device, key)| proto::ListedDevice {
                device_id: device.to_bytes(),
                signature_key: Bytes::copy_from_slice(key.as_bytes()),
                added: 0,
            })
            .collect();
        row.fetched_ms = now.as_ms();
        Ok(row)
    }

    /// The user has compared this key: it is trusted from now on.
    ///
    /// # Errors
    /// `NotFound` if this key was never seen for the account.
    pub(crate) fn trust(&mut self, account: &Account, key: &PublicKey) -> Result<&ContactRow, ErrorCode> {
        let row = self.known.get_mut(account).ok_or(ErrorCode::NotFound)?;
        let key = key.as_bytes().as_slice();
        if row.key != key {
            if row.other_key != key {
                return Err(ErrorCode::NotFound);
            }
            *row = ContactRow {
                account: account.to_string(),
                key: std::mem::take(&mut row.other_key),
                blocked: row.blocked,
                ..ContactRow::default()
            };
        }
        row.verified = true;
        Ok(row)
    }
}

/// Whether a list that was fetched holds this device with this key.
pub(crate) fn lists(row: &ContactRow, device: DeviceId, key: &PublicKey) -> bool {
    row.devices.iter().any(|listed| {
        listed.device_id == device.as_bytes().as_slice() && listed.signature_key == key.as_bytes().as_slice()
    })
}

/// What is known, completed by what is stated: of an account that was met in a room only the binding
/// in its leaf is known, and no list.
fn known_view(view: &AccountView, row: &ContactRow) -> AccountView {
    let mut known = AccountView { devices: Vec::new(), ..view.clone() };
    if let Ok(hash) = row.binding_hash.as_ref().try_into() {
        (known.binding_seq, known.binding_hash) = (row.binding_seq, hash);
    }
    if let Ok(hash) = row.list_hash.as_ref().try_into() {
        (known.list_seq, known.list_hash) = (row.list_seq, hash);
    }
    known
}

#[cfg(test)]
mod tests {
    use wire::SecretKey;

    use super::*;

    fn view(binding_seq: u64, binding: u8, list_seq: u64, list: u8) -> AccountView {
        AccountView {
            account: "bob@umbrella.test".parse().unwrap(),
            account_key: SecretKey::from_seed(&zeroize::Zeroizing::new([1; 32])).public(),
            mode: proto::AccountMode::UserHeld,
            binding_seq,
            binding_hash: [binding; 32],
            list_seq,
            list_hash: [list; 32],
            devices: Vec::new(),
        }
    }

    /// Contacts who know the second binding, and a list if `list_seq` is not 0.
    fn known(list_seq: u64) -> Contacts {
        let first = view(2, 2, list_seq, 2);
        let mut contacts = Contacts::default();
        contacts.learn(Timestamp::from_ms(1), &first).unwrap();
        if list_seq == 0 {
            contacts.known.get_mut(&first.account).unwrap().list_hash.clear();
        }
        contacts
    }

    #[test]
    fn who_is_blocked_stays_so_whatever_is_learned_of_the_account_and_over_a_restart() {
        let seen = view(1, 1, 1, 1);
        let account = seen.account.clone();
        let mut contacts = Contacts::default();
        let mut rows = BTreeMap::new();
        crate::record::apply(&mut rows, vec![contacts.block(&account, true).unwrap()]);
        let loaded = |rows: &BTreeMap<_, _>| {
            Contacts::load(crate::Snapshot::from_rows(rows).unwrap().contacts).unwrap()
        };
        assert!(loaded(&rows).is_blocked(&account) && loaded(&rows).get(&account).is_none());
        let learned = contacts.learn(Timestamp::from_ms(1), &seen).unwrap().put();
        crate::record::apply(&mut rows, vec![learned]);
        assert!(loaded(&rows).is_blocked(&account) && loaded(&rows).get(&account).is_some());
        let trusted = contacts.trust(&account, &seen.account_key).unwrap().put();
        crate::record::apply(&mut rows, vec![trusted]);
        assert!(loaded(&rows).is_blocked(&account));
        crate::record::apply(&mut rows, vec![contacts.block(&account, false).unwrap()]);
        assert!(!loaded(&rows).is_blocked(&account) && loaded(&rows).get(&account).is_some());
    }

    // [ID-15]
    #[test]
    fn a_binding_does_not_go_back_whether_or_not_a_list_is_known() {
        for list in [0, 2] {
            let learn = |view| known(list).learn(Timestamp::from_ms(2), &view).map(|_| ());
            assert_eq!(learn(view(1, 1, 3, 3)), Err(ErrorCode::Superseded));
            assert_eq!(learn(view(2, 3, 3, 3)), Err(ErrorCode::ForkedLog));
            assert_eq!(learn(view(2, 2, 3, 3)), Ok(()));
            assert_eq!(learn(view(3, 3, 3, 3)), Ok(()));
        }
        let learn = |list, view| known(list).learn(Timestamp::from_ms(2), &view).map(|_| ());
        assert_eq!(learn(2, view(2, 2, 1, 1)), Err(ErrorCode::Superseded));
        assert_eq!(learn(2, view(2, 2, 2, 3)), Err(ErrorCode::ForkedLog));
        assert_eq!(learn(0, view(2, 2, 1, 1)), Ok(()));
    }
}
