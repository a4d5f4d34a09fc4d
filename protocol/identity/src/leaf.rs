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
/// As [`check_leaf_form`], [`AccountBinding::verify`] and [`DeviceCertificate::verify`].
pub fn check_leaf(
    identity: &LeafIdentity,
    leaf_key: &PublicKey,
    document: &DomainDocument,
    now: Timestamp,
) -> Result<(Account, DeviceId), ErrorCode> {
    let parts = Parts::parse(identity)?;
    parts.binding.verify(document, now)?;
    let names = parts.agree(leaf_key)?;
    parts.certificate.in_force(now)?;
    Ok(names)
}

/// [ID-23] The part of [`check_leaf`] that no clock and no document decides, so that everybody finds
/// the same whenever it looks: the account's signatures, and that all is of one account, device and
/// key.
///
/// # Errors
/// `Malformed` or `TooLarge`; `BadSignature` of the account key; `AuthFailed` if the parts are not of
/// one account and device, or the key is another.
pub fn check_leaf_form(
    identity: &LeafIdentity,
    leaf_key: &PublicKey,
) -> Result<(Account, DeviceId), ErrorCode> {
    Parts::parse(identity)?.agree(leaf_key)
}

struct Parts {
    account: Account,
    device: DeviceId,
    binding: AccountBinding,
    certificate: DeviceCertificate,
}

impl Parts {
    fn parse(identity: &LeafIdentity) -> Result<Self, ErrorCode> {
        Ok(Self {
            account: identity.account.parse()?,
            device: DeviceId::try_from(identity.device_id.as_ref())?,
            binding: AccountBinding::parse(identity.binding.as_ref().ok_or(ErrorCode::Malformed)?)?,
            certificate: DeviceCertificate::parse(
                identity.certificate.as_ref().ok_or(ErrorCode::Malformed)?,
            )?,
        })
    }

    fn agree(&self, leaf_key: &PublicKey) -> Result<(Account, DeviceId), ErrorCode> {
        self.certificate.verify_signature(self.binding.account_key())?;
        let matches = *self.binding.account() == self.account
            && *self.certificate.account() == self.account
            && self.certificate.device() == self.device
            && self.certificate.key() == leaf_key;
        if matches { Ok((self.account.clone(), self.device)) } else { Err(ErrorCode::AuthFailed) }
    }
}

#[cfg(test)]
mod tests;
