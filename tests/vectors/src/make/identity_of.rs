//! Vectors of chapter 3: chains, accounts, leaves, sessions, tickets and key files.

use identity::key_file::{self, KeyKind};
use identity::{DocumentFields, DomainDocument, Ticket, fingerprint, session};
use machine::Timestamp;
use serde_json::{Value, json};
use wire::ErrorCode::{
    AuthFailed, BadSignature, ClockSkew, Expired, ForkedLog, KeyUnverified, Malformed, OriginMismatch,
    TooLarge,
};
use wire::proto::{self, AccountKeys, LeafIdentity, SessionHello, Signed};
use wire::{PublicKey, SecretKey};

use super::people::{NOW, acme, alice, at_acme, bob, secret, umbrella};
use super::statements::changed;
use super::{File, file};
use crate::Case;
use crate::field::{hex, message};

pub(super) fn all() -> Vec<File> {
    vec![chains(), domain_keys(), accounts(), leaves(), sessions(), tickets(), key_files()]
}

const LATER: Timestamp = NOW.plus_ms(86_400_000);

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn next(after: &DomainDocument, key: &SecretKey, change: impl FnOnce(&mut DocumentFields)) -> DomainDocument {
    let mut fields = after.successor(LATER);
    change(&mut fields);
    DomainDocument::issue(&fields, key).expect("a document")
}

fn chains() -> File {
    let acme = acme();
    let (first, keys) = (&acme.document, &acme.keys);
    let promise = |fields: &mut DocumentFields| fields.next_root_hash = fingerprint(&secret(99).public());
    let renewed = next(first, &keys.root, |_| {});
    let rotated = next(first, &keys.next_root, promise);
    let recovered = next(first, &keys.recovery, promise);
    let pin = fingerprint(&keys.root.public());
    let input = |pin: &[u8; 32], documents: &[&DomainDocument]| {
        let documents: Vec<String> = documents.iter().map(|document| message(document.signed())).collect();
        json!({ "domain": "acme.test", "fingerprint": hex(pin), "documents": documents })
    };
    let good = |name: &str, pin: &[u8; 32], documents: &[&DomainDocument], newest: &DomainDocument| {
        let output = json!({ "seq": newest.seq(), "root_key": newest.root_key().to_string(), "hash": hex(newest.hash()) });
        Case::good(name, input(pin, documents), output)
    };
    let bad =
        |name: &str, second: &DomainDocument, error| Case::bad(name, input(&pin, &[first, second]), error);
    let mut tampered = input(&pin, &[first, &renewed]);
    let no_signature = Signed { signature: vec![0; 64].into(), ..renewed.signed().clone() };
    tampered["documents"][1] = json!(message(&no_signature));
    let third = next(&renewed, &keys.root, |_| {});
    let of_rotated = fingerprint(&keys.next_root.public());
    let cases = vec![
        good("one document", &pin, &[first], first),
        good("the same root key", &pin, &[first, &renewed], &renewed),
        good("the promised next root key", &pin, &[first, &rotated], &rotated),
        good("the recovery key", &pin, &[first, &recovered], &recovered),
        good("a pin of the second root key", &of_rotated, &[first, &rotated], &rotated),
        good("a document twice", &pin, &[first, first, &renewed, &renewed], &renewed),
        Case::bad("no document", input(&pin, &[]), KeyUnverified),
        Case::bad("another fingerprint", input(&[0; 32], &[first]), KeyUnverified),
        bad("a root key that nobody promised", &next(first, &secret(98), |_| {}), KeyUnverified),
        bad("the same root key with another promise", &next(first, &keys.root, promise), KeyUnverified),
        bad(
            "the same root key with another recovery key",
            &next(first, &keys.root, |f| f.recovery_hash = [9; 32]),
            KeyUnverified,
        ),
        bad("a document between is missing", &third, KeyUnverified),
        bad("another history", &next(first, &keys.root, |f| f.prev_hash = Some([9; 32])), ForkedLog),
        bad(
            "a second first document",
            &next(first, &keys.root, |f| (f.seq, f.prev_hash) = (1, None)),
            ForkedLog,
        ),
        bad(
            "another domain",
            &next(first, &keys.root, |f| f.domain = umbrella().document.domain().clone()),
            OriginMismatch,
        ),
        bad(
            "issued before the one it follows",
            &next(first, &keys.root, |f| (f.issued, f.expires) = (NOW.as_s() - 1, LATER.as_s())),
            Malformed,
        ),
        Case::bad("a signature of zeros", tampered, BadSignature),
        Case::bad("33 documents", input(&pin, &[first; 33]), TooLarge),
    ];
    file("chain", "chain", "Documents of one domain, oldest first, read from a pinned fingerprint on.", cases)
}

