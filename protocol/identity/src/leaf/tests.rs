//! Leaves whose parts do not belong together.

use wire::proto::Signed;

use super::*;
use crate::fixture::{NOW, domain, person};

// [ID-16]
#[test]
fn a_leaf_is_one_device_of_one_account_of_the_domain() {
    let (acme, umbrella) = (domain("acme.test", 1), domain("umbrella.test", 2));
    let (alice, bob) = (person("alice@acme.test", &acme, 3), person("bob@acme.test", &acme, 4));
    let key = alice.device_key.public();
    let check = |identity: &LeafIdentity, key: &PublicKey| check_leaf(identity, key, &acme.document, NOW);
    assert_eq!(check(&alice.leaf(), &key), Ok((alice.account.clone(), alice.device)));
    assert_eq!(check(&alice.leaf(), &bob.device_key.public()), Err(ErrorCode::AuthFailed), "another key");
    assert_eq!(check_leaf(&alice.leaf(), &key, &umbrella.document, NOW), Err(ErrorCode::OriginMismatch));
    let with = |change: &dyn Fn(&mut LeafIdentity)| {
        let mut identity = alice.leaf();
        change(&mut identity);
        check(&identity, &key)
    };
    let (bobs_binding, bobs_certificate) = (bob.binding.signed(), bob.certificate.signed());
    type Row<'a> = (&'a str, &'a dyn Fn(&mut LeafIdentity), ErrorCode);
    let table: [Row<'_>; 10] = [
        ("another account", &|l| l.account = "bob@acme.test".into(), ErrorCode::AuthFailed),
        ("no account", &|l| l.account.clear(), ErrorCode::Malformed),
        ("another device", &|l| l.device_id = vec![9; 16].into(), ErrorCode::AuthFailed),
        ("a short device id", &|l| l.device_id = vec![9; 15].into(), ErrorCode::Malformed),
        ("no binding", &|l| l.binding = None, ErrorCode::Malformed),
        ("no certificate", &|l| l.certificate = None, ErrorCode::Malformed),
        ("bob's binding", &|l| l.binding = Some(bobs_binding.clone()), ErrorCode::BadSignature),
        ("bob's certificate", &|l| l.certificate = Some(bobs_certificate.clone()), ErrorCode::BadSignature),
        ("an empty binding", &|l| l.binding = Some(Signed::default()), ErrorCode::Malformed),
        ("an empty certificate", &|l| l.certificate = Some(Signed::default()), ErrorCode::Malformed),
    ];
    for (name, change, expected) in table {
        assert_eq!(with(change), Err(expected), "{name}");
    }
}

// [ID-23]
#[test]
fn what_no_clock_decides_holds_at_any_time_and_in_no_document() {
    let (acme, other) = (domain("acme.test", 1), domain("acme.test", 9));
    let (alice, bob) = (person("alice@acme.test", &acme, 3), person("bob@acme.test", &acme, 4));
    let key = alice.device_key.public();
    let names = Ok((alice.account.clone(), alice.device));
    let late = NOW.plus_ms(2 * wire::limits::CERTIFICATE_VALID_S * 1_000);
    let early = Timestamp::from_ms(NOW.as_ms() - 10 * wire::limits::CLOCK_SKEW_MS);
    let check = |document: &DomainDocument, now| check_leaf(&alice.leaf(), &key, document, now);
    assert_eq!(check(&acme.document, late), Err(ErrorCode::Expired));
    assert_eq!(check(&acme.document, early), Err(ErrorCode::AuthFailed));
    assert_eq!(check(&other.document, NOW), Err(ErrorCode::BadSignature));
    assert_eq!(check_leaf_form(&alice.leaf(), &key), names);
    assert_eq!(check_leaf_form(&alice.leaf(), &bob.device_key.public()), Err(ErrorCode::AuthFailed));
    let mixed = LeafIdentity { certificate: bob.leaf().certificate, ..alice.leaf() };
    assert_eq!(check_leaf_form(&mixed, &key), Err(ErrorCode::BadSignature));
    let renamed = LeafIdentity { account: "bob@acme.test".into(), ..alice.leaf() };
    assert_eq!(check_leaf_form(&renamed, &key), Err(ErrorCode::AuthFailed));
}

// [ID-16]
#[test]
fn a_domain_cannot_mint_a_device_for_an_account() {
    let acme = domain("acme.test", 1);
    let alice = person("alice@acme.test", &acme, 3);
    for key in [&acme.keys.root, &acme.keys.binding, &acme.keys.tls] {
        let minted = DeviceCertificate::issue(&alice.account, alice.device, &key.public(), key, NOW);
        let identity = LeafIdentity { certificate: minted.ok().map(|c| c.signed().clone()), ..alice.leaf() };
        let outcome = check_leaf(&identity, &key.public(), &acme.document, NOW);
        assert_eq!(outcome, Err(ErrorCode::BadSignature));
    }
}
