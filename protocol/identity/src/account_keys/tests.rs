//! What a domain may state about an account, and what is refused.

use bytes::Bytes;
use machine::Timestamp;
use wire::proto::{self, Signed};
use wire::{SecretKey, signed};

use super::*;
use crate::fixture::{DAY_MS, NOW, Person, bad_signatures, domain, flipped_bodies, person};

/// A statement with a change, signed again by the same key.
fn changed<S: signed::Statement>(good: &Signed, key: &SecretKey, change: impl FnOnce(&mut S)) -> Signed {
    let mut statement: S = signed::decode(&good.body).expect("a statement");
    change(&mut statement);
    let body = statement.encode_to_vec();
    let signature = Bytes::copy_from_slice(&signed::sign::<S>(key, &body));
    Signed { body: body.into(), signature, account_signature: Bytes::new() }
}

fn check(keys: &AccountKeys, now: Timestamp) -> Result<AccountView, ErrorCode> {
    check_account_keys(keys, &domain("acme.test", 1).document, now)
}

fn alice() -> Person {
    person("alice@acme.test", &domain("acme.test", 1), 2)
}

#[test]
fn the_keys_of_an_account_hold() {
    let alice = alice();
    let view = check(&alice.keys(), NOW).expect("a view");
    assert_eq!((&view.account, view.binding_seq, view.list_seq), (&alice.account, 1, 1));
    assert_eq!(view.account_key, alice.account_key.public());
    assert!(view.has_device(alice.device, &alice.device_key.public()));
    assert!(!view.has_device(alice.device, &alice.account_key.public()));
    assert_eq!(view.follows(&view), Ok(()));
}

// [ID-14]
#[test]
fn a_part_that_is_missing_or_not_of_this_account_is_refused() {
    let alice = alice();
    let bob = person("bob@acme.test", &domain("acme.test", 1), 3);
    let good = alice.keys();
    let with = |change: &dyn Fn(&mut AccountKeys)| {
        let mut keys = good.clone();
        change(&mut keys);
        check(&keys, NOW)
    };
    let refused = |code| Err::<AccountView, _>(code);
    assert_eq!(with(&|k| k.binding = None), refused(ErrorCode::Malformed));
    assert_eq!(with(&|k| k.device_list = None), refused(ErrorCode::Malformed));
    assert_eq!(with(&|k| k.certificates.clear()), refused(ErrorCode::Malformed));
    assert_eq!(
        with(&|k| k.certificates = vec![alice.certificate.signed().clone(); 21]),
        refused(ErrorCode::TooLarge)
    );
    assert_eq!(with(&|k| k.device_list = Some(bob.list.signed().clone())), refused(ErrorCode::BadSignature));
    assert_eq!(
        with(&|k| k.certificates = vec![bob.certificate.signed().clone()]),
        refused(ErrorCode::BadSignature)
    );
    let foreign_list = changed::<proto::DeviceList>(alice.list.signed(), &alice.account_key, |list| {
        list.account = "bob@acme.test".into();
    });
    assert_eq!(with(&|k| k.device_list = Some(foreign_list.clone())), refused(ErrorCode::AuthFailed));
    type Change = fn(&mut proto::DeviceCertificate);
    let foreign: [(&str, Change); 3] = [
        ("account", |c| c.account = "bob@acme.test".into()),
        ("device", |c| c.device_id = vec![9; 16].into()),
        ("key", |c| c.signature_key = vec![9; 32].into()),
    ];
    for (name, change) in foreign {
        let certificate = changed(alice.certificate.signed(), &alice.account_key, change);
        let outcome = with(&|k| k.certificates = vec![certificate.clone()]);
        assert_eq!(outcome, refused(ErrorCode::AuthFailed), "{name}");
    }
}