fn domain_keys() -> File {
    let acme = acme();
    let input = |key: &PublicKey, key_use: &str, now: Timestamp| {
        at_acme(json!({ "public_key": key.to_string(), "use": key_use }), now)
    };
    let (tls, now) = (acme.keys.tls.public(), NOW.as_ms());
    let at = |ms: u64| input(&tls, "tls", Timestamp::from_ms(ms));
    let bad = |name: &str, input: Value| Case::bad(name, input, AuthFailed);
    let cases = vec![
        Case::good("the TLS key", at(now), json!({})),
        Case::good("seen by a clock that is five minutes behind", at(now - 300_000), json!({})),
        bad("in another use", input(&tls, "event", NOW)),
        bad("a key that is not listed", input(&secret(99).public(), "tls", NOW)),
        bad("the root key", input(&acme.keys.root.public(), "tls", NOW)),
        bad("not in force yet", at(now - 601_000)),
        bad("in force no more", at(now + 63_072_001_000)),
    ];
    file("domain-key", "domain-key", "Whether a key speaks for a domain in one use at one time.", cases)
}

fn accounts() -> File {
    let (alice, bob) = (alice(), bob());
    let input = |keys: &AccountKeys, now| at_acme(json!({ "keys": message(keys) }), now);
    let with = |name: &str, change: &dyn Fn(&mut AccountKeys), error| {
        let mut keys = alice.keys();
        change(&mut keys);
        Case::bad(name, input(&keys, NOW), error)
    };
    let binding = alice.binding.signed().clone();
    let other_key = alice.binding.countersign(&acme().keys.tls).signed().clone();
    let alone = Signed { signature: bytes::Bytes::new(), ..binding.clone() };
    let swapped = Signed {
        signature: binding.account_signature.clone(),
        account_signature: binding.signature.clone(),
        ..binding
    };
    let early = {
        let once = changed::<proto::AccountBinding>(alice.binding.signed(), &alice.account_key, |b| {
            b.not_before -= 301
        });
        let by_account = Signed { account_signature: once.signature.clone(), ..once };
        let signature = wire::signed::sign::<proto::AccountBinding>(&acme().keys.binding, &by_account.body);
        Signed { signature: signature.to_vec().into(), ..by_account }
    };
    let renamed = changed::<proto::DeviceCertificate>(alice.certificate.signed(), &alice.account_key, |c| {
        c.device_id = vec![9; 16].into();
    });
    let output = json!({
        "account": "alice@acme.test",
        "account_key": alice.account_key.public().to_string(),
        "devices": [[alice.device.to_string(), alice.device_key.public().to_string()]],
    });
    let foreign = super::people::person("alice@umbrella.test", &umbrella(), 30);
    let cases = vec![
        Case::good("the keys of alice", input(&alice.keys(), NOW), output),
        with("no binding", &|k| k.binding = None, Malformed),
        with("no device list", &|k| k.device_list = None, Malformed),
        with("a certificate is missing", &|k| k.certificates.clear(), Malformed),
        with("a certificate too many", &|k| k.certificates.push(k.certificates[0].clone()), Malformed),
        with("21 certificates", &|k| k.certificates = vec![k.certificates[0].clone(); 21], TooLarge),
        with("bob's device list", &|k| k.device_list = Some(bob.list.signed().clone()), BadSignature),
        with("bob's certificate", &|k| k.certificates = vec![bob.certificate.signed().clone()], BadSignature),
        with(
            "a certificate for a device that is not listed",
            &|k| k.certificates = vec![renamed.clone()],
            AuthFailed,
        ),
        with("the domain has not signed", &|k| k.binding = Some(alone.clone()), BadSignature),
        with("the domain signed with its TLS key", &|k| k.binding = Some(other_key.clone()), BadSignature),
        with("the two signatures swapped", &|k| k.binding = Some(swapped.clone()), BadSignature),
        with("a binding older than the key of the domain", &|k| k.binding = Some(early.clone()), AuthFailed),
        Case::bad("an account of another domain", input(&foreign.keys(), NOW), OriginMismatch),
        Case::bad(
            "a stale device list",
            input(&alice.keys(), Timestamp::from_ms(NOW.as_ms() + 31_536_001_000)),
            Expired,
        ),
    ];
    file("account-keys", "account-keys", "What acme.test states about alice, checked as a whole.", cases)
}

