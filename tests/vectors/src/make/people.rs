//! The domain and the account that the vectors of identity are about, from seeds that are written
//! in `spec/vectors/README.md`.

use identity::{AccountBinding, DeviceCertificate, DeviceList, DomainDocument, DomainKeys};
use machine::Timestamp;
use serde_json::{Value, json};
use wire::proto::{AccountKeys, AccountMode, LeafIdentity};
use wire::{Account, DeviceId, SecretKey};
use zeroize::Zeroizing;

use crate::field;

/// 2026-01-01T00:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_ms(1_767_225_600_000);

pub(super) fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

pub(super) struct Domain {
    pub(super) keys: DomainKeys,
    pub(super) document: DomainDocument,
}

/// Root `first`, next root, recovery, TLS, binding and event key from the seeds that follow it.
#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
pub(super) fn domain(name: &str, first: u8) -> Domain {
    let keys = DomainKeys {
        root: secret(first),
        next_root: secret(first + 1),
        recovery: secret(first + 2),
        tls: secret(first + 3),
        binding: secret(first + 4),
        event: secret(first + 5),
    };
    let endpoints = ["node.acme.test:4433".parse().expect("an endpoint")];
    let document =
        keys.first_document(&name.parse().expect("a domain"), &endpoints, NOW).expect("a document");
    Domain { keys, document }
}

pub(super) struct Person {
    pub(super) account: Account,
    pub(super) account_key: SecretKey,
    pub(super) device: DeviceId,
    pub(super) device_key: SecretKey,
    pub(super) binding: AccountBinding,
    pub(super) list: DeviceList,
    pub(super) certificate: DeviceCertificate,
}

/// The account key from the seed, the device key from the seed that follows it.
#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
pub(super) fn person(account: &str, domain: &Domain, seed: u8) -> Person {
    let account: Account = account.parse().expect("an account");
    let (account_key, device_key) = (secret(seed), secret(seed + 1));
    let device = DeviceId::new([seed; 16]);
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
    pub(super) fn keys(&self) -> AccountKeys {
        AccountKeys {
            binding: Some(self.binding.signed().clone()),
            device_list: Some(self.list.signed().clone()),
            certificates: vec![self.certificate.signed().clone()],
        }
    }

    pub(super) fn leaf(&self) -> LeafIdentity {
        LeafIdentity {
            account: self.account.to_string(),
            device_id: self.device.to_bytes(),
            binding: Some(self.binding.signed().clone()),
            certificate: Some(self.certificate.signed().clone()),
        }
    }
}

pub(super) fn acme() -> Domain {
    domain("acme.test", 10)
}

pub(super) fn umbrella() -> Domain {
    domain("umbrella.test", 20)
}

pub(super) fn alice() -> Person {
    person("alice@acme.test", &acme(), 30)
}

pub(super) fn bob() -> Person {
    person("bob@acme.test", &acme(), 40)
}

/// An object and what it is checked against: acme's document, and the time.
pub(super) fn at_acme(mut object: Value, now: Timestamp) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert("document".into(), json!(field::message(acme().document.signed())));
        fields.insert("now_ms".into(), json!(now.as_ms()));
    }
    object
}
