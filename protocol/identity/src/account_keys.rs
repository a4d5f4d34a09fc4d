//! Everything that a domain states about one account, checked as a whole.

use machine::Timestamp;
use wire::proto::{AccountKeys, AccountMode};
use wire::{Account, DeviceId, ErrorCode, PublicKey, limits};

use crate::binding::AccountBinding;
use crate::certificate::DeviceCertificate;
use crate::device_list::DeviceList;
use crate::document::DomainDocument;

/// What is known of an account once its keys have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// The account.
    pub account: Account,
    /// The key that signs its device lists and certificates.
    pub account_key: PublicKey,
    /// Who holds that key.
    pub mode: AccountMode,
    /// Number of the binding.
    pub binding_seq: u64,
    /// Hash of the binding.
    pub binding_hash: [u8; 32],
    /// Number of the device list.
    pub list_seq: u64,
    /// Hash of the device list.
    pub list_hash: [u8; 32],
    /// The devices with their MLS signature keys.
    pub devices: Vec<(DeviceId, PublicKey)>,
}

impl AccountView {
    /// [ID-15] Whether this may take the place of what was known before.
    ///
    /// # Errors
    /// `OriginMismatch`: of another account. `KeyUnverified`: the account key changed; a person
    /// must look. `Superseded`: older than what is known. `ForkedLog`: another statement stood at
    /// this number.
    pub fn follows(&self, known: &Self) -> Result<(), ErrorCode> {
        if self.account != known.account {
            return Err(ErrorCode::OriginMismatch);
        }
        if self.account_key != known.account_key {
            return Err(ErrorCode::KeyUnverified);
        }
        if self.binding_seq < known.binding_seq || self.list_seq < known.list_seq {
            return Err(ErrorCode::Superseded);
        }
        let forked = (self.binding_seq == known.binding_seq && self.binding_hash != known.binding_hash)
            || (self.list_seq == known.list_seq && self.list_hash != known.list_hash);
        if forked { Err(ErrorCode::ForkedLog) } else { Ok(()) }
    }

    /// Whether the current device list holds this device with this key.
    #[must_use]
    pub fn has_device(&self, device: DeviceId, key: &PublicKey) -> bool {
        self.devices.iter().any(|(listed, listed_key)| *listed == device && listed_key == key)
    }
}

/// [ID-14] Checks what a domain states about one of its accounts: the binding with both signatures,
/// a fresh device list, and one certificate for each listed device.
///
/// # Errors
/// As [`AccountBinding::verify`], [`DeviceList::verify`] and [`DeviceCertificate::verify`];
/// `Malformed` if a part is missing; `AuthFailed` if the parts are not of one account.
pub fn check_account_keys(
    keys: &AccountKeys,
    document: &DomainDocument,
    now: Timestamp,
) -> Result<AccountView, ErrorCode> {
    let binding = AccountBinding::parse(keys.binding.as_ref().ok_or(ErrorCode::Malformed)?)?;
    binding.verify(document, now)?;
    check_parts(keys, &binding, now)
}

/// [ID-17] What a device presents when it enrols: as [`check_account_keys`], but the binding has the
/// account's signature only.
///
/// # Errors
/// As [`check_account_keys`]; `Malformed` if the binding is not the first one, or has a domain's
/// signature already.
pub fn check_enrolment(
    keys: &AccountKeys,
    now: Timestamp,
) -> Result<(AccountBinding, AccountView), ErrorCode> {
    let signed = keys.binding.as_ref().ok_or(ErrorCode::Malformed)?;
    let binding = AccountBinding::parse(signed)?;
    if binding.seq() != 1 || !signed.signature.is_empty() {
        return Err(ErrorCode::Malformed);
    }
    crate::validity::begun(binding.not_before(), now)?;
    let view = check_parts(keys, &binding, now)?;
    Ok((binding, view))
}

fn check_parts(
    keys: &AccountKeys,
    binding: &AccountBinding,
    now: Timestamp,
) -> Result<AccountView, ErrorCode> {
    if keys.certificates.len() > limits::DEVICES_PER_ACCOUNT_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let list = DeviceList::parse(keys.device_list.as_ref().ok_or(ErrorCode::Malformed)?)?;
    list.verify(binding.account_key(), now)?;
    if list.account() != binding.account() {
        return Err(ErrorCode::AuthFailed);
    }
    if keys.certificates.len() != list.devices().len() {
        return Err(ErrorCode::Malformed);
    }
    for (signed, (device, key)) in keys.certificates.iter().zip(list.devices()) {
        let certificate = DeviceCertificate::parse(signed)?;
        certificate.verify(binding.account_key(), now)?;
        let matches = certificate.account() == binding.account()
            && certificate.device() == *device
            && certificate.key() == key;
        if !matches {
            return Err(ErrorCode::AuthFailed);
        }
    }
    Ok(AccountView {
        account: binding.account().clone(),
        account_key: *binding.account_key(),
        mode: binding.mode(),
        binding_seq: binding.seq(),
        binding_hash: binding.hash(),
        list_seq: list.seq(),
        list_hash: list.hash(),
        devices: list.devices().to_vec(),
    })
}

#[cfg(test)]
mod tests;
