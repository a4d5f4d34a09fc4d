//! Whether an MLS leaf is the device that it says it is.

use machine::Timestamp;
use wire::proto::LeafIdentity;
use wire::{Account, DeviceId, ErrorCode, PublicKey};

use crate::binding::AccountBinding;
use crate::certificate::DeviceCertificate;
use crate::document::DomainDocument;

/// [ID-16] Checks the identity in a leaf's credential: the domain bound the account key, the
/// account key certified the device, and the leaf's signature key is the certified one.
///
/// # Errors
/// As [`AccountBinding::verify`] and [`DeviceCertificate::verify`]; `Malformed` if a part is
/// missing; `AuthFailed` if the parts are not of one account and device, or the key is another.
pub fn check_leaf(
    identity: &LeafIdentity,
    leaf_key: &PublicKey,
    document: &DomainDocument,
    now: Timestamp,
) -> Result<(Account, DeviceId), ErrorCode> {
    let account: Account = identity.account.parse()?;
    let device = DeviceId::try_from(identity.device_id.as_ref())?;
    let binding = AccountBinding::parse(identity.binding.as_ref().ok_or(ErrorCode::Malformed)?)?;
    let certificate = DeviceCertificate::parse(identity.certificate.as_ref().ok_or(ErrorCode::Malformed)?)?;
    binding.verify(document, now)?;
    certificate.verify(binding.account_key(), now)?;
    let matches = *binding.account() == account
        && *certificate.account() == account
        && certificate.device() == device
        && certificate.key() == leaf_key;
    if matches { Ok((account, device)) } else { Err(ErrorCode::AuthFailed) }
}

#[cfg(test)]
mod tests;
