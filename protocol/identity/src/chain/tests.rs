//! What may follow a document, and what may not.

use machine::{Seeded, Timestamp};
use wire::SecretKey;

use super::*;
use crate::document::DocumentFields;
use crate::domain_keys::generate;
use crate::fixture::{DAY_MS, Domain, NOW, domain};

const LATER: Timestamp = NOW.plus_ms(DAY_MS);

fn chain(domain: &Domain) -> Chain {
    Chain::verify_first(domain.document.signed(), &fingerprint(&domain.keys.root.public())).expect("a chain")
}

fn issue(fields: &DocumentFields, key: &SecretKey) -> Signed {
    DomainDocument::issue(fields, key).expect("a document").signed().clone()
}

fn other_key(seed: u64) -> SecretKey {
    generate(&mut Seeded::new(seed))
}

// [ID-7]
#[test]
fn a_chain_begins_at_the_pinned_fingerprint() {
    let acme = domain("acme.test", 1);
    assert_eq!(chain(&acme).newest(), &acme.document);
    let another = fingerprint(&acme.keys.next_root.public());
    assert_eq!(Chain::verify_first(acme.document.signed(), &another), Err(ErrorCode::KeyUnverified));
}

#[test]
fn a_document_with_the_same_root_follows_and_is_known_afterwards() {
    let acme = domain("acme.test", 1);
    let mut chain = chain(&acme);
    let mut fields = acme.document.successor(LATER);
    fields.endpoints.push("acme.test:443".parse().expect("an endpoint"));
    let next = issue(&fields, &acme.keys.root);
    assert_eq!(chain.extend(&next), Ok(true));
    assert_eq!(chain.extend(&next), Ok(false));
    assert_eq!(chain.extend(acme.document.signed()), Ok(false));
    assert_eq!(chain.newest().seq(), 2);
    assert_eq!(chain.newest().endpoints().len(), 2);
}

// [ID-8]
#[test]
fn the_root_gives_way_to_the_promised_key_or_to_the_recovery_key_and_to_no_other() {
    let acme = domain("acme.test", 1);
    let mut fields = acme.document.successor(LATER);
    fields.next_root_hash = fingerprint(&other_key(9).public());
    for (key, expected) in [
        (&acme.keys.next_root, Ok(true)),
        (&acme.keys.recovery, Ok(true)),
        (&other_key(8), Err(ErrorCode::KeyUnverified)),
        (&acme.keys.tls, Err(ErrorCode::Malformed)),
    ] {
        let signed = DomainDocument::issue(&fields, key).map(|document| document.signed().clone());
        let outcome = signed.and_then(|signed| chain(&acme).extend(&signed));
        assert_eq!(outcome, expected);
    }
}

// [ID-8]
#[test]
fn a_stolen_root_key_cannot_change_the_promises() {
    let acme = domain("acme.test", 1);
    let stolen = fingerprint(&other_key(9).public());
    let mut fields = acme.document.successor(LATER);
    fields.next_root_hash = stolen;
    let refused = Err(ErrorCode::KeyUnverified);
    assert_eq!(chain(&acme).extend(&issue(&fields, &acme.keys.root)), refused);
    let mut fields = acme.document.successor(LATER);
    fields.recovery_hash = stolen;
    assert_eq!(chain(&acme).extend(&issue(&fields, &acme.keys.root)), refused);
}

