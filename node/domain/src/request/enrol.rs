//! A device spends an invite code, or shows a password, to give an account its keys.

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
    Account, ErrorCode, WireError,
    proto::{AccountKeys, Enrol, client_response::Response, enrol::Proof},
};

use crate::{Core, SessionId, admin::may_act};

impl<S: Store, E: Entropy> Core<S, E> {
    /// Answers an enrolment; one with a password is answered when that was judged.
    pub(crate) fn enrol(&mut self, session: SessionId, number: u64, request: Enrol) {
        match self.enrolled((session, number), request) {
            Ok(Some(keys)) => self.respond(session, number, Ok(Response::Account(keys))),
            Ok(None) => {}
            Err(error) => self.respond(session, number, Err(error)),
        }
    }

    /// The keys with both signatures, or nothing yet.
    fn enrolled(
        &mut self,
        asker: (SessionId, u64),
        request: Enrol,
    ) -> Result<Option<AccountKeys>, WireError> {
        let account: Account = request.account.parse()?;
        let proposed = request.keys.ok_or(ErrorCode::Malformed)?;
        let proof = request.proof.ok_or(ErrorCode::Malformed)?;
        let row = self.store.account(&account).map_err(|error| error.code())?;
        let known = row.as_ref().and_then(|row| row.keys.as_ref());
        if let Some(keys) = known.and_then(|known| repeated(known, &proposed)) {
            return Ok(Some(keys));
        }
        match proof {
            Proof::Code(code) => {
                let row = self.invited(row.filter(|row| row.keys.is_none()), &code)?;
                Ok(Some(self.give_keys(row, &proposed)?))
            }
            Proof::Password(password) => {
                self.try_password(asker, account, proposed, &password)?;
                Ok(None)
            }
        }
    }

    /// [ID-17] Gives an account its keys, with the domain's signature: whoever proposed them has proved
    /// that it may.
    pub(crate) fn give_keys(
        &mut self,
        row: AccountRow,
        proposed: &AccountKeys,
    ) -> Result<AccountKeys, ErrorCode> {
        let account = row.account.clone();
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

    /// [SYNC-10] The code is compared by its hash in constant time and works once, for a time. Wrong
    /// codes are not counted: nobody guesses 128 bits, and a count would let anybody void an invitation.
    /// An account that does not exist and a wrong code look the same, and take as long.
    fn invited(&self, row: Option<AccountRow>, code: &Bytes) -> Result<AccountRow, ErrorCode> {
        let given: [u8; 32] = Sha256::digest(code).into();
        let expected = row.as_ref().and_then(|row| row.code_hash);
        let same = bool::from(given.ct_eq(&expected.unwrap_or_default()));
        let row = row.filter(|_| same && expected.is_some()).ok_or(ErrorCode::AuthFailed)?;
        may_act(&row)?;
        if row.code_expires_ms <= self.now.as_ms() {
            return Err(ErrorCode::Expired);
        }
        Ok(row)
    }
}

/// The answer to an enrolment whose first answer was lost.
pub(crate) fn repeated(known: &Bytes, proposed: &AccountKeys) -> Option<AccountKeys> {
    let keys = AccountKeys::decode(known.clone()).ok()?;
    let body = |keys: &AccountKeys| keys.binding.as_ref().map(|signed| signed.body.clone());
    let same =
        body(&keys).is_some() && body(&keys) == body(proposed) && keys.device_list == proposed.device_list;
    same.then_some(keys)
}