fn leaves() -> File {
    let (alice, bob) = (alice(), bob());
    let input = |identity: &LeafIdentity, key: &SecretKey, now| {
        at_acme(json!({ "identity": message(identity), "leaf_key": key.public().to_string() }), now)
    };
    let with = |name: &str, change: &dyn Fn(&mut LeafIdentity), error| {
        let mut identity = alice.leaf();
        change(&mut identity);
        Case::bad(name, input(&identity, &alice.device_key, NOW), error)
    };
    let minted =
        changed::<proto::DeviceCertificate>(alice.certificate.signed(), &acme().keys.binding, |_| {});
    let output = json!({ "account": "alice@acme.test", "device_id": alice.device.to_string() });
    let expired = Timestamp::from_ms(NOW.as_ms() + 31_536_001_000);
    let cases = vec![
        Case::good("alice's device", input(&alice.leaf(), &alice.device_key, NOW), output),
        Case::bad("another leaf key", input(&alice.leaf(), &bob.device_key, NOW), AuthFailed),
        with("another account", &|l| l.account = "bob@acme.test".into(), AuthFailed),
        with("another device", &|l| l.device_id = vec![9; 16].into(), AuthFailed),
        with("a device id of 15 bytes", &|l| l.device_id = vec![9; 15].into(), Malformed),
        with("no binding", &|l| l.binding = None, Malformed),
        with("no certificate", &|l| l.certificate = None, Malformed),
        with("bob's binding", &|l| l.binding = bob.leaf().binding, BadSignature),
        with("bob's certificate", &|l| l.certificate = bob.leaf().certificate, BadSignature),
        with("a certificate that the domain minted", &|l| l.certificate = Some(minted.clone()), BadSignature),
        Case::bad(
            "a certificate in force no more",
            input(&alice.leaf(), &alice.device_key, expired),
            Expired,
        ),
    ];
    file("leaf", "leaf", "The identity in the credential of an MLS leaf.", cases)
}

