//! A device spends an invite code to give an account its keys.

use bytes::Bytes;
use machine::Entropy;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use store::{
    Store, Write,
    row::{AccountRow, DeviceRow},
};
use subtle::ConstantTimeEq as _;
use wire::{
    Account, ErrorCode, limits,
    proto::{AccountKeys, Enrol},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-10] The code is compared by its hash in constant time, works once, for a time, and for a
    /// few tries. An account that does not exist and a wrong code look the same.
    pub(crate) fn enrol(&mut self, request: &Enrol) -> Result<AccountKeys, ErrorCode> {
        let account: Account = request.account.parse()?;
        let proposed = request.keys.as_ref().ok_or(ErrorCode::Malformed)?;
        let row = self.store.account(&account).map_err(|error| error.code())?.ok_or(ErrorCode::AuthFailed)?;
        if let Some(keys) = &row.keys {
            return repeated(keys.clone(), proposed);
        }
        let row = self.spend_try(row, &request.code)?;
        let (binding, view) = identity::check_enrolment(proposed, self.now)?;
        if view.account != account || view.devices.is_empty() {
            return Err(ErrorCode::AuthFailed);
        }
        let signed = binding.countersign(&self.config.binding_key);
        let keys = AccountKeys { binding: Some(signed.signed().clone()), ..proposed.clone() };
        identity::check_account_keys(&keys, self.chain.newest(), self.now)?;
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutAccount(AccountRow {
            code_hash: None,
            keys: Some(keys.encode_to_vec().into()),
            ..row
        }));
        for (device, key) in view.devices {
            self.drain.batch.push(Write::PutDevice(DeviceRow {
                account: account.clone(),
                device,
                key,
                cursor: 0,
            }));
        }
        Ok(keys)
    }

    fn spend_try(&mut self, row: AccountRow, code: &Bytes) -> Result<AccountRow, ErrorCode> {
        let hash = row.code_hash.ok_or(ErrorCode::AuthFailed)?;
        if row.code_tries as usize >= limits::INVITE_CODE_TRIES_MAX {
            return Err(ErrorCode::AuthFailed);
        }
        let given: [u8; 32] = Sha256::digest(code).into();
        if !bool::from(given.ct_eq(&hash)) {
            self.drain.settle_first = true;
            let tried = AccountRow { code_tries: row.code_tries.saturating_add(1), ..row };
            self.drain.batch.push(Write::PutAccount(tried));
            return Err(ErrorCode::AuthFailed);
        }
        if row.code_expires_ms <= self.now.as_ms() {
            return Err(ErrorCode::Expired);
        }
        Ok(row)
    }
}

// The answer to an enrolment whose first answer was lost.
fn repeated(keys: Bytes, proposed: &AccountKeys) -> Result<AccountKeys, ErrorCode> {
    let keys = AccountKeys::decode(keys).map_err(|_| ErrorCode::Internal)?;
    let body = |keys: &AccountKeys| keys.binding.as_ref().map(|signed| signed.body.clone());
    let same =
        body(&keys).is_some() && body(&keys) == body(proposed) && keys.device_list == proposed.device_list;
    if same { Ok(keys) } else { Err(ErrorCode::AuthFailed) }
}
