//! A first login: the account key, the device key and what they sign are made on the device; the
//! node gets public parts only and adds its signature to the binding.

use identity::{AccountBinding, AccountMode, DeviceCertificate, DeviceList, DomainDocument};
use machine::{Entropy, Timestamp};
use mls::DeviceKeys;
use wire::{Account, DeviceId, ErrorCode, SecretKey, proto};
use zeroize::Zeroizing;

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
        let account_key = new_key(entropy);
        let device_key = new_key(entropy);
        let device = DeviceId::new(entropy.array());
        let binding = AccountBinding::propose(&account, &account_key, AccountMode::UserHeld, now)?;
        let listed = [(device, device_key.public())];
        let list = DeviceList::issue(&account, None, &listed, &[], &account_key, now)?;
        let certificate =
            DeviceCertificate::issue(&account, device, &device_key.public(), &account_key, now)?;
        let keys = proto::AccountKeys {
            binding: Some(binding.signed().clone()),
            device_list: Some(list.signed().clone()),
            certificates: vec![certificate.signed().clone()],
        };
        Ok(Self { account, account_key, device, device_key, keys })
    }

    /// The request; the proof is the code of an invite ticket, 16 bytes, or a password.
    #[must_use]
    pub fn request(&self, proof: proto::enrol::Proof) -> proto::Enrol {
        proto::Enrol { account: self.account.to_string(), proof: Some(proof), keys: Some(self.keys.clone()) }
    }

    /// Checks the answer against what was asked for and the domain's newest document, which was
    /// itself checked against the fingerprint in the invite ticket.
    ///
    /// # Errors
    /// `KeyUnverified` if the node answers with other keys than this device made; as
    /// `identity::check_account_keys` otherwise.
    pub fn finish(
        &self,
        answer: &proto::AccountKeys,
        document: &DomainDocument,
        now: Timestamp,
    ) -> Result<Login, ErrorCode> {
        identity::check_account_keys(answer, document, now)?;
        let own = self.keys.binding.as_ref().map(|binding| &binding.body);
        let binding = answer.binding.clone().ok_or(ErrorCode::Malformed)?;
        let same = Some(&binding.body) == own
            && answer.device_list == self.keys.device_list
            && answer.certificates == self.keys.certificates;
        if !same {
            return Err(ErrorCode::KeyUnverified);
        }
        let certificate = answer.certificates.first().cloned().ok_or(ErrorCode::Malformed)?;
        Ok(Login {
            keys: DeviceKeys {
                account: self.account.clone(),
                device: self.device,
                secret: self.device_key.clone(),
                binding,
                certificate,
            },
            account_key: self.account_key.clone(),
            account_keys: answer.clone(),
        })
    }
}

fn new_key(entropy: &mut impl Entropy) -> SecretKey {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut_slice());
    SecretKey::from_seed(&seed)
}
