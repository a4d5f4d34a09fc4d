//! Vectors of chapter 3: signatures and the four kinds of signed statements.

use bytes::Bytes;
use machine::Timestamp;
use serde_json::{Value, json};
use wire::ErrorCode::{AuthFailed, BadSignature, Expired, Malformed, TooLarge};
use wire::proto::{self, Signed};
use wire::signed::{self, Statement};
use wire::{PublicKey, SecretKey};

use super::people::{NOW, acme, alice, secret};
use super::{File, file};
use crate::Case;
use crate::field::{hex, message};

pub(super) fn all() -> Vec<File> {
    vec![signatures(), documents(), bindings(), lists(), certificates(), in_each_others_place()]
}

fn signatures() -> File {
    let (key, label, body) = (secret(1).public(), "comity/v1/Example", b"body");
    let good = secret(1).sign(&signed::input(label, body));
    let with = |key: &PublicKey, label: &str, body: &[u8], signature: &[u8]| json!({ "public_key": key.to_string(), "label": label, "body": hex(body), "signature": hex(signature) });
    let bad = |name: &str, input: Value| Case::bad(name, input, BadSignature);
    let mut small = [0; 32];
    small[0] = 1;
    let of_small = [small.as_slice(), &[0; 32]].concat();
    let mut cases = vec![
        Case::good(
            "label, a zero byte, body",
            with(&key, label, body, &good),
            json!({ "signed_bytes": hex(b"comity/v1/Example\0body") }),
        ),
        bad("another label", with(&key, "comity/v1/Another", body, &good)),
        bad("another body", with(&key, label, b"bodies", &good)),
        bad("another key", with(&secret(2).public(), label, body, &good)),
        bad("no signature", with(&key, label, body, &[])),
        bad("zeros", with(&key, label, body, &[0; 64])),
        bad("65 bytes", with(&key, label, body, &[good.as_slice(), &[0]].concat())),
        bad("S plus the order of the group", with(&key, label, body, &plus_order(&good))),
        bad("a key of small order", with(&PublicKey::new(small), label, body, &of_small)),
        bad("no point of the curve", with(&PublicKey::new([2; 32]), label, body, &good)),
        bad("without label", with(&key, label, body, &secret(1).sign(body))),
    ];
    cases.extend([1, 32, 63].map(|n| bad(&format!("{n} bytes"), with(&key, label, body, &good[..n]))));
    file("signature", "verify", "Strict Ed25519 over label, a zero byte and body.", cases)
}

