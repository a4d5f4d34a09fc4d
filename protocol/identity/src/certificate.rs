//! A device certificate: this MLS leaf key is that device of the account.

use bytes::Bytes;
use machine::Timestamp;
use prost::Message as _;
use wire::proto::{self, Signed};
use wire::{Account, DeviceId, ErrorCode, PublicKey, SecretKey, limits, signed};

use crate::validity;

/// A well-formed certificate. Its signature is checked by [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCertificate {
    account: Account,
    device: DeviceId,
    key: PublicKey,
    not_before: u64,
    not_after: u64,
    signed: Signed,
}

impl DeviceCertificate {
    /// Certifies a device for `CERTIFICATE_VALID_S` from now.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn issue(
        account: &Account,
        device: DeviceId,
        device_key: &PublicKey,
        account_key: &SecretKey,
        now: Timestamp,
    ) -> Result<Self, ErrorCode> {
        let body = proto::DeviceCertificate {
            account: account.to_string(),
            device_id: device.to_bytes(),
            signature_key: Bytes::copy_from_slice(device_key.as_bytes()),
            not_before: now.as_s(),
            not_after: now.as_s().saturating_add(limits::CERTIFICATE_VALID_S),
        }
        .encode_to_vec();
        let signature = signed::sign::<proto::DeviceCertificate>(account_key, &body);
        Self::parse(&Signed {
            body: body.into(),
            signature: Bytes::copy_from_slice(&signature),
            account_signature: Bytes::new(),
        })
    }

    /// Checks form only.
    ///
    /// # Errors
    /// `TooLarge` or `Malformed`, a validity longer than `CERTIFICATE_VALID_S` included.
    pub fn parse(signed: &Signed) -> Result<Self, ErrorCode> {
        let certificate = signed::decode::<proto::DeviceCertificate>(&signed.body)?;
        let valid_s = certificate.not_after.checked_sub(certificate.not_before);
        let bounded = valid_s.is_some_and(|valid_s| (1..=limits::CERTIFICATE_VALID_S).contains(&valid_s));
        if !bounded || !signed.account_signature.is_empty() {
            return Err(ErrorCode::Malformed);
        }
        Ok(Self {
            account: certificate.account.parse()?,
            device: DeviceId::try_from(certificate.device_id.as_ref())?,
            key: PublicKey::try_from(certificate.signature_key.as_ref())?,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            signed: signed.clone(),
        })
    }

    /// [ID-13] Checks the account key's signature and that the certificate is in force.
    ///
    /// # Errors
    /// `BadSignature`, `AuthFailed` if it is not in force yet, `Expired` if no more.
    pub fn verify(&self, account_key: &PublicKey, now: Timestamp) -> Result<(), ErrorCode> {
        self.verify_signature(account_key)?;
        self.in_force(now)
    }

    /// Checks the account key's signature, which no time changes.
    ///
    /// # Errors
    /// `BadSignature`.
    pub(crate) fn verify_signature(&self, account_key: &PublicKey) -> Result<(), ErrorCode> {
        signed::verify::<proto::DeviceCertificate>(account_key, &self.signed.body, &self.signed.signature)
    }

    pub(crate) fn in_force(&self, now: Timestamp) -> Result<(), ErrorCode> {
        validity::begun(self.not_before, now)?;
        if validity::over(self.not_after, now) { Err(ErrorCode::Expired) } else { Ok(()) }
    }

    /// Whose device it is.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Which device it is.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    /// The device's MLS signature key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The last second since 1970 in which it is in force.
    #[must_use]
    pub const fn not_after(&self) -> u64 {
        self.not_after
    }

    /// The statement as it was signed.
    #[must_use]
    pub const fn signed(&self) -> &Signed {
        &self.signed
    }
}
