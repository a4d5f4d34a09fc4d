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
    Account, ErrorCode,
    proto::{AccountKeys, Enrol},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-10] The code is compared by its hash in constant time and works once, for a time. Wrong
    /// codes are not counted: nobody guesses 128 bits, and a count would let anybody void an invitation.
    /// An account that does not exist and a wrong code look the same, and take as long.
    pub(crate) fn enrol(&mut self, request: &Enrol) -> Result<AccountKeys, ErrorCode> {
        let account: Account = request.account.parse()?;
        let proposed = request.keys.as_ref().ok_or(ErrorCode::Malformed)?;
        let row = self.store.account(&account).map_err(|error| error.code())?;
        if let Some(keys) = row.as_ref().and_then(|row| row.keys.as_ref()) {
            return repeated(keys.clone(), proposed);
        }
        let row = self.invited(row, &request.code)?;
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

    fn invited(&self, row: Option<AccountRow>, code: &Bytes) -> Result<AccountRow, ErrorCode> {
        let given: [u8; 32] = Sha256::digest(code).into();
        let expected = row.as_ref().and_then(|row| row.code_hash);
        let same = bool::from(given.ct_eq(&expected.unwrap_or_default()));
        let row = row.filter(|_| same && expected.is_some()).ok_or(ErrorCode::AuthFailed)?;
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
