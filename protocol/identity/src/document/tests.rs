//! Documents that are refused, row by row, and when a key speaks for a domain.

use super::*;
use crate::fixture::{DAY_MS, NOW, bad_signatures, domain, flipped_bodies};

type Damage = fn(&mut proto::DomainDocument);

/// The first document of acme with a change, signed again by its root key.
fn changed(change: Damage) -> Signed {
    let acme = domain("acme.test", 1);
    let mut document: proto::DomainDocument =
        signed::decode(&acme.document.signed().body).expect("a document");
    change(&mut document);
    let body = document.encode_to_vec();
    let signature = signed::sign::<proto::DomainDocument>(&acme.keys.root, &body);
    Signed { body: body.into(), signature: signature.to_vec().into(), account_signature: Bytes::new() }
}

// [ID-3]
#[test]
fn fields_outside_their_bounds_are_malformed() {
    assert!(DomainDocument::parse(&changed(|_| {})).is_ok());
    let table: &[(&str, Damage)] = &[
        ("no domain", |d| d.domain.clear()),
        ("upper case", |d| d.domain = "Acme.test".into()),
        ("an address", |d| d.domain = "127.0.0.1".into()),
        ("seq 0", |d| d.seq = 0),
        ("seq 2^63", |d| (d.seq, d.prev_hash) = (1 << 63, vec![1; 32].into())),
        ("seq 1 with a previous hash", |d| d.prev_hash = vec![1; 32].into()),
        ("seq 2 without one", |d| d.seq = 2),
        ("a short previous hash", |d| (d.seq, d.prev_hash) = (2, vec![1; 31].into())),
        ("no next root", |d| d.next_root_hash.clear()),
        ("a long next root", |d| d.next_root_hash = vec![1; 33].into()),
        ("no recovery", |d| d.recovery_hash.clear()),
        ("too many keys", |d| {
            d.keys =
                (0..33).map(|n| proto::DomainKey { key: vec![n; 32].into(), ..d.keys[0].clone() }).collect();
        }),
        ("a key twice", |d| d.keys.push(d.keys[0].clone())),
        ("the root key as TLS key", |d| d.keys[0].key = d.root_key.clone()),
        ("a short key", |d| d.keys[0].key = vec![1; 31].into()),
        ("a key of no use", |d| d.keys[0].r#use = 0),
        ("a key of an unknown use", |d| d.keys[0].r#use = 99),
        ("a key that ends before it begins", |d| d.keys[0].not_after = d.keys[0].not_before),
        ("no endpoint", |d| d.endpoints.clear()),
        ("nine endpoints", |d| d.endpoints = vec!["a.test:1".into(); 9]),
        ("an endpoint without port", |d| d.endpoints[0] = "acme.test".into()),
        ("an endpoint with NUL", |d| d.endpoints[0] = "acme\0.test:1".into()),
        ("expires before issued", |d| d.expires = d.issued),
        ("valid for a century", |d| d.expires = d.issued + 3_153_600_000),
    ];
    for (name, change) in table {
        assert_eq!(DomainDocument::parse(&changed(*change)), Err(ErrorCode::Malformed), "{name}");
    }
    let many: Damage = |d| d.endpoints = vec![format!("{}:1", ["a"; 120].join(".")); 100];
    assert_eq!(DomainDocument::parse(&changed(many)), Err(ErrorCode::TooLarge));
}

#[test]
fn a_root_key_of_another_length_is_malformed() {
    let change: Damage = |d| d.root_key = vec![1; 31].into();
    assert_eq!(DomainDocument::parse(&changed(change)), Err(ErrorCode::Malformed));
}

#[test]
fn a_second_signature_has_no_place_in_a_document() {
    let mut signed = changed(|_| {});
    signed.account_signature = signed.signature.clone();
    assert_eq!(DomainDocument::parse(&signed), Err(ErrorCode::Malformed));
}

// [ID-2]
#[test]
fn a_change_of_any_field_breaks_the_signature() {
    let good = domain("acme.test", 1).document.signed().clone();
    let table: &[(&str, Damage)] = &[
        ("domain", |d| d.domain = "acne.test".into()),
        ("seq", |d| (d.seq, d.prev_hash) = (2, vec![0; 32].into())),
        ("next root", |d| d.next_root_hash = vec![1; 32].into()),
        ("recovery", |d| d.recovery_hash = vec![1; 32].into()),
        ("key", |d| d.keys[0].key = vec![1; 32].into()),
        ("use", |d| d.keys[0].r#use = KeyUse::Event.into()),
        ("not before", |d| d.keys[0].not_before += 1),
        ("not after", |d| d.keys[0].not_after += 1),
        ("fewer keys", |d| d.keys.truncate(1)),
        ("endpoint", |d| d.endpoints[0] = "127.0.0.1:4434".into()),
        ("issued", |d| d.issued += 1),
        ("expires", |d| d.expires -= 1),
    ];
    for (name, change) in table {
        let changed = Signed { body: changed(*change).body, ..good.clone() };
        assert_eq!(DomainDocument::parse(&changed), Err(ErrorCode::BadSignature), "{name}");
    }
    for (bit, flipped) in flipped_bodies(&good) {
        assert!(DomainDocument::parse(&flipped).is_err(), "bit {bit}");
    }
    for (name, signed) in bad_signatures(&good) {
        assert_eq!(DomainDocument::parse(&signed), Err(ErrorCode::BadSignature), "{name}");
    }
}

// [ID-5]
#[test]
fn a_key_speaks_for_its_domain_in_its_use_and_its_time_only() {
    let acme = domain("acme.test", 1);
    let tls = acme.keys.tls.public();
    let check = |key_use, key: &PublicKey, at_ms: u64| {
        acme.document.check_key(key_use, key, Timestamp::from_ms(at_ms))
    };
    let now = NOW.as_ms();
    let end = acme.document.keys(KeyUse::Tls).next().expect("a key").not_after * 1000;
    let refused = Err(ErrorCode::AuthFailed);
    assert_eq!(check(KeyUse::Tls, &tls, now), Ok(()));
    assert_eq!(check(KeyUse::Tls, &tls, now - limits::CLOCK_SKEW_MS), Ok(()), "a clock behind");
    assert_eq!(check(KeyUse::Event, &tls, now), refused, "another use");
    assert_eq!(check(KeyUse::Tls, &acme.keys.event.public(), now), refused);
    assert_eq!(check(KeyUse::Tls, &acme.keys.root.public(), now), refused, "the root key");
    assert_eq!(check(KeyUse::Tls, &tls, now - 4 * limits::CLOCK_SKEW_MS), refused, "not yet");
    assert_eq!(check(KeyUse::Tls, &tls, end + 1_000), refused, "no more");
}

// [ID-5]
#[test]
fn an_expired_document_lends_no_key_its_word_and_a_revoked_key_is_none() {
    let acme = domain("acme.test", 1);
    let mut fields = acme.document.successor(NOW);
    fields.expires = NOW.as_s() + 86_400;
    let short = DomainDocument::issue(&fields, &acme.keys.root).expect("a document");
    let tls = acme.keys.tls.public();
    assert_eq!(short.check_key(KeyUse::Tls, &tls, NOW.plus_ms(DAY_MS)), Ok(()));
    assert_eq!(short.check_key(KeyUse::Tls, &tls, NOW.plus_ms(DAY_MS + 1_000)), Err(ErrorCode::AuthFailed));
    fields.keys.retain(|key| key.key != tls);
    let revoked = DomainDocument::issue(&fields, &acme.keys.root).expect("a document");
    assert_eq!(revoked.check_key(KeyUse::Tls, &tls, NOW), Err(ErrorCode::AuthFailed));
}

// [ID-6]
#[test]
fn an_event_head_is_signed_by_a_listed_event_key() {
    let acme = domain("acme.test", 1);
    let by = |key: &SecretKey| signed::sign::<proto::EventHead>(key, b"head");
    assert_eq!(acme.document.verify_event(b"head", &by(&acme.keys.event)), Ok(()));
    assert_eq!(acme.document.verify_event(b"heap", &by(&acme.keys.event)), Err(ErrorCode::BadSignature));
    for key in [&acme.keys.tls, &acme.keys.binding, &acme.keys.root] {
        assert_eq!(acme.document.verify_event(b"head", &by(key)), Err(ErrorCode::BadSignature));
    }
}

// [ID-1]
#[test]
fn a_fingerprint_is_the_hash_of_the_root_key() {
    let acme = domain("acme.test", 1);
    let expected: [u8; 32] = Sha256::digest(acme.keys.root.public().as_bytes()).into();
    assert_eq!(fingerprint(acme.document.root_key()), expected);
}
