//! A domain and an account from fixed seeds, against which strangers' bytes are checked.

use std::sync::LazyLock;

use identity::{AccountBinding, DeviceCertificate, DeviceList, DomainDocument, DomainKeys, domain_keys};
use machine::{Seeded, Timestamp};
use mls::DeviceKeys;
use wire::proto::{AccountKeys, AccountMode};
use wire::{Account, DeviceId, SecretKey};

/// 2026-01-01.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_767_225_600_000);

pub(crate) struct Acme {
    pub(crate) keys: DomainKeys,
    pub(crate) document: DomainDocument,
    pub(crate) alice: Person,
}

pub(crate) struct Person {
    pub(crate) account_key: SecretKey,
    pub(crate) keys: AccountKeys,
    pub(crate) device: DeviceKeys,
}

pub(crate) static ACME: LazyLock<Acme> = LazyLock::new(|| {
    let keys = DomainKeys::generate(&mut Seeded::new(1));
    let endpoints = ["127.0.0.1:4433".parse().expect("an endpoint")];
    let document =
        keys.first_document(&"acme.test".parse().expect("a domain"), &endpoints, NOW).expect("a document");
    let alice = person("alice@acme.test", &keys, 2);
    Acme { keys, document, alice }
});

pub(crate) fn person(account: &str, domain: &DomainKeys, seed: u64) -> Person {
    let mut entropy = Seeded::new(seed);
    let account: Account = account.parse().expect("an account");
    let (account_key, secret) = (domain_keys::generate(&mut entropy), domain_keys::generate(&mut entropy));
    let device = DeviceId::new([seed as u8; 16]);
    let binding = AccountBinding::propose(&account, &account_key, AccountMode::UserHeld, NOW)
        .expect("a binding")
        .countersign(&domain.binding);
    let list = DeviceList::issue(&account, None, &[(device, secret.public())], &[], &account_key, NOW)
        .expect("a list");
    let certificate = DeviceCertificate::issue(&account, device, &secret.public(), &account_key, NOW)
        .expect("a certificate");
    let keys = AccountKeys {
        binding: Some(binding.signed().clone()),
        device_list: Some(list.signed().clone()),
        certificates: vec![certificate.signed().clone()],
    };
    let device = DeviceKeys {
        account,
        device,
        secret,
        binding: binding.signed().clone(),
        certificate: certificate.signed().clone(),
    };
    Person { account_key, keys, device }
}