// [ID-10]
#[test]
fn a_binding_needs_both_signatures_of_the_right_keys() {
    let (acme, alice) = (domain("acme.test", 1), alice());
    let binding = alice.binding.signed();
    let with = |signed: Signed| AccountBinding::parse(&signed)?.verify(&acme.document, NOW);
    assert_eq!(with(binding.clone()), Ok(()));
    for (name, signed) in bad_signatures(binding) {
        assert_eq!(with(signed), Err(ErrorCode::BadSignature), "domain: {name}");
    }
    let swapped = Signed {
        signature: binding.account_signature.clone(),
        account_signature: binding.signature.clone(),
        ..binding.clone()
    };
    for (name, signed) in bad_signatures(&swapped) {
        let signed =
            Signed { signature: binding.signature.clone(), account_signature: signed.signature, ..signed };
        assert_eq!(with(signed), Err(ErrorCode::BadSignature), "account: {name}");
    }
    assert_eq!(with(swapped), Err(ErrorCode::BadSignature), "swapped");
    for key in [&acme.keys.tls, &acme.keys.event, &acme.keys.root, &alice.account_key] {
        let signed = alice.binding.countersign(key).signed().clone();
        assert_eq!(with(signed), Err(ErrorCode::BadSignature), "another key of the domain");
    }
    for (bit, flipped) in flipped_bodies(binding) {
        assert!(with(flipped).is_err(), "bit {bit}");
    }
    let umbrella = domain("umbrella.test", 4);
    assert_eq!(alice.binding.verify(&umbrella.document, NOW), Err(ErrorCode::OriginMismatch));
}

// [ID-9]
#[test]
fn a_binding_out_of_bounds_is_malformed() {
    let alice = alice();
    type Change = fn(&mut proto::AccountBinding);
    let table: [(&str, Change); 7] = [
        ("a name in upper case", |b| b.account = "Alice@acme.test".into()),
        ("a short key", |b| b.account_key = vec![1; 31].into()),
        ("no mode", |b| b.mode = 0),
        ("an unknown mode", |b| b.mode = 3),
        ("seq 0", |b| b.seq = 0),
        ("seq 1 with a hash", |b| b.prev_hash = vec![0; 32].into()),
        ("seq 2 without one", |b| b.seq = 2),
    ];
    for (name, change) in table {
        let once = changed(alice.binding.signed(), &alice.account_key, change);
        let signed = Signed { account_signature: once.signature.clone(), ..once };
        assert_eq!(AccountBinding::parse(&signed).map(drop), Err(ErrorCode::Malformed), "{name}");
    }
}

// [ID-4] [ID-10]
#[test]
fn a_binding_begins_while_its_domain_key_is_in_force() {
    let (acme, alice) = (domain("acme.test", 1), alice());
    let at = |not_before: u64, now: Timestamp| {
        let once = changed::<proto::AccountBinding>(alice.binding.signed(), &alice.account_key, |binding| {
            binding.not_before = not_before;
        });
        let signed = Signed { account_signature: once.signature.clone(), ..once };
        AccountBinding::parse(&signed)?.countersign(&acme.keys.binding).verify(&acme.document, now)
    };
    let now = NOW.as_s();
    assert_eq!(at(now, NOW), Ok(()));
    assert_eq!(at(now + limits::CLOCK_SKEW_MS / 1000, NOW), Ok(()), "a clock behind");
    assert_eq!(at(now + limits::CLOCK_SKEW_MS / 1000 + 1, NOW), Err(ErrorCode::AuthFailed), "not yet");
    assert_eq!(at(now - limits::CLOCK_SKEW_MS / 1000 - 1, NOW), Err(ErrorCode::AuthFailed), "before the key");
    let late = now + limits::DOMAIN_KEY_VALID_S + 1;
    assert_eq!(at(late, Timestamp::from_ms(late * 1000)), Err(ErrorCode::AuthFailed), "after the key");
}

