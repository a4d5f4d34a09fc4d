//! Decides nothing: shows whom a node believes.

use identity::{DocumentFields, DomainDocument, DomainKeys, fingerprint};
use machine::Seeded;
use wire::SecretKey;

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

struct Domain {
    name: DomainName,
    keys: DomainKeys,
    documents: Vec<DomainDocument>,
}

impl Domain {
    fn new(name: &str, seed: u64) -> Self {
        let keys = DomainKeys::generate(&mut Seeded::new(seed));
        let name: DomainName = name.parse().unwrap();
        let endpoint = "127.0.0.1:1".parse().unwrap();
        let first = keys.first_document(&name, &[endpoint], NOW).unwrap();
        Self { name, keys, documents: vec![first] }
    }

    /// Issues the next document, changed, signed by a root.
    fn next(&mut self, root: &SecretKey, change: impl FnOnce(&mut DocumentFields)) {
        let mut fields = self.documents.last().unwrap().successor(NOW);
        change(&mut fields);
        self.documents.push(DomainDocument::issue(&fields, root).unwrap());
    }

    fn print(&self) -> [u8; 32] {
        fingerprint(&self.keys.root.public())
    }

    fn chain(&self) -> Chain {
        Chain::verify_all(&self.name, &self.signed(), &self.print()).unwrap()
    }

    fn signed(&self) -> Vec<Signed> {
        self.documents.iter().map(|document| document.signed().clone()).collect()
    }

    fn hello(&self, to: &Self) -> PeerHello {
        make(&self.name, &to.name, &self.signed(), 0, 0, NOW)
    }
}

fn judge(
    own: &Domain,
    from: &Domain,
    pin: Pin<'_>,
    dialled: Option<&DomainName>,
    hello: &PeerHello,
) -> Verdict {
    let tls_key = from.keys.tls.public();
    check(&Here { own: &own.name, tls_key: &tls_key, dialled, now: NOW }, |_| pin, hello)
}

fn name(verdict: &Verdict) -> (&'static str, Option<ErrorCode>) {
    match verdict {
        Verdict::Accepted(_) => ("accepted", None),
        Verdict::Held(_, error) => ("held", Some(*error)),
        Verdict::Refused(error) => ("refused", Some(error.code)),
    }
}

fn pair() -> (Domain, Domain) {
    (Domain::new("acme.test", 1), Domain::new("umbrella.test", 2))
}

// [LINK-1] [LINK-2]
#[test]
fn a_pinned_domain_with_a_listed_key_is_accepted() {
    let (acme, mut umbrella) = pair();
    let (print, chain) = (umbrella.print(), umbrella.chain());
    let root = umbrella.keys.root.clone();
    umbrella.next(&root, |_| {});
    let hello = umbrella.hello(&acme);
    for (pin, fresh) in [(Pin::Fingerprint(&print), 2), (Pin::Chain(&chain), 1)] {
        match judge(&acme, &umbrella, pin, Some(&umbrella.name), &hello) {
            Verdict::Accepted(accepted) => {
                assert_eq!((accepted.chain.newest().seq(), accepted.fresh.len()), (2, fresh));
                assert_eq!(accepted.peer, umbrella.name);
            }
            other => panic!("{other:?}"),
        }
    }
    let short = make(&umbrella.name, &acme.name, &umbrella.signed(), 1, 0, NOW);
    assert_eq!(short.documents.len(), 1);
    assert_eq!(name(&judge(&acme, &umbrella, Pin::Chain(&chain), None, &short)), ("accepted", None));
}