#[test]
fn what_does_not_follow_leaves_the_chain_as_it_was() {
    let acme = domain("acme.test", 1);
    let root = &acme.keys.root;
    let mut known = chain(&acme);
    let good = issue(&acme.document.successor(LATER), root);
    assert_eq!(known.extend(&good), Ok(true));
    let newest = known.newest().clone();
    let change = |change: fn(&mut DocumentFields)| {
        let mut fields = newest.successor(LATER);
        change(&mut fields);
        issue(&fields, root)
    };
    let mut bad_signature = change(|_| {});
    bad_signature.signature = good.signature.clone();
    let table = [
        (
            "another domain",
            change(|f| f.domain = "umbrella.test".parse().unwrap()),
            ErrorCode::OriginMismatch,
        ),
        ("a gap", change(|f| f.seq = 4), ErrorCode::KeyUnverified),
        ("the last number", change(|f| f.seq = wire::limits::SEQ_MAX), ErrorCode::KeyUnverified),
        ("another history", change(|f| f.prev_hash = Some([9; 32])), ErrorCode::ForkedLog),
        (
            "issued earlier",
            change(|f| (f.issued, f.expires) = (NOW.as_s(), LATER.as_s())),
            ErrorCode::Malformed,
        ),
        (
            "a second document at a known place",
            change(|f| (f.seq, f.prev_hash) = (1, None)),
            ErrorCode::ForkedLog,
        ),
        ("a bad signature", bad_signature, ErrorCode::BadSignature),
    ];
    for (name, signed, expected) in table {
        assert_eq!(known.extend(&signed), Err(expected), "{name}");
        assert_eq!(known.newest(), &newest, "{name}");
    }
    let stranger = domain("acme.test", 2);
    assert_eq!(known.extend(stranger.document.signed()), Err(ErrorCode::KeyUnverified), "another's root");
}

// [ID-7]
#[test]
fn a_list_of_documents_is_read_from_the_pin_on() {
    let acme = domain("acme.test", 1);
    let mut rotated = acme.document.successor(LATER);
    rotated.next_root_hash = fingerprint(&other_key(9).public());
    let second = issue(&rotated, &acme.keys.next_root);
    let documents = [acme.document.signed().clone(), second.clone()];
    let name = acme.document.domain();
    let first_pin = fingerprint(&acme.keys.root.public());
    let second_pin = fingerprint(&acme.keys.next_root.public());
    let newest = |documents: &[Signed], pin: &[u8; 32]| {
        Chain::verify_all(name, documents, pin).map(|chain| chain.newest().seq())
    };
    assert_eq!(newest(&documents, &first_pin), Ok(2));
    assert_eq!(newest(&documents, &second_pin), Ok(2));
    assert_eq!(newest(&documents, &[0; 32]), Err(ErrorCode::KeyUnverified));
    assert_eq!(newest(&[], &first_pin), Err(ErrorCode::KeyUnverified));
    assert_eq!(newest(&[second, documents[0].clone()], &first_pin), Ok(1), "oldest first");
    assert_eq!(newest(&vec![documents[0].clone(); 33], &first_pin), Err(ErrorCode::TooLarge));
    let other: DomainName = "umbrella.test".parse().expect("a domain");
    assert_eq!(Chain::verify_all(&other, &documents, &first_pin), Err(ErrorCode::OriginMismatch));
}

// [ID-7]
#[test]
fn what_is_known_or_proves_nothing_is_not_verified() {
    let acme = domain("acme.test", 1);
    let mut known = chain(&acme);
    let first = known.newest().signed().clone();
    let unsigned = Signed { signature: vec![0; 64].into(), ..first };
    assert_eq!(known.extend(&unsigned), Ok(false), "its body is known");
    let next = issue(&known.newest().successor(LATER), &acme.keys.root);
    let mut later = Chain::verify_first(&next, &fingerprint(&acme.keys.root.public())).unwrap();
    assert_eq!(later.extend(&unsigned), Ok(false), "it is older than what is pinned");
    let forged = Signed { signature: vec![0; 64].into(), ..next };
    assert_eq!(known.extend(&forged), Err(ErrorCode::BadSignature), "it would be believed");
    let mut other = known.newest().fields().clone();
    other.expires -= 1;
    let forged = Signed { signature: vec![0; 64].into(), ..issue(&other, &acme.keys.root) };
    assert_eq!(known.extend(&forged), Err(ErrorCode::BadSignature), "it would be evidence");
}
