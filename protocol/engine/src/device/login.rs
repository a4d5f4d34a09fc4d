//! A first login: the account key, the device key and what they sign are made on the device; the
//! node gets public parts only and adds its signature to the binding.

use machine::{Entropy, Timestamp};
use wire::{Account, DeviceId, ErrorCode, SecretKey, proto};

/// What a device proves itself with.
#[derive(Clone)]
pub struct DeviceKeys {
    /// The account.
    pub account: Account,
    /// The device.
    pub device: DeviceId,
    /// The device's key.
    pub secret: SecretKey,
    /// The countersigned binding of the account.
    pub binding: proto::Signed,
    /// The certificate of the device.
    pub certificate: proto::Signed,
}

/// What a device has made and the node has not confirmed yet. Keep it (it holds secrets) until
/// [`Enrolment::finish`], so that a lost answer can be asked for again with the same keys.
#[derive(Clone)]
pub struct Enrolment {
    /// The account.
    pub account: Account,
    /// The account key; never leaves the user's devices.
    pub account_key: SecretKey,
    /// The new device.
    pub device: DeviceId,
    /// Its key: signs its sessions and its leaves.
    pub device_key: SecretKey,
    /// What is sent.
    pub keys: proto::AccountKeys,
}

/// A device that belongs to its account.
#[derive(Clone)]
pub struct Login {
    /// The keys with which an engine is opened.
    pub keys: DeviceKeys,
    /// The account key, to be kept on the device.
    pub account_key: SecretKey,
    /// What the domain states about the account.
    pub account_keys: proto::AccountKeys,
}

impl Enrolment {
    /// Makes the keys of an account's first device and signs its binding, list and certificate.
    ///
    /// # Errors
    /// `Internal` if a statement cannot be made.
    pub fn new(account: Account, now: Timestamp, entropy: &mut impl Entropy) -> Result<Self, ErrorCode> {
        let _ = (account, now, entropy);
        Err(ErrorCode::Internal)
    }

    /// The request; `code` is the invite ticket's, 16 bytes.
    #[must_use]
    pub fn request(&self, code: [u8; 16]) -> proto::Enrol {
        proto::Enrol {
            account: self.account.to_string(),
            code: bytes::Bytes::copy_from_slice(&code),
            keys: Some(self.keys.clone()),
        }
    }

    /// Checks the answer against what was asked for and the domain's newest document.
    ///
    /// # Errors
    /// `KeyUnverified` if the node answers with other keys than this device made; what
    /// `identity::check_account_keys` says otherwise.
    pub fn finish(
        &self,
        answer: &proto::AccountKeys,
        document: &identity::DomainDocument,
        now: Timestamp,
    ) -> Result<Login, ErrorCode> {
        let _ = (answer, document, now);
        Err(ErrorCode::Internal)
    }
}