/// The same signature with S + L, which a lenient verifier takes as well.
fn plus_order(signature: &[u8; 64]) -> [u8; 64] {
    const ORDER: [u8; 16] =
        [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14];
    let order = ORDER.into_iter().chain([0; 15]).chain([0x10]);
    let mut changed = *signature;
    let mut carry = 0;
    for (byte, order) in changed[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    changed
}

/// A statement with a change, signed again by `key`.
pub(super) fn changed<S: Statement>(good: &Signed, key: &SecretKey, change: impl FnOnce(&mut S)) -> Signed {
    let mut statement = S::decode(good.body.as_ref()).unwrap_or_default();
    change(&mut statement);
    resigned::<S>(&statement.encode_to_vec(), key)
}

fn resigned<S: Statement>(body: &[u8], key: &SecretKey) -> Signed {
    Signed {
        body: Bytes::copy_from_slice(body),
        signature: Bytes::copy_from_slice(&signed::sign::<S>(key, body)),
        account_signature: Bytes::new(),
    }
}

fn input(kind: &str, signed: &Signed, key: &SecretKey, now: Timestamp) -> Value {
    json!({ "kind": kind, "signed": message(signed), "public_key": key.public().to_string(), "now_ms": now.as_ms() })
}

/// Encodings of a good statement that are not its one encoding, all signed anew.
fn encodings<S: Statement>(kind: &str, good: &Signed, key: &SecretKey) -> Vec<Case> {
    let body = good.body.as_ref();
    let first = 2 + usize::from(body.get(1).copied().unwrap_or_default());
    let (front, back) = body.split_at(first);
    [
        ("a trailing byte", [body, &[0]].concat()),
        ("an unknown field", [body, &[0xf8, 0x01, 0x01]].concat()),
        ("its first field twice", [front, body].concat()),
        ("its first field last", [back, front].concat()),
        ("a length in two bytes", [&[body[0], body[1] | 0x80, 0], &body[2..]].concat()),
        ("a byte less", body[..body.len() - 1].to_vec()),
    ]
    .map(|(name, body)| {
        let mut signed = resigned::<S>(&body, key);
        if kind == "binding" {
            signed.account_signature = signed.signature.clone();
        }
        Case::bad(name, input(kind, &signed, key, NOW), Malformed)
    })
    .to_vec()
}

/// Damage to the bytes under a good signature, and to the signature.
fn damage(kind: &str, good: &Signed, key: &SecretKey) -> Vec<Case> {
    let own = |signed: &Signed| {
        if kind == "binding" { signed.account_signature.clone() } else { signed.signature.clone() }
    };
    let with = |signature: Bytes| match kind {
        "binding" => Signed { account_signature: signature, ..good.clone() },
        _ => Signed { signature, ..good.clone() },
    };
    let bad = |name: &str, signed: &Signed| Case::bad(name, input(kind, signed, key, NOW), BadSignature);
    let mut flipped = own(good).to_vec();
    flipped[40] ^= 1;
    vec![
        bad("a signature of zeros", &with(Bytes::from_static(&[0; 64]))),
        bad("half a signature", &with(own(good).slice(..32))),
        bad("a signature with one bit flipped", &with(flipped.into())),
        bad("no signature", &with(Bytes::new())),
    ]
}

fn documents() -> File {
    let (acme, root) = (acme(), acme().keys.root);
    let good = acme.document.signed();
    let row = |signed: &Signed| input("document", signed, &root, NOW);
    type Change = fn(&mut proto::DomainDocument);
    let rows: [(&str, Change); 16] = [
        ("a domain in upper case", |d| d.domain = "Acme.test".into()),
        ("seq 0", |d| d.seq = 0),
        ("seq 1 with a previous hash", |d| d.prev_hash = vec![1; 32].into()),
        ("seq 2 without one", |d| d.seq = 2),
        ("a next root hash of 31 bytes", |d| d.next_root_hash.truncate(31)),
        ("no recovery hash", |d| d.recovery_hash.clear()),
        ("a root key of 33 bytes", |d| d.root_key = vec![1; 33].into()),
        ("33 keys", |d| {
            d.keys =
                (0..33).map(|n| proto::DomainKey { key: vec![n; 32].into(), ..d.keys[0].clone() }).collect();
        }),
        ("a key twice", |d| d.keys.push(d.keys[0].clone())),
        ("the root key in another use", |d| d.keys[0].key = d.root_key.clone()),
        ("a key without use", |d| d.keys[0].r#use = 0),
        ("a key of an unknown use", |d| d.keys[0].r#use = 4),
        ("a key that ends before it begins", |d| d.keys[0].not_after = d.keys[0].not_before - 1),
        ("no endpoint", |d| d.endpoints.clear()),
        ("an endpoint without port", |d| d.endpoints[0] = "acme.test".into()),
        ("valid for longer than two years", |d| d.expires += 1),
    ];
    let hash = hex(acme.document.hash());
    let mut cases = vec![Case::good(
        "the first document of acme.test",
        row(good),
        json!({ "domain": "acme.test", "seq": 1, "hash": hash }),
    )];
    cases.extend(rows.map(|(name, change)| Case::bad(name, row(&changed(good, &root, change)), Malformed)));
    let large: Change = |d| d.endpoints = vec!["a.test:1".into(); 2_000];
    cases.push(Case::bad("16,385 bytes or more", row(&changed(good, &root, large)), TooLarge));
    let moved: Change = |d| d.endpoints[0] = "evil.test:4433".into();
    let forged = Signed { body: changed(good, &root, moved).body, ..good.clone() };
    cases.push(Case::bad("another endpoint under the same signature", row(&forged), BadSignature));
    let mut by_another = resigned::<proto::DomainDocument>(&good.body, &acme.keys.tls);
    cases.push(Case::bad("signed by the TLS key", row(&by_another), BadSignature));
    by_another = Signed { account_signature: good.signature.clone(), ..good.clone() };
    cases.push(Case::bad("a second signature", row(&by_another), Malformed));
    cases.extend(encodings::<proto::DomainDocument>("document", good, &root));
    cases.extend(damage("document", good, &root));
    file(
        "document",
        "statement",
        "Domain documents: form, and the signature of the root key that they name.",
        cases,
    )
}

fn bindings() -> File {
    let alice = alice();
    let (good, key) = (alice.binding.signed(), &alice.account_key);
    type Change = fn(&mut proto::AccountBinding);
    let rows: [(&str, Change); 7] = [
        ("an account in upper case", |b| b.account = "Alice@acme.test".into()),
        ("an account key of 31 bytes", |b| b.account_key.truncate(31)),
        ("no mode", |b| b.mode = 0),
        ("an unknown mode", |b| b.mode = 3),
        ("seq 0", |b| b.seq = 0),
        ("seq 1 with a previous hash", |b| b.prev_hash = vec![0; 32].into()),
        ("seq 2 without one", |b| b.seq = 2),
    ];
    let mut cases = vec![Case::good(
        "alice's binding",
        input("binding", good, key, NOW),
        json!({ "account": "alice@acme.test", "seq": 1, "hash": hex(alice.binding.hash()) }),
    )];
    cases.extend(rows.map(|(name, change)| {
        let once = changed(good, key, change);
        let signed = Signed { account_signature: once.signature.clone(), ..once };
        Case::bad(name, input("binding", &signed, key, NOW), Malformed)
    }));
    let another: Change = |b| b.account_key = vec![9; 32].into();
    let forged = Signed { body: changed(good, key, another).body, ..good.clone() };
    cases.push(Case::bad(
        "another account key under the same signatures",
        input("binding", &forged, key, NOW),
        BadSignature,
    ));
    cases.extend(encodings::<proto::AccountBinding>("binding", good, key));
    cases.extend(damage("binding", good, key));
    let about =
        "Account bindings: form, and the signature of the account key. The domain's is in account-keys.";
    file("binding", "statement", about, cases)
}

fn lists() -> File {
    let alice = alice();
    let (good, key) = (alice.list.signed(), &alice.account_key);
    type Change = fn(&mut proto::DeviceList);
    let rows: [(&str, Change, wire::ErrorCode); 9] = [
        ("no account", |l| l.account.clear(), Malformed),
        ("seq 2 without a previous hash", |l| l.seq = 2, Malformed),
        ("no time at all", |l| l.expires = l.issued, Malformed),
        ("valid for longer than a year", |l| l.expires += 1, Malformed),
        ("a device twice", |l| l.devices.push(l.devices[0].clone()), Malformed),
        ("a device id of 15 bytes", |l| l.devices[0].device_id.truncate(15), Malformed),
        (
            "a device that is revoked",
            |l| l.revoked.push(proto::RevokedDevice { device_id: l.devices[0].device_id.clone(), at: 1 }),
            Malformed,
        ),
        ("issued in the future", |l| (l.issued, l.expires) = (l.issued + 301, l.expires + 301), AuthFailed),
        ("expired", |l| (l.issued, l.expires) = (l.issued - 9, l.issued - 1), Expired),
    ];
    let mut cases = vec![Case::good(
        "alice's list",
        input("device-list", good, key, NOW),
        json!({ "account": "alice@acme.test", "seq": 1, "hash": hex(alice.list.hash()) }),
    )];
    cases.extend(rows.map(|(name, change, error)| {
        Case::bad(name, input("device-list", &changed(good, key, change), key, NOW), error)
    }));
    cases.extend(encodings::<proto::DeviceList>("device-list", good, key));
    cases.extend(damage("device-list", good, key));
    file("device-list", "statement", "Device lists: form, signature of the account key, freshness.", cases)
}

fn certificates() -> File {
    let alice = alice();
    let (good, key) = (alice.certificate.signed(), &alice.account_key);
    type Change = fn(&mut proto::DeviceCertificate);
    let rows: [(&str, Change, wire::ErrorCode); 6] = [
        ("an account without domain", |c| c.account = "alice".into(), Malformed),
        ("a device id of 17 bytes", |c| c.device_id = vec![1; 17].into(), Malformed),
        ("a key of 31 bytes", |c| c.signature_key.truncate(31), Malformed),
        ("valid for longer than a year", |c| c.not_after += 1, Malformed),
        (
            "not in force yet",
            |c| (c.not_before, c.not_after) = (c.not_before + 301, c.not_after + 301),
            AuthFailed,
        ),
        ("in force no more", |c| (c.not_before, c.not_after) = (c.not_before - 9, c.not_before - 1), Expired),
    ];
    let mut cases = vec![Case::good(
        "alice's device",
        input("certificate", good, key, NOW),
        json!({
            "account": "alice@acme.test",
            "device_id": alice.device.to_string(),
            "signature_key": alice.device_key.public().to_string(),
        }),
    )];
    cases.extend(rows.map(|(name, change, error)| {
        Case::bad(name, input("certificate", &changed(good, key, change), key, NOW), error)
    }));
    cases.extend(encodings::<proto::DeviceCertificate>("certificate", good, key));
    cases.extend(damage("certificate", good, key));
    file(
        "certificate",
        "statement",
        "Device certificates: form, signature of the account key, validity.",
        cases,
    )
}

/// The bytes of a certificate under the label of each other kind, and each kind in each other's
/// place.
fn in_each_others_place() -> File {
    let (acme, alice) = (acme(), alice());
    let key = &alice.account_key;
    let body = alice.certificate.signed().body.clone();
    let labels: [(&str, Signed); 5] = [
        ("DomainDocument", resigned::<proto::DomainDocument>(&body, key)),
        ("AccountBinding", resigned::<proto::AccountBinding>(&body, key)),
        ("DeviceList", resigned::<proto::DeviceList>(&body, key)),
        ("EventHead", resigned::<proto::EventHead>(&body, key)),
        ("DeviceCertificate", resigned::<proto::DeviceCertificate>(&body, key)),
    ];
    let mut cases: Vec<Case> = labels
        .iter()
        .map(|(label, signed)| {
            let (name, input) =
                (format!("a certificate's bytes signed as {label}"), input("certificate", signed, key, NOW));
            if *label != "DeviceCertificate" {
                return Case::bad(name, input, BadSignature);
            }
            let output = json!({
                "account": "alice@acme.test",
                "device_id": alice.device.to_string(),
                "signature_key": alice.device_key.public().to_string(),
            });
            Case::good(name, input, output)
        })
        .collect();
    let kinds = [
        ("document", acme.document.signed()),
        ("binding", alice.binding.signed()),
        ("device-list", alice.list.signed()),
        ("certificate", alice.certificate.signed()),
    ];
    for (kind, signed) in kinds {
        for (place, _) in kinds.iter().filter(|(place, _)| *place != kind) {
            let signed = match *place {
                "binding" => Signed { account_signature: signed.signature.clone(), ..signed.clone() },
                _ => Signed { account_signature: Bytes::new(), ..signed.clone() },
            };
            cases.push(Case::bad(
                format!("a {kind} as a {place}"),
                input(place, &signed, key, NOW),
                Malformed,
            ));
        }
    }
    file("cross-use", "statement", "Statements of one kind in the place of another.", cases)
}
