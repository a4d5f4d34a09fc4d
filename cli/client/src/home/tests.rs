//! Decides nothing: shows which documents a device believes of its own domain.

use identity::{DocumentFields, DomainKeys, KeyUse};
use machine::Seeded;
use wire::SecretKey;

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

fn keys(seed: u64) -> DomainKeys {
    DomainKeys::generate(&mut Seeded::new(seed))
}

fn home(keys: &DomainKeys) -> Home {
    Home {
        account: "alice@acme.test".parse().expect("an account"),
        fingerprint: fingerprint(&keys.root.public()),
        endpoints: vec!["old:1".to_owned()],
        newest: None,
    }
}

fn first(keys: &DomainKeys) -> DomainDocument {
    let endpoint = "new:1".parse().expect("an endpoint");
    keys.first_document(&"acme.test".parse().expect("a domain"), &[endpoint], NOW).expect("a document")
}

fn next(
    after: &DomainDocument,
    root: &SecretKey,
    change: impl FnOnce(&mut DocumentFields),
) -> DomainDocument {
    let mut fields = after.successor(NOW);
    change(&mut fields);
    DomainDocument::issue(&fields, root).expect("a document")
}

fn signed(documents: &[&DomainDocument]) -> Vec<Signed> {
    documents.iter().map(|document| document.signed().clone()).collect()
}

fn use_tls(fields: &mut DocumentFields, key: PublicKey) {
    fields.keys.iter_mut().filter(|listed| listed.key_use == KeyUse::Tls).for_each(|listed| listed.key = key);
}

/// A directory in which the device has seen these documents, one connection after the other.
fn seen(keys: &DomainKeys, documents: &[&DomainDocument], tls: &PublicKey) -> (tempfile::TempDir, Home) {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = SealedDir::of_test(temp.path());
    let mut before = home(keys);
    let document = before.recognise(&signed(documents), tls, NOW).expect("recognised");
    before.remember(&dir, &document).expect("kept");
    let mut after = home(keys);
    after.recall(&dir).expect("readable");
    (temp, after)
}

// [ID-5] [ID-21]
#[test]
fn a_tls_key_that_was_revoked_stays_revoked_over_restarts() {
    let (keys, fresh) = (keys(1), keys(2));
    let one = first(&keys);
    let two = next(&one, &keys.root, |fields| use_tls(fields, fresh.tls.public()));
    let (_temp, home) = seen(&keys, &[&one, &two], &fresh.tls.public());
    // The thief shows what was true when the key was stolen, or nothing.
    for offered in [vec![], signed(&[&one])] {
        let answer = home.recognise(&offered, &keys.tls.public(), NOW);
        assert_eq!(answer.expect_err("rolled back"), ErrorCode::AuthFailed);
    }
    let answer = home.recognise(&signed(&[&one, &two]), &fresh.tls.public(), NOW);
    assert_eq!(answer.expect("the newest").seq(), 2);
    assert!(home.recognise(&[], &fresh.tls.public(), NOW).is_ok(), "there is nothing newer");
}

// [ID-8] [ID-21]
#[test]
fn a_root_key_that_gave_way_signs_nothing_any_more() {
    let (keys, later, thief) = (keys(1), keys(2), keys(3));
    let one = first(&keys);
    let two = next(&one, &keys.next_root, |fields| fields.next_root_hash = fingerprint(&later.root.public()));
    let (_temp, home) = seen(&keys, &[&one, &two], &keys.tls.public());
    let other_two = next(&one, &keys.root, |fields| use_tls(fields, thief.tls.public()));
    let other_three = next(&other_two, &keys.root, |_| {});
    for offered in [vec![&one, &other_two], vec![&other_two], vec![&other_three], vec![&two, &other_three]] {
        let answer = home.recognise(&signed(&offered), &thief.tls.public(), NOW);
        assert_eq!(answer.expect_err("another chain"), ErrorCode::KeyUnverified);
    }
    let three = next(&two, &keys.next_root, |fields| use_tls(fields, later.tls.public()));
    for offered in [vec![&three], vec![&one, &two, &three]] {
        let answer = home.recognise(&signed(&offered), &later.tls.public(), NOW);
        assert_eq!(answer.expect("it follows").seq(), 3);
    }
}

#[test]
fn a_damaged_document_is_named_and_not_passed_over() {
    let keys = keys(1);
    let one = first(&keys);
    let (temp, mut home) = seen(&keys, &[&one], &keys.tls.public());
    let dir = SealedDir::of_test(temp.path());
    for damage in [b"".as_slice(), b"hello", &[0xff; 200]] {
        dir.write(DOCUMENT, damage).expect("written");
        let error = home.recall(&dir).expect_err("damaged").to_string();
        assert!(error.contains("domain"), "{error}");
    }
}

#[test]
fn a_domain_that_moves_is_followed_and_its_old_place_not_forgotten() {
    let keys = keys(1);
    let (_temp, recalled) = seen(&keys, &[&first(&keys)], &keys.tls.public());
    assert_eq!(recalled.endpoints, ["new:1", "old:1"]);
    let mut home = home(&keys);
    assert!(home.learn(["new:1".to_owned()].into_iter()));
    assert_eq!(home.endpoints, ["new:1", "old:1"]);
    assert!(!home.learn(["new:1".to_owned()].into_iter()), "known");
    assert!(home.learn((0..20).map(|port| format!("new:{port}"))), "bounded by what the caller checked");
    assert!(home.endpoints.starts_with(&["new:0".to_owned()]));
}
