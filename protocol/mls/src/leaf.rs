//! Whose device a leaf of the group is.

use wire::{Account, DeviceId, PublicKey, SecretKey, proto};

/// What a device needs to act in any group. Its secret is wiped on drop.
#[derive(Clone, Debug)]
pub struct DeviceKeys {
    /// The account that the device belongs to.
    pub account: Account,
    /// The device.
    pub device: DeviceId,
    /// Signs leaves, key packages, handshakes and messages; the certificate names its public half.
    pub secret: SecretKey,
    /// The account's binding, with both signatures.
    pub binding: proto::Signed,
    /// The device's certificate.
    pub certificate: proto::Signed,
}

impl DeviceKeys {
    /// What stands in this device's credentials.
    #[must_use]
    pub fn identity(&self) -> proto::LeafIdentity {
        proto::LeafIdentity {
            account: self.account.to_string(),
            device_id: self.device.as_bytes().to_vec().into(),
            binding: Some(self.binding.clone()),
            certificate: Some(self.certificate.clone()),
        }
    }
}

/// A leaf of a group or of a key package. That names are well-formed and the key is the one that
/// MLS verifies with is checked here; that binding and certificate speak for them is for
/// `identity::check_leaf`.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Its place in the tree; 0 in a key package.
    pub index: u32,
    /// The account in the credential.
    pub account: Account,
    /// The device in the credential.
    pub device: DeviceId,
    /// The leaf's signature key.
    pub key: PublicKey,
    /// The whole identity, for `identity::check_leaf`.
    pub identity: proto::LeafIdentity,
}
