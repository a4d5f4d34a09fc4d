//! A domain and an account with keys from a fixed seed, for the tests of this crate.

use machine::{Seeded, Timestamp};
use wire::proto::{AccountKeys, AccountMode, LeafIdentity, Signed};
use wire::{Account, DeviceId, DomainName, SecretKey};

use crate::{AccountBinding, DeviceCertificate, DeviceList, DomainDocument, DomainKeys, domain_keys};

/// 2026-01-01.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_767_225_600_000);

pub(crate) const DAY_MS: u64 = 86_400_000;

pub(crate) struct Domain {
    pub(crate) keys: DomainKeys,
    pub(crate) document: DomainDocument,
}

pub(crate) fn domain(name: &str, seed: u64) -> Domain {
    let keys = DomainKeys::generate(&mut Seeded::new(seed));
    let name: DomainName = name.parse().expect("a domain");
    let endpoint = "127.0.0.1:4433".parse().expect("an endpoint");
    let document = keys.first_document(&name, &[endpoint], NOW).expect("a document");
    Domain { keys, document }
}

pub(crate) struct Person {
    pub(crate) account: Account,
    pub(crate) account_key: SecretKey,
    pub(crate) device: DeviceId,
    pub(crate) device_key: SecretKey,
    pub(crate) binding: AccountBinding,
    pub(crate) list: DeviceList,
    pub(crate) certificate: DeviceCertificate,
}

/// An account with one device, bound by the domain.
pub(crate) fn person(account: &str, domain: &Domain, seed: u64) -> Person {
    let mut entropy = Seeded::new(seed);
    let account: Account = account.parse().expect("an account");
    let account_key = domain_keys::generate(&mut entropy);
    let device_key = domain_keys::generate(&mut entropy);
    let device = DeviceId::new([seed as u8; 16]);
    let binding = AccountBinding::propose(&account, &account_key, AccountMode::UserHeld, NOW)
        .expect("a binding")
        .countersign(&domain.keys.binding);
    let devices = [(device, device_key.public())];
    let list = DeviceList::issue(&account, None, &devices, &[], &account_key, NOW).expect("a list");
    let certificate = DeviceCertificate::issue(&account, device, &device_key.public(), &account_key, NOW)
        .expect("a certificate");
    Person { account, account_key, device, device_key, binding, list, certificate }
}

impl Person {
    pub(crate) fn keys(&self) -> AccountKeys {
        AccountKeys {
            binding: Some(self.binding.signed().clone()),
            device_list: Some(self.list.signed().clone()),
            certificates: vec![self.certificate.signed().clone()],
        }
    }

    pub(crate) fn leaf(&self) -> LeafIdentity {
        LeafIdentity {
            account: self.account.to_string(),
            device_id: self.device.to_bytes(),
            binding: Some(self.binding.signed().clone()),
            certificate: Some(self.certificate.signed().clone()),
        }
    }
}

/// Every way to damage a signature, with a name.
pub(crate) fn bad_signatures(good: &Signed) -> Vec<(String, Signed)> {
    let with = |signature: &[u8]| Signed { signature: signature.to_vec().into(), ..good.clone() };
    let mut table: Vec<(String, Signed)> =
        (0..64).map(|length| (format!("{length} bytes"), with(&good.signature[..length]))).collect();
    table.push(("zeros".into(), with(&[0; 64])));
    table.push(("65 bytes".into(), with(&[&good.signature, [0].as_slice()].concat())));
    for bit in (0..512).step_by(7) {
        let mut flipped = good.signature.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        table.push((format!("bit {bit}"), with(&flipped)));
    }
    table
}

/// The statement with each bit of its body flipped in turn.
pub(crate) fn flipped_bodies(good: &Signed) -> impl Iterator<Item = (usize, Signed)> {
    (0..good.body.len() * 8).map(|bit| {
        let mut body = good.body.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        (bit, Signed { body: body.into(), ..good.clone() })
    })
}
