//! Proofs that hold for one device in one TLS session, and for nothing else.

use super::*;
use crate::fixture::{NOW, domain, person};

const EXPORTER: [u8; 32] = [5; 32];

// [ID-18]
#[test]
fn a_proof_holds_for_its_device_its_session_and_its_time() {
    let acme = domain("acme.test", 1);
    let (alice, bob) = (person("alice@acme.test", &acme, 3), person("bob@acme.test", &acme, 4));
    let key = alice.device_key.public();
    let hello = sign(&alice.device_key, &alice.account, alice.device, &EXPORTER, NOW);
    assert_eq!(claim(&hello), Ok((alice.account.clone(), alice.device)));
    assert_eq!(verify(&hello, &key, &EXPORTER, NOW), Ok(()));
    let refused = Err(WireError::from(ErrorCode::AuthFailed));
    assert_eq!(verify(&hello, &key, &[6; 32], NOW), refused, "replayed in another session");
    assert_eq!(verify(&hello, &bob.device_key.public(), &EXPORTER, NOW), refused, "another device's key");
    type Change = fn(&mut SessionHello);
    let table: [(&str, Change, ErrorCode); 8] = [
        ("another account", |h| h.account = "bob@acme.test".into(), ErrorCode::AuthFailed),
        ("another device", |h| h.device_id = vec![9; 16].into(), ErrorCode::AuthFailed),
        ("another time", |h| h.time_ms += 1, ErrorCode::AuthFailed),
        ("no signature", |h| h.signature.clear(), ErrorCode::AuthFailed),
        ("half a signature", |h| h.signature.truncate(32), ErrorCode::AuthFailed),
        ("zeros", |h| h.signature = vec![0; 64].into(), ErrorCode::AuthFailed),
        ("an account in upper case", |h| h.account = "Alice@acme.test".into(), ErrorCode::Malformed),
        ("a short device id", |h| h.device_id = vec![1; 15].into(), ErrorCode::Malformed),
    ];
    for (name, change, expected) in table {
        let mut changed = hello.clone();
        change(&mut changed);
        assert_eq!(verify(&changed, &key, &EXPORTER, NOW), Err(expected.into()), "{name}");
    }
}

// [ID-18]
#[test]
fn a_clock_that_is_off_is_named_with_the_time_here() {
    let acme = domain("acme.test", 1);
    let alice = person("alice@acme.test", &acme, 3);
    let key = alice.device_key.public();
    let hello = sign(&alice.device_key, &alice.account, alice.device, &EXPORTER, NOW);
    let at = |ms: u64| verify(&hello, &key, &EXPORTER, Timestamp::from_ms(ms));
    for near in [NOW.as_ms() - limits::CLOCK_SKEW_MS, NOW.as_ms() + limits::CLOCK_SKEW_MS] {
        assert_eq!(at(near), Ok(()));
    }
    let far = [0, NOW.as_ms() - limits::CLOCK_SKEW_MS - 1, NOW.as_ms() + limits::CLOCK_SKEW_MS + 1, u64::MAX];
    for far in far {
        assert_eq!(at(far), Err(WireError::with_value(ErrorCode::ClockSkew, far)));
    }
}