#[test]
fn every_hello_that_proves_nothing_is_refused_by_name() {
    let (acme, umbrella) = pair();
    let evil = Domain::new("evil.test", 3);
    let print = umbrella.print();
    let pin = Pin::Fingerprint(&print);
    let hello = umbrella.hello(&acme);
    let with = |change: &dyn Fn(&mut PeerHello)| {
        let mut hello = hello.clone();
        change(&mut hello);
        name(&judge(&acme, &umbrella, pin, None, &hello))
    };
    let refused = |error| ("refused", Some(error));
    let skew = limits::CLOCK_SKEW_MS;
    assert_eq!(with(&|_| {}), ("accepted", None));
    assert_eq!(with(&|h| h.time_ms = NOW.as_ms() + skew), ("accepted", None));
    assert_eq!(with(&|h| h.to = "evil.test".into()), refused(ErrorCode::Misdirected));
    assert_eq!(with(&|h| h.from = "acme.test".into()), refused(ErrorCode::Misdirected), "ourselves");
    assert_eq!(with(&|h| h.from = "UMBRELLA.test".into()), refused(ErrorCode::Malformed));
    assert_eq!(with(&|h| h.time_ms = NOW.as_ms() + skew + 1), refused(ErrorCode::ClockSkew));
    assert_eq!(with(&|h| h.time_ms = 0), refused(ErrorCode::ClockSkew));
    assert_eq!(with(&|h| h.time_ms = u64::MAX), refused(ErrorCode::ClockSkew));
    assert_eq!(with(&|h| h.refused = Some(ErrorCode::Draining.into())), refused(ErrorCode::Draining));
    let many = vec![hello.documents[0].clone(); limits::DOCUMENT_CHAIN_MAX + 1];
    assert_eq!(with(&|h| h.documents = many.clone()), refused(ErrorCode::TooLarge));
    assert_eq!(with(&|h| h.documents[0].body = Default::default()), refused(ErrorCode::Malformed));
    assert_eq!(with(&|h| h.documents[0].signature = vec![0; 64].into()), refused(ErrorCode::BadSignature));

    let judged = |verdict: &Verdict| name(verdict);
    assert_eq!(judged(&judge(&acme, &umbrella, Pin::None, None, &hello)), refused(ErrorCode::KeyUnverified));
    assert_eq!(
        judged(&judge(&acme, &umbrella, pin, Some(&evil.name), &hello)),
        refused(ErrorCode::AuthFailed),
        "another domain was dialled"
    );
    assert_eq!(
        judged(&judge(&acme, &evil, pin, None, &hello)),
        refused(ErrorCode::AuthFailed),
        "umbrella's documents over evil's TLS key"
    );
    assert_eq!(
        judged(&judge(&acme, &evil, Pin::Chain(&umbrella.chain()), None, &hello)),
        refused(ErrorCode::AuthFailed)
    );
}

#[test]
fn a_skewed_clock_is_told_ours() {
    let (acme, umbrella) = pair();
    let mut hello = umbrella.hello(&acme);
    hello.time_ms += 3_600_000;
    match judge(&acme, &umbrella, Pin::None, None, &hello) {
        Verdict::Refused(error) => assert_eq!(error.value, NOW.as_ms()),
        other => panic!("{other:?}"),
    }
}

// [LINK-3]
#[test]
fn documents_that_do_not_chain_to_the_pin_hold_a_peer_that_was_dialled_and_no_other() {
    let (acme, umbrella) = pair();
    let mut other = Domain::new("umbrella.test", 9);
    let (print, chain) = (umbrella.print(), umbrella.chain());
    let unrecognised = |other: &Domain, pin| {
        let hello = other.hello(&acme);
        let dialled = judge(&acme, other, pin, Some(&umbrella.name), &hello);
        assert_eq!(name(&dialled), ("held", Some(ErrorCode::KeyUnverified)));
        let came = judge(&acme, other, pin, None, &hello);
        assert_eq!(name(&came), ("refused", Some(ErrorCode::KeyUnverified)), "anybody may connect");
    };
    unrecognised(&other, Pin::Fingerprint(&print));
    unrecognised(&other, Pin::Chain(&chain));

    // The right root key, promising another successor than before.
    other.keys = umbrella.keys.clone();
    other.documents = umbrella.documents.clone();
    let stranger = DomainKeys::generate(&mut Seeded::new(77)).root;
    other.next(&stranger, |_| {});
    unrecognised(&other, Pin::Chain(&chain));
}