// [ID-11] [ID-12]
#[test]
fn device_lists_out_of_bounds_stale_or_signed_by_another_are_refused() {
    let alice = alice();
    type Change = fn(&mut proto::DeviceList);
    let table: [(&str, Change, ErrorCode); 12] = [
        ("a name in upper case", |l| l.account = "Alice@acme.test".into(), ErrorCode::Malformed),
        ("seq 0", |l| l.seq = 0, ErrorCode::Malformed),
        ("seq 2 without hash", |l| l.seq = 2, ErrorCode::Malformed),
        ("expires at once", |l| l.expires = l.issued, ErrorCode::Malformed),
        ("valid for ever", |l| l.expires = u64::MAX, ErrorCode::Malformed),
        ("a device twice", |l| l.devices.push(l.devices[0].clone()), ErrorCode::Malformed),
        (
            "a key twice",
            |l| {
                let copy = proto::ListedDevice { device_id: vec![9; 16].into(), ..l.devices[0].clone() };
                l.devices.push(copy);
            },
            ErrorCode::Malformed,
        ),
        (
            "a device that is revoked",
            |l| l.revoked.push(proto::RevokedDevice { device_id: l.devices[0].device_id.clone(), at: 1 }),
            ErrorCode::Malformed,
        ),
        (
            "too many devices",
            |l| {
                l.devices = (0..21)
                    .map(|n| proto::ListedDevice {
                        device_id: vec![n; 16].into(),
                        signature_key: vec![n; 32].into(),
                        added: 1,
                    })
                    .collect();
            },
            ErrorCode::Malformed,
        ),
        ("a short device id", |l| l.devices[0].device_id = vec![1; 15].into(), ErrorCode::Malformed),
        (
            "issued in the future",
            |l| (l.issued, l.expires) = (l.issued + 301, l.expires + 301),
            ErrorCode::AuthFailed,
        ),
        (
            "expired",
            |l| (l.issued, l.expires) = (l.issued - 31_536_001, l.expires - 31_536_001),
            ErrorCode::Expired,
        ),
    ];
    let outcome = |signed: &Signed| {
        DeviceList::parse(signed).and_then(|list| list.verify(&alice.account_key.public(), NOW))
    };
    for (name, change, expected) in table {
        let signed = changed(alice.list.signed(), &alice.account_key, change);
        assert_eq!(outcome(&signed), Err(expected), "{name}");
    }
    for (name, signed) in bad_signatures(alice.list.signed()) {
        assert_eq!(outcome(&signed), Err(ErrorCode::BadSignature), "{name}");
    }
    for (bit, flipped) in flipped_bodies(alice.list.signed()) {
        assert!(outcome(&flipped).is_err(), "bit {bit}");
    }
    let empty = changed::<proto::DeviceList>(alice.list.signed(), &alice.account_key, |l| l.devices.clear());
    assert_eq!(outcome(&empty), Ok(()), "an account may have no device left");
}

#[test]
fn the_next_list_is_chained_and_keeps_when_a_device_was_added() {
    let alice = alice();
    let later = NOW.plus_ms(30 * DAY_MS);
    let (new_id, new_key) = (wire::DeviceId::new([8; 16]), SecretKey::from_seed(&[8; 32].into()).public());
    let devices = [(alice.device, alice.device_key.public()), (new_id, new_key)];
    let next = DeviceList::issue(&alice.account, Some(&alice.list), &devices, &[], &alice.account_key, later)
        .expect("a list");
    assert_eq!((next.seq(), next.prev_hash()), (2, Some(&alice.list.hash())));
    let body: proto::DeviceList = signed::decode(&next.signed().body).expect("a list");
    let added: Vec<u64> = body.devices.iter().map(|device| device.added).collect();
    assert_eq!(added, [NOW.as_s(), later.as_s()]);
}

// [ID-13]
#[test]
fn certificates_out_of_bounds_out_of_force_or_signed_by_another_are_refused() {
    let alice = alice();
    type Change = fn(&mut proto::DeviceCertificate);
    let table: [(&str, Change, ErrorCode); 7] = [
        ("no account", |c| c.account.clear(), ErrorCode::Malformed),
        ("a long device id", |c| c.device_id = vec![1; 17].into(), ErrorCode::Malformed),
        ("a short key", |c| c.signature_key = vec![1; 31].into(), ErrorCode::Malformed),
        ("no time at all", |c| c.not_after = c.not_before, ErrorCode::Malformed),
        ("a century", |c| c.not_after = c.not_before + 3_153_600_000, ErrorCode::Malformed),
        (
            "not yet",
            |c| (c.not_before, c.not_after) = (c.not_before + 301, c.not_after + 301),
            ErrorCode::AuthFailed,
        ),
        (
            "no more",
            |c| (c.not_before, c.not_after) = (c.not_before - 9, c.not_before - 1),
            ErrorCode::Expired,
        ),
    ];
    let outcome = |signed: &Signed| {
        DeviceCertificate::parse(signed).and_then(|cert| cert.verify(&alice.account_key.public(), NOW))
    };
    for (name, change, expected) in table {
        let signed = changed(alice.certificate.signed(), &alice.account_key, change);
        assert_eq!(outcome(&signed), Err(expected), "{name}");
    }
    for (name, signed) in bad_signatures(alice.certificate.signed()) {
        assert_eq!(outcome(&signed), Err(ErrorCode::BadSignature), "{name}");
    }
    for (bit, flipped) in flipped_bodies(alice.certificate.signed()) {
        assert!(outcome(&flipped).is_err(), "bit {bit}");
    }
}

