//! A device list: these are the devices of the account, and these are so no more.

use std::collections::BTreeMap;

use bytes::Bytes;
use machine::Timestamp;
use prost::Message as _;
use wire::proto::{self, Signed};
use wire::{Account, DeviceId, ErrorCode, PublicKey, SecretKey, limits, signed};

use crate::validity;

/// A well-formed device list. Its signature is checked by [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceList {
    account: Account,
    seq: u64,
    prev_hash: Option<[u8; 32]>,
    issued: u64,
    expires: u64,
    devices: Vec<(DeviceId, PublicKey)>,
    added: BTreeMap<DeviceId, u64>,
    revoked: Vec<DeviceId>,
    signed: Signed,
}

impl DeviceList {
    /// The first list of an account, or, after `previous`, the next: the listed devices and those
    /// that were revoked, each with the second since 1970. It is fresh for `DEVICE_LIST_VALID_S`; a
    /// device issues the next one well before that.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn issue(
        account: &Account,
        previous: Option<&Self>,
        devices: &[(DeviceId, PublicKey)],
        revoked: &[(DeviceId, u64)],
        account_key: &SecretKey,
        now: Timestamp,
    ) -> Result<Self, ErrorCode> {
        let listed = |(device, key): &(DeviceId, PublicKey)| proto::ListedDevice {
            device_id: device.to_bytes(),
            signature_key: Bytes::copy_from_slice(key.as_bytes()),
            added: previous.and_then(|list| list.added.get(device).copied()).unwrap_or_else(|| now.as_s()),
        };
        let body = proto::DeviceList {
            account: account.to_string(),
            seq: previous.map_or(1, |list| list.seq.saturating_add(1)),
            prev_hash: previous.map(|list| Bytes::copy_from_slice(&list.hash())).unwrap_or_default(),
            issued: now.as_s(),
            expires: now.as_s().saturating_add(limits::DEVICE_LIST_VALID_S),
            devices: devices.iter().map(listed).collect(),
            revoked: revoked
                .iter()
                .map(|(device, at)| proto::RevokedDevice { device_id: device.to_bytes(), at: *at })
                .collect(),
        }
        .encode_to_vec();
        let signature = signed::sign::<proto::DeviceList>(account_key, &body);
        Self::parse(&Signed {
            body: body.into(),
            signature: Bytes::copy_from_slice(&signature),
            account_signature: Bytes::new(),
        })
    }

    /// Checks form only.
    ///
    /// # Errors
    /// `TooLarge` or `Malformed`: bounds, a device listed twice or listed and revoked.
    pub fn parse(signed: &Signed) -> Result<Self, ErrorCode> {
        let list = signed::decode::<proto::DeviceList>(&signed.body)?;
        let prev_hash = match (list.seq, list.prev_hash.len()) {
            (0, _) => return Err(ErrorCode::Malformed),
            (1, 0) => None,
            (1, _) => return Err(ErrorCode::Malformed),
            _ => Some(<[u8; 32]>::try_from(list.prev_hash.as_ref()).map_err(|_| ErrorCode::Malformed)?),
        };
        let valid_s = list.expires.checked_sub(list.issued);
        let bounded = list.devices.len() <= limits::DEVICES_PER_ACCOUNT_MAX
            && list.revoked.len() <= limits::REVOKED_PER_ACCOUNT_MAX
            && valid_s.is_some_and(|valid_s| (1..=limits::DEVICE_LIST_VALID_S).contains(&valid_s))
            && signed.account_signature.is_empty();
        if !bounded {
            return Err(ErrorCode::Malformed);
        }
        let devices = list
            .devices
            .iter()
            .map(|listed| {
                let device = DeviceId::try_from(listed.device_id.as_ref())?;
                Ok((device, PublicKey::try_from(listed.signature_key.as_ref())?))
            })
            .collect::<Result<Vec<_>, ErrorCode>>()?;
        let added = devices.iter().zip(&list.devices).map(|((id, _), listed)| (*id, listed.added)).collect();
        let revoked = list
            .revoked
            .iter()
            .map(|revoked| DeviceId::try_from(revoked.device_id.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let account = list.account.parse()?;
        all_different(&devices, &revoked)?;
        let (seq, issued, expires) = (list.seq, list.issued, list.expires);
        Ok(Self { account, seq, prev_hash, issued, expires, devices, added, revoked, signed: signed.clone() })
    }

    /// [ID-12] Checks the account key's signature and that the list is fresh.
    ///
    /// # Errors
    /// `BadSignature`, `AuthFailed` if it was issued in the future, `Expired`.
    pub fn verify(&self, account_key: &PublicKey, now: Timestamp) -> Result<(), ErrorCode> {
        signed::verify::<proto::DeviceList>(account_key, &self.signed.body, &self.signed.signature)?;
        validity::begun(self.issued, now)?;
        if validity::over(self.expires, now) { Err(ErrorCode::Expired) } else { Ok(()) }
    }

    /// Whose devices these are.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Its number among the account's lists.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Hash of the list before it.
    #[must_use]
    pub const fn prev_hash(&self) -> Option<&[u8; 32]> {
        self.prev_hash.as_ref()
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn issued(&self) -> u64 {
        self.issued
    }

    /// The last second since 1970 in which it is fresh.
    #[must_use]
    pub const fn expires(&self) -> u64 {
        self.expires
    }

    /// The devices with their MLS signature keys.
    #[must_use]
    pub fn devices(&self) -> &[(DeviceId, PublicKey)] {
        &self.devices
    }

    /// The devices that are so no more.
    #[must_use]
    pub fn revoked(&self) -> &[DeviceId] {
        &self.revoked
    }

    /// The statement as it was signed.
    #[must_use]
    pub const fn signed(&self) -> &Signed {
        &self.signed
    }

    /// What the next list's `prev_hash` holds.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        signed::hash::<proto::DeviceList>(&self.signed.body)
    }
}

/// [ID-11] No id and no key stands twice in one list.
fn all_different(devices: &[(DeviceId, PublicKey)], revoked: &[DeviceId]) -> Result<(), ErrorCode> {
    let mut ids: Vec<_> = devices.iter().map(|(device, _)| *device).chain(revoked.iter().copied()).collect();
    let mut keys: Vec<_> = devices.iter().map(|(_, key)| *key).collect();
    let (id_count, key_count) = (ids.len(), keys.len());
    ids.sort_unstable();
    ids.dedup();
    keys.sort_unstable();
    keys.dedup();
    if ids.len() == id_count && keys.len() == key_count { Ok(()) } else { Err(ErrorCode::Malformed) }
}
