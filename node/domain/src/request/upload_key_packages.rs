//! A device stores key packages with which others may add it to rooms.

use identity::check_leaf;
use machine::Entropy;
use sha2::{Digest as _, Sha256};
use store::{Store, Write, row::KeyPackageRow};
use wire::{
    Account, DeviceId, ErrorCode, limits,
    proto::{Done, KeyPackageUpload, UploadKeyPackages},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-14] All packages are stored, or none; at most one is of last resort. Each is a package of this very device; a new
    /// last-resort package takes the place of the one before.
    pub(crate) fn upload_key_packages(
        &mut self,
        (account, device): (&Account, DeviceId),
        request: &UploadKeyPackages,
    ) -> Result<Done, ErrorCode> {
        let (count, _) = self.store.key_package_count(account, &device).map_err(|error| error.code())?;
        let last_resorts = request.packages.iter().filter(|upload| upload.last_resort).count();
        let one_time = request.packages.len() - last_resorts;
        // Counting costs nothing, looking into a package does.
        if last_resorts > 1 {
            return Err(ErrorCode::Malformed);
        }
        if one_time.saturating_add(count as usize) > limits::KEY_PACKAGES_PER_DEVICE_MAX {
            return Err(ErrorCode::Quota);
        }
        let packages = request.packages.iter().map(|upload| self.check_package(account, device, upload));
        let rows = packages.collect::<Result<Vec<_>, _>>()?;
        let most = limits::KEY_PACKAGES_PER_DEVICE_MAX + 1;
        let stored = self.store.key_packages(account, &device, most).map_err(|error| error.code())?;
        let replaced = rows.iter().find(|row| row.last_resort).map(|row| row.hash);
        for row in stored.iter().filter(|row| row.last_resort && replaced.is_some_and(|new| new != row.hash))
        {
            self.drain.batch.push(Write::DropKeyPackage(account.clone(), device, row.hash));
        }
        self.drain.settle_first = true;
        for row in rows {
            self.drain.batch.push(Write::PutKeyPackage(row));
        }
        Ok(Done {})
    }

    fn check_package(
        &self,
        account: &Account,
        device: DeviceId,
        upload: &KeyPackageUpload,
    ) -> Result<KeyPackageRow, ErrorCode> {
        if upload.key_package.len() > limits::KEY_PACKAGE_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let info = mls::check_key_package(&upload.key_package, self.now)?;
        if info.last_resort != upload.last_resort {
            return Err(ErrorCode::Malformed);
        }
        let checked = check_leaf(&info.leaf.identity, &info.leaf.key, self.chain.newest(), self.now)?;
        if checked != (account.clone(), device) {
            return Err(ErrorCode::OriginMismatch);
        }
        Ok(KeyPackageRow {
            account: account.clone(),
            device,
            hash: Sha256::digest(&upload.key_package).into(),
            package: upload.key_package.clone(),
            last_resort: upload.last_resort,
            not_after_s: info.not_after_s,
            claimed: false,
        })
    }
}