// [SIGN-1] [SIGN-2]
#[test]
fn no_statement_is_accepted_in_the_place_of_another() {
    let (acme, alice) = (domain("acme.test", 1), alice());
    let as_account =
        |signed: &Signed| Signed { account_signature: signed.signature.clone(), ..signed.clone() };
    let statements = [
        ("document", acme.document.signed().clone()),
        ("binding", alice.binding.signed().clone()),
        ("list", alice.list.signed().clone()),
        ("certificate", alice.certificate.signed().clone()),
    ];
    for (name, signed) in &statements {
        for signed in [signed.clone(), as_account(signed)] {
            let key = alice.account_key.public();
            let outcomes = [
                ("document", DomainDocument::parse(&signed).map(drop)),
                ("binding", AccountBinding::parse(&signed).and_then(|b| b.verify(&acme.document, NOW))),
                ("list", DeviceList::parse(&signed).and_then(|list| list.verify(&key, NOW))),
                ("certificate", DeviceCertificate::parse(&signed).and_then(|c| c.verify(&key, NOW))),
            ];
            for (place, outcome) in outcomes {
                let refused = matches!(outcome, Err(ErrorCode::Malformed | ErrorCode::BadSignature));
                assert!(refused || name == &place, "{name} as {place}: {outcome:?}");
            }
        }
    }
}

// [ID-15]
#[test]
fn what_is_known_of_an_account_goes_forward_only() {
    let view = check(&alice().keys(), NOW).expect("a view");
    let with = |change: fn(&mut AccountView)| {
        let mut next = view.clone();
        change(&mut next);
        next.follows(&view)
    };
    assert_eq!(with(|v| (v.list_seq, v.list_hash) = (2, [1; 32])), Ok(()));
    assert_eq!(with(|v| v.account = "bob@acme.test".parse().unwrap()), Err(ErrorCode::OriginMismatch));
    assert_eq!(with(|v| v.account_key = PublicKey::new([1; 32])), Err(ErrorCode::KeyUnverified));
    assert_eq!(with(|v| v.list_seq = 0), Err(ErrorCode::Superseded));
    assert_eq!(with(|v| v.binding_seq = 0), Err(ErrorCode::Superseded));
    assert_eq!(with(|v| v.list_hash = [1; 32]), Err(ErrorCode::ForkedLog));
    assert_eq!(with(|v| v.binding_hash = [1; 32]), Err(ErrorCode::ForkedLog));
}

// [ID-17]
#[test]
fn an_enrolment_has_the_account_signature_only() {
    let alice = alice();
    let proposal = AccountBinding::propose(&alice.account, &alice.account_key, AccountMode::UserHeld, NOW);
    let enrolment =
        AccountKeys { binding: proposal.ok().map(|binding| binding.signed().clone()), ..alice.keys() };
    let (binding, view) = check_enrolment(&enrolment, NOW).expect("an enrolment");
    assert_eq!((binding.account(), view.account), (&alice.account, alice.account.clone()));
    assert_eq!(check(&enrolment, NOW), Err(ErrorCode::BadSignature), "the domain has not signed");
    assert_eq!(check_enrolment(&alice.keys(), NOW).map(drop), Err(ErrorCode::Malformed), "signed already");
    let future = NOW.as_ms() - 2 * limits::CLOCK_SKEW_MS;
    assert_eq!(
        check_enrolment(&enrolment, Timestamp::from_ms(future)).map(drop),
        Err(ErrorCode::AuthFailed),
        "a device whose clock is ahead"
    );
}
