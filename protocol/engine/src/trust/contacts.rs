//! The account keys that were seen: the first one is trusted, another one only by the user's word.

use std::collections::BTreeMap;

use bytes::Bytes;
use identity::{AccountBinding, AccountView};
use machine::Timestamp;
use wire::{Account, DeviceId, ErrorCode, PublicKey, proto};

use crate::record::ContactRow;

/// What is known about accounts.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    known: BTreeMap<Account, ContactRow>,
}

impl Contacts {
    /// Those that were stored.
    pub(crate) fn load(rows: BTreeMap<String, ContactRow>) -> Result<Self, ErrorCode> {
        let known = rows
            .into_values()
            .map(|row| Ok((row.account.parse()?, row)))
            .collect::<Result<_, ErrorCode>>()?;
        Ok(Self { known })
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
        let row = self.known.entry(view.account.clone()).or_insert_with(|| ContactRow {
            account: view.account.to_string(),
            key: Bytes::copy_from_slice(view.account_key.as_bytes()),
            ..ContactRow::default()
        });
        let key = view.account_key.as_bytes().as_slice();
        if row.key != key {
            row.other_key = Bytes::copy_from_slice(key);
            return Err(ErrorCode::KeyUnverified);
        }
        if let Some(known) = known_view(view, row) {
            view.follows(&known)?;
        }
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

fn known_view(view: &AccountView, row: &ContactRow) -> Option<AccountView> {
    Some(AccountView {
        account: view.account.clone(),
        account_key: view.account_key,
        mode: view.mode,
        binding_seq: row.binding_seq,
        binding_hash: row.binding_hash.as_ref().try_into().ok()?,
        list_seq: row.list_seq,
        list_hash: row.list_hash.as_ref().try_into().ok()?,
        devices: Vec::new(),
    })
}