// [LINK-3]
#[test]
fn two_documents_of_one_place_hold_the_domain_that_signed_them_whoever_dialled() {
    let (acme, umbrella) = pair();
    let chain = umbrella.chain();
    let mut other = Domain::new("umbrella.test", 9);
    other.keys = umbrella.keys.clone();
    let first = &umbrella.documents[0];
    let mut fields = first.fields().clone();
    fields.expires -= 1;
    other.documents = vec![DomainDocument::issue(&fields, &umbrella.keys.root).unwrap()];
    for dialled in [None, Some(&umbrella.name)] {
        let verdict = judge(&acme, &other, Pin::Chain(&chain), dialled, &other.hello(&acme));
        assert_eq!(name(&verdict), ("held", Some(ErrorCode::ForkedLog)));
    }
}

#[test]
fn a_promised_root_key_takes_over() {
    let (acme, mut umbrella) = pair();
    let chain = umbrella.chain();
    let next = umbrella.keys.next_root.clone();
    let after = DomainKeys::generate(&mut Seeded::new(5)).root.public();
    umbrella.next(&next, |fields| fields.next_root_hash = fingerprint(&after));
    let hello = umbrella.hello(&acme);
    assert_eq!(name(&judge(&acme, &umbrella, Pin::Chain(&chain), None, &hello)), ("accepted", None));

    // A new pin is that of the new root: the old documents before it prove nothing and harm nothing.
    let pinned = fingerprint(&next.public());
    assert_eq!(name(&judge(&acme, &umbrella, Pin::Fingerprint(&pinned), None, &hello)), ("accepted", None));
    let late = Chain::verify_all(&umbrella.name, &umbrella.signed(), &pinned).unwrap();
    assert_eq!(name(&judge(&acme, &umbrella, Pin::Chain(&late), None, &hello)), ("accepted", None));
}

#[test]
fn a_key_that_is_out_of_force_does_not_speak() {
    let (acme, mut umbrella) = pair();
    let root = umbrella.keys.root.clone();
    let seconds = NOW.as_s();
    for (from, to) in [(seconds - 10, seconds - 1), (seconds + 3600, seconds + 7200)] {
        umbrella.next(&root, |fields| {
            for key in &mut fields.keys {
                (key.not_before, key.not_after) = (from, to);
            }
        });
        let (hello, print) = (umbrella.hello(&acme), umbrella.print());
        let verdict = judge(&acme, &umbrella, Pin::Fingerprint(&print), None, &hello);
        assert_eq!(name(&verdict), ("refused", Some(ErrorCode::AuthFailed)), "{from} to {to}");
    }
}

#[test]
fn a_refusal_says_why_and_to_whom() {
    let (acme, umbrella) = pair();
    let hello = umbrella.hello(&acme);
    let answer = refuse(&acme.name, &hello, ErrorCode::KeyUnverified.into(), NOW);
    assert_eq!((answer.from.as_str(), answer.to.as_str()), ("acme.test", "umbrella.test"));
    let verdict = judge(&umbrella, &acme, Pin::None, Some(&acme.name), &answer);
    assert_eq!(name(&verdict), ("refused", Some(ErrorCode::KeyUnverified)));
}

// [LINK-1]
#[test]
fn a_hello_fits_into_a_first_frame_with_the_newest_documents() {
    let (mut acme, umbrella) = pair();
    let root = acme.keys.root.clone();
    let endpoint = |number: usize| format!("{}.{number}.test:4433", "a".repeat(60)).parse().unwrap();
    for _ in 0..300 {
        acme.next(&root, |fields| fields.endpoints = (0..limits::ENDPOINTS_MAX).map(endpoint).collect());
    }
    let hello = acme.hello(&umbrella);
    assert_eq!(hello.documents.last(), acme.signed().last());
    assert_eq!(hello.documents.len(), limits::DOCUMENT_CHAIN_MAX);
    let large = Signed { body: vec![7; limits::DOCUMENT_BYTES_MAX].into(), ..acme.signed()[0].clone() };
    let documents = vec![large; limits::DOCUMENT_CHAIN_MAX];
    let hello = make(&acme.name, &umbrella.name, &documents, 0, 0, NOW);
    assert!((1..limits::DOCUMENT_CHAIN_MAX).contains(&hello.documents.len()));
    assert!(prost::Message::encoded_len(&hello) <= limits::FIRST_FRAME_BYTES_MAX);
}