fn sessions() -> File {
    let (alice, bob) = (alice(), bob());
    let exporter = [5; 32];
    let hello = session::sign(&alice.device_key, &alice.account, alice.device, &exporter, NOW);
    let input = |hello: &SessionHello, key: &SecretKey, exporter: &[u8; 32], now: u64| {
        json!({
            "hello": message(hello), "device_key": key.public().to_string(), "exporter": hex(exporter), "now_ms": now,
        })
    };
    let now = NOW.as_ms();
    let own = |hello: &SessionHello, now: u64| input(hello, &alice.device_key, &exporter, now);
    let with = |name: &str, change: fn(&mut SessionHello), error| {
        let mut hello = hello.clone();
        change(&mut hello);
        Case::bad(name, own(&hello, now), error)
    };
    let cases = vec![
        Case::good("alice's device", own(&hello, now), json!({})),
        Case::good("five minutes later", own(&hello, now + 300_000), json!({})),
        Case::bad("five minutes and a millisecond later", own(&hello, now + 300_001), ClockSkew),
        Case::bad("five minutes and a millisecond earlier", own(&hello, now - 300_001), ClockSkew),
        Case::bad("in another TLS session", input(&hello, &alice.device_key, &[6; 32], now), AuthFailed),
        Case::bad(
            "with the key of another device",
            input(&hello, &bob.device_key, &exporter, now),
            AuthFailed,
        ),
        with("another account", |h| h.account = "bob@acme.test".into(), AuthFailed),
        with("another device", |h| h.device_id = vec![9; 16].into(), AuthFailed),
        with("another time", |h| h.time_ms += 1, AuthFailed),
        with("no signature", |h| h.signature.clear(), AuthFailed),
        with("an account in upper case", |h| h.account = "Alice@acme.test".into(), Malformed),
        with("a device id of 15 bytes", |h| h.device_id.truncate(15), Malformed),
    ];
    file("session", "session", "A device's proof of itself in one TLS session.", cases)
}

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn tickets() -> File {
    let ticket = Ticket {
        account: alice().account,
        code: [7; 16],
        fingerprint: fingerprint(&acme().keys.root.public()),
        endpoints: vec!["node.acme.test:4433".parse().expect("an endpoint")],
        expires: 1_767_830_400,
    };
    let text = ticket.encode();
    let output = json!({
        "account": "alice@acme.test", "code": hex(ticket.code), "fingerprint": hex(ticket.fingerprint),
        "endpoints": ["node.acme.test:4433"], "expires": 1_767_830_400,
    });
    let input = |text: &str| json!({ "text": text });
    let bad = |name: &str, text: &str| Case::bad(name, input(text), Malformed);
    let cases = vec![
        Case::good("a ticket", input(&text), output.clone()),
        Case::good("white space around it", input(&format!("  {text}\n")), output.clone()),
        Case::good("in upper case", input(&text.to_uppercase()), output),
        bad("empty", ""),
        bad("without prefix", &text["comity-invite:".len()..]),
        bad("half of it", &text[..text.len() / 2]),
        bad("twice", &text.repeat(2)),
        bad("a letter that base32 has not", &text.replace('a', "1")),
        bad("a blank inside", &format!("{} {}", &text[..40], &text[40..])),
        bad("no endpoint, no code", "comity-invite:biaq"),
        Case::bad("4,097 bytes", input(&format!("comity-invite:{}", "a".repeat(4_083))), TooLarge),
    ];
    file("ticket", "ticket", "Invite tickets.", cases)
}

fn key_files() -> File {
    let key = secret(3);
    let text = key_file::encode(KeyKind::Tls, &key);
    let input = |text: &str| json!({ "text": text });
    let bad = |name: &str, text: &str| Case::bad(name, input(text), Malformed);
    let public = key.public().to_string();
    let other = secret(4).public().to_string();
    let mut cases: Vec<Case> = KeyKind::ALL
        .iter()
        .map(|kind| {
            let output = json!({ "kind": kind.name(), "public_key": public });
            Case::good(kind.name(), input(&key_file::encode(*kind, &key)), output)
        })
        .collect();
    cases.extend([
        bad("empty", ""),
        bad("a PEM key", "-----BEGIN PRIVATE KEY-----\nMC4=\n"),
        bad("another version", &text.replace("key-1", "key-2")),
        bad("an unknown kind", &text.replace("tls", "shell")),
        bad("a line too many", &format!("{}more\n", text.as_str())),
        bad("a public key in upper case", &text.replace(&public, &public.to_uppercase())),
        bad("the public key of another seed", &text.replace(&public, &other)),
        bad("a seed in upper case", &text.replace("ambq", "AMBQ")),
        bad("a short seed", &text.replacen("ambq", "", 1)),
        bad("bits behind the seed", &format!("{}r\n", text.trim_end().strip_suffix('q').unwrap_or_default())),
    ]);
    file("key-file", "key-file", "Key files. They never travel; here every error of one is Malformed.", cases)
}
