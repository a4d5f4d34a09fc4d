//! Whose device a leaf of the group is.

use openmls::prelude::{BasicCredential, Credential, CredentialType, CredentialWithKey, LeafNode, Member};
use prost::Message as _;
use tls_codec::Size as _;
use wire::{Account, DeviceId, ErrorCode, PublicKey, SecretKey, limits, proto};

use crate::suite;

/// The most bytes that a credential's identity may have.
const IDENTITY_BYTES_MAX: usize = limits::BINDING_BYTES_MAX + limits::CERTIFICATE_BYTES_MAX + 512;

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

    // [MLS-6]
    pub(crate) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.identity().encode_to_vec()).into(),
            signature_key: self.secret.public().as_bytes().as_slice().into(),
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

impl Leaf {
    /// Whether both are leaves of one device.
    #[must_use]
    pub fn same_device(&self, other: &Self) -> bool {
        self.account == other.account && self.device == other.device
    }

    /// [MLS-5] A leaf node whose capabilities, extensions and size were checked. A member makes its leaf
    /// by itself: what nobody reads in it would only take up the space that the tree has for others.
    pub(crate) fn of_node(index: u32, node: &LeafNode) -> Result<Self, ErrorCode> {
        if !suite::suffices(node.capabilities()) || node.extensions().iter().next().is_some() {
            return Err(ErrorCode::Unsupported);
        }
        if node.tls_serialized_len() > limits::LEAF_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        Self::new(index, node.credential(), node.signature_key().as_slice())
    }

    pub(crate) fn of_member(member: &Member) -> Result<Self, ErrorCode> {
        Self::new(member.index.u32(), &member.credential, &member.signature_key)
    }

    /// A leaf that a past epoch had, with the key that its certificate names.
    pub(crate) fn of_past(index: u32, credential: &Credential) -> Result<Self, ErrorCode> {
        let mut leaf = Self::new(index, credential, &[0; 32])?;
        let certificate = leaf.identity.certificate.as_ref().ok_or(ErrorCode::Malformed)?;
        let certificate =
            proto::DeviceCertificate::decode(certificate.body.as_ref()).map_err(|_| ErrorCode::Malformed)?;
        leaf.key = PublicKey::try_from(certificate.signature_key.as_ref())?;
        Ok(leaf)
    }

    // [MLS-6], [MLS-7]
    pub(crate) fn new(index: u32, credential: &Credential, key: &[u8]) -> Result<Self, ErrorCode> {
        if credential.credential_type() != CredentialType::Basic {
            return Err(ErrorCode::Unsupported);
        }
        let basic = BasicCredential::try_from(credential.clone()).map_err(|_| ErrorCode::Malformed)?;
        Self::parse(index, basic.identity(), key)
    }

    fn parse(index: u32, bytes: &[u8], key: &[u8]) -> Result<Self, ErrorCode> {
        if bytes.len() > IDENTITY_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let identity = proto::LeafIdentity::decode(bytes).map_err(|_| ErrorCode::Malformed)?;
        if identity.binding.is_none() || identity.certificate.is_none() || identity.encode_to_vec() != bytes {
            return Err(ErrorCode::Malformed);
        }
        Ok(Self {
            index,
            account: identity.account.parse()?,
            device: DeviceId::try_from(identity.device_id.as_ref())?,
            key: PublicKey::try_from(key)?,
            identity,
        })
    }
}
