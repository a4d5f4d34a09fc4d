//! The key packages of this device: made before they run out, stored before they are uploaded,
//! deleted with the transaction that uses them.

use std::collections::BTreeMap;

use bytes::Bytes;
use machine::{Entropy, Timestamp};
use wire::{
    ErrorCode, limits,
    proto::{KeyPackageUpload, SessionReady, UploadKeyPackages, client_request::Request},
};
use zeroize::Zeroizing;

use crate::{Engine, record::KeyPackageRow, request::Purpose, stage::Stage};

/// A package that expired is kept this long for a Welcome that was under way, in seconds.
const KEPT_AFTER_S: u64 = limits::OUTBOX_MAX_AGE_S;
/// The most one-time packages whose secrets are kept, whatever the node says it has left.
const ONE_TIME_KEPT_MAX: usize = 2 * limits::KEY_PACKAGES_PER_DEVICE_MAX;
/// The most last-resort packages whose secrets are kept: the newest, and some that were replaced.
const LAST_RESORT_KEPT_MAX: usize = 4;
/// A last-resort package is replaced when it is valid for less than this.
const LAST_RESORT_LEFT_S: u64 = limits::KEY_PACKAGE_VALID_S / 3;

/// The key packages of this device.
#[derive(Default)]
pub(crate) struct Packages {
    rows: BTreeMap<Bytes, KeyPackageRow>,
    /// How many one-time packages the node is thought to have left.
    left: usize,
}

impl Packages {
    /// Those that were stored.
    pub(crate) fn load(rows: Vec<KeyPackageRow>) -> Self {
        let rows = rows.into_iter().map(|row| (row.hash.clone(), row)).collect();
        Self { rows, left: limits::KEY_PACKAGES_TARGET }
    }

    /// The package that a Welcome is for, and its secret rows.
    ///
    /// # Errors
    /// `NotFound` if it is for none of this device; as `mls::welcome_targets`.
    pub(crate) fn for_welcome(&self, welcome: &[u8]) -> Result<(Bytes, mls::Rows), ErrorCode> {
        let targets = mls::welcome_targets(welcome)?;
        let row = targets.iter().find_map(|hash| self.rows.get(hash.as_slice()));
        let row = row.ok_or(ErrorCode::NotFound)?;
        let keys = row.row_keys.iter().map(|key| key.to_vec());
        let values = row.row_values.iter().map(|value| Zeroizing::new(value.to_vec()));
        Ok((row.hash.clone(), keys.zip(values).collect()))
    }

    /// A package was used: its secrets go at once, those of a last resort when nothing can be under
    /// way to it any more.
    pub(crate) fn used(&mut self, hash: &Bytes, now: Timestamp, stage: &mut Stage) {
        let Some(mut row) = self.rows.remove(hash) else { return };
        if row.last_resort {
            row.not_after = row.not_after.min(now.as_s());
            stage.put(&row);
            self.rows.insert(hash.clone(), row);
        } else {
            stage.gone(&row);
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Whether there is a last resort that was not used and will last.
    fn has_last_resort(&self, now: Timestamp) -> bool {
        let soon = now.as_s() + LAST_RESORT_LEFT_S;
        self.rows.values().any(|row| row.last_resort && row.not_after > soon)
    }

    /// Forgets the oldest packages of a kind beyond the newest `most`.
    fn keep_newest(&mut self, last_resort: bool, most: usize, stage: &mut Stage) {
        let kind = self.rows.values().filter(|row| row.last_resort == last_resort);
        let mut kept: Vec<(u64, Bytes)> = kind.map(|row| (row.not_after, row.hash.clone())).collect();
        kept.sort_unstable();
        let over = kept.len().saturating_sub(most);
        for (_, hash) in kept.into_iter().take(over) {
            if let Some(row) = self.rows.remove(&hash) {
                stage.gone(&row);
            }
        }
    }
}

impl<E: Entropy> Engine<E> {
    /// Sees to it that the node has enough packages, by what it says at the beginning of a session.
    pub(crate) fn refill(&mut self, ready: &SessionReady) {
        self.forget_expired();
        self.packages.left = usize::try_from(ready.key_packages).unwrap_or(usize::MAX);
        let last_resort = ready.last_resort && self.packages.has_last_resort(self.now);
        let waiting: Vec<KeyPackageRow> =
            self.packages.rows.values().filter(|row| !row.uploaded).cloned().collect();
        let one_time = waiting.iter().filter(|row| !row.last_resort).count();
        let has_last = last_resort || waiting.iter().any(|row| row.last_resort);
        self.packages.left = self.packages.left.saturating_add(one_time);
        self.upload(&waiting);
        self.make_packages(!has_last);
    }

    /// Makes more packages if few are left, and another last resort if the one before was used.
    pub(crate) fn refill_if_low(&mut self) {
        if self.session.is_some() {
            self.make_packages(!self.packages.has_last_resort(self.now));
        }
    }

    fn make_packages(&mut self, last_resort: bool) {
        let low = self.packages.left < limits::KEY_PACKAGES_REFILL_BELOW;
        let count = if low { limits::KEY_PACKAGES_TARGET - self.packages.left } else { 0 };
        if count == 0 && !last_resort {
            return;
        }
        let made = mls::make_key_packages(&self.keys, self.now, count, last_resort, &mut self.entropy);
        let made = match made {
            Ok(made) => made,
            Err(error) => return self.passed(error),
        };
        let not_after = self.now.as_s() + limits::KEY_PACKAGE_VALID_S;
        let rows: Vec<KeyPackageRow> = made
            .into_iter()
            .map(|package| KeyPackageRow {
                hash: Bytes::copy_from_slice(&package.hash),
                package: package.bytes,
                last_resort: package.last_resort,
                not_after,
                uploaded: false,
                row_keys: package.rows.keys().map(|key| Bytes::copy_from_slice(key)).collect(),
                // They are wiped when the last copy of the row goes.
                row_values: package.rows.into_values().map(Bytes::from_owner).collect(),
            })
            .collect();
        for row in &rows {
            self.stage.put(row);
            self.packages.rows.insert(row.hash.clone(), row.clone());
        }
        self.packages.left += count;
        self.packages.keep_newest(false, ONE_TIME_KEPT_MAX, &mut self.stage);
        self.packages.keep_newest(true, LAST_RESORT_KEPT_MAX, &mut self.stage);
        self.upload(&rows);
    }

    fn upload(&mut self, rows: &[KeyPackageRow]) {
        if rows.is_empty() {
            return;
        }
        let packages = rows
            .iter()
            .map(|row| KeyPackageUpload { key_package: row.package.clone(), last_resort: row.last_resort })
            .collect();
        let hashes = rows.iter().map(|row| row.hash.clone()).collect();
        let request = Request::UploadKeyPackages(UploadKeyPackages { packages });
        self.request(Purpose::Upload(hashes), request);
    }

    /// The node has these.
    pub(crate) fn uploaded(&mut self, hashes: &[Bytes]) {
        for hash in hashes {
            if let Some(row) = self.packages.rows.get_mut(hash) {
                row.uploaded = true;
                row.package = Bytes::new();
                self.stage.put(row);
            }
        }
    }

    fn forget_expired(&mut self) {
        let now_s = self.now.as_s();
        let expired: Vec<Bytes> = self
            .packages
            .rows
            .values()
            .filter(|row| row.not_after.saturating_add(KEPT_AFTER_S) < now_s)
            .map(|row| row.hash.clone())
            .collect();
        for hash in expired {
            if let Some(row) = self.packages.rows.remove(&hash) {
                self.stage.gone(&row);
            }
        }
    }
}
