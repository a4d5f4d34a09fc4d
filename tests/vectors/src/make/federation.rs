//! Vectors of chapter 6: hellos, and both ends of a link.

use bytes::Bytes;
use identity::{DocumentFields, DomainDocument, KeyUse, fingerprint};
use serde_json::{Value, json};
use wire::ErrorCode::{
    self, AuthFailed, BadSignature, ClockSkew, Conflict, ForkedLog, KeyUnverified, Malformed, Misdirected,
    OriginMismatch, TooLarge,
};
use wire::SecretKey;
use wire::proto::{
    Answer, Batch, BatchAck, Declined, Ephemeral, Item, LinkOpen, LinkResume, PeerHello, Progress, Signed,
    item,
};

use super::people::{Domain, NOW, acme, secret, umbrella};
use super::{File, file};
use crate::Case;
use crate::field::{hex, message};

pub(super) fn all() -> Vec<File> {
    vec![hellos(), inbound(), outbound()]
}

fn hello(from: &Domain, documents: Vec<Signed>) -> PeerHello {
    PeerHello {
        from: from.document.domain().to_string(),
        to: "umbrella.test".to_owned(),
        time_ms: NOW.as_ms(),
        documents,
        known_seq: 1,
        refused: None,
        instance: Bytes::from_static(&[9; 16]),
    }
}

/// At umbrella.test, which has acme.test pinned.
fn met(hello: &PeerHello, tls_key: &SecretKey, known: &[&Signed], dialled: Option<&str>) -> Value {
    json!({
        "own": "umbrella.test", "pinned": "acme.test", "tls_key": tls_key.public().to_string(),
        "fingerprint": hex(fingerprint(&acme().keys.root.public())), "dialled": dialled,
        "known": known.iter().map(|signed| message(*signed)).collect::<Vec<_>>(),
        "now_ms": NOW.as_ms(), "hello": message(hello),
    })
}

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn issued(fields: &DocumentFields, root: &SecretKey) -> Signed {
    DomainDocument::issue(fields, root).expect("a document").signed().clone()
}

/// acme.test with two documents, and what somebody else could make of them.
struct Scene {
    acme: Domain,
    first: Signed,
    next: Signed,
    other_next: Signed,
    usurped: Signed,
}

impl Scene {
    fn new() -> Self {
        let acme = acme();
        let mut successor = acme.document.successor(NOW);
        let next = issued(&successor, &acme.keys.root);
        successor.expires -= 1;
        let other_next = issued(&successor, &acme.keys.root);
        let usurped = issued(&acme.document.successor(NOW), &secret(99));
        Self { first: acme.document.signed().clone(), next, other_next, usurped, acme }
    }

    fn hello(&self, documents: &[&Signed]) -> PeerHello {
        hello(&self.acme, documents.iter().copied().cloned().collect())
    }

    fn good(&self, name: &str, hello: &PeerHello, known: &[&Signed], (seq, new): (u64, usize)) -> Case {
        let output =
            json!({ "peer": "acme.test", "document_seq": seq, "new_documents": new, "peer_knows": 1 });
        Case::good(name, met(hello, &self.acme.keys.tls, known, None), output)
    }

    /// The first contact with a hello that was changed.
    fn bad(&self, name: &str, change: &dyn Fn(&mut PeerHello), error: ErrorCode) -> Case {
        let mut hello = self.hello(&[&self.first]);
        change(&mut hello);
        Case::bad(name, met(&hello, &self.acme.keys.tls, &[], None), error)
    }
}

fn hellos() -> File {
    let scene = Scene::new();
    let cases = [recognised(&scene), keys(&scene), words(&scene), documents(&scene)].concat();
    file("hello", "peer-hello", "Whose a connection is.", cases)
}

fn recognised(scene: &Scene) -> Vec<Case> {
    let Scene { acme, first, next, .. } = scene;
    let honest = scene.hello(&[first]);
    let dialled = met(&honest, &acme.keys.tls, &[], Some("acme.test"));
    let output = json!({ "peer": "acme.test", "document_seq": 1, "new_documents": 1, "peer_knows": 1 });
    vec![
        scene.good("the first contact", &honest, &[], (1, 1)),
        scene.good("documents that are known", &honest, &[first], (1, 0)),
        scene.good("no documents, when they are known", &scene.hello(&[]), &[first], (1, 0)),
        scene.good("the next document", &scene.hello(&[next]), &[first], (2, 1)),
        scene.good("the first again, when the second is known", &honest, &[first, next], (2, 0)),
        scene.good(
            "the second document only: the pinned root key has signed it",
            &scene.hello(&[next]),
            &[],
            (2, 1),
        ),
        Case::good("the one that was dialled", dialled, output),
    ]
}

fn keys(scene: &Scene) -> Vec<Case> {
    let Scene { acme, first, .. } = scene;
    let honest = scene.hello(&[first]);
    let mut fields = acme.document.fields().clone();
    fields.keys.retain(|key| key.key_use != KeyUse::Tls);
    let without_key = issued(&fields, &acme.keys.root);
    let of_stranger = met(&honest, &umbrella().keys.tls, &[], None);
    vec![
        Case::bad(
            "not the one that was dialled",
            met(&honest, &acme.keys.tls, &[], Some("initech.test")),
            AuthFailed,
        ),
        Case::bad("another key in TLS", met(&honest, &acme.keys.event, &[], None), AuthFailed),
        Case::bad("a stranger in TLS, with the documents of acme.test", of_stranger, AuthFailed),
        scene.bad(
            "no key for TLS in the document",
            &|hello| hello.documents = vec![without_key.clone()],
            AuthFailed,
        ),
    ]
}

fn words(scene: &Scene) -> Vec<Case> {
    let later = wire::proto::Error { code: 0x7fff, ..wire::proto::Error::default() };
    vec![
        scene.bad("a domain that is not pinned", &|hello| hello.from = "initech.test".into(), KeyUnverified),
        scene.bad("a malformed domain", &|hello| hello.from = "Acme.test".into(), Malformed),
        scene.bad("to a malformed domain", &|hello| hello.to.clear(), Malformed),
        scene.bad("to another domain", &|hello| hello.to = "initech.test".into(), Misdirected),
        scene.bad("from the domain itself", &|hello| hello.from = "umbrella.test".into(), Misdirected),
        scene.bad(
            "a clock that is off by five minutes and more",
            &|hello| hello.time_ms += 300_001,
            ClockSkew,
        ),
        scene.bad("no clock", &|hello| hello.time_ms = 0, ClockSkew),
        scene.bad("a refusal", &|hello| hello.refused = Some(ErrorCode::Blocked.into()), ErrorCode::Blocked),
        scene.bad(
            "a refusal with an error that is not known",
            &|hello| hello.refused = Some(later),
            ErrorCode::Internal,
        ),
    ]
}

fn documents(scene: &Scene) -> Vec<Case> {
    let Scene { acme, first, next, other_next, usurped } = scene;
    let mut flipped = first.clone();
    flipped.signature = flipped.signature.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>().into();
    let tls = &acme.keys.tls;
    vec![
        scene.bad("no documents at the first contact", &|hello| hello.documents.clear(), KeyUnverified),
        scene.bad(
            "another root key at the first contact",
            &|hello| hello.documents = vec![usurped.clone()],
            KeyUnverified,
        ),
        scene.bad(
            "a document that the root key has not signed",
            &|hello| hello.documents = vec![flipped.clone()],
            BadSignature,
        ),
        scene.bad("an empty document", &|hello| hello.documents = vec![Signed::default()], Malformed),
        scene.bad("33 documents", &|hello| hello.documents = vec![first.clone(); 33], TooLarge),
        Case::bad(
            "a root key that was not promised",
            met(&scene.hello(&[usurped]), tls, &[first], Some("acme.test")),
            KeyUnverified,
        ),
        Case::bad(
            "another second document",
            met(&scene.hello(&[other_next]), tls, &[first, next], None),
            ForkedLog,
        ),
        Case::bad(
            "a document of another domain",
            met(&scene.hello(&[umbrella().document.signed()]), tls, &[first], None),
            OriginMismatch,
        ),
    ]
}

fn declined() -> item::Item {
    item::Item::Declined(Declined { room: vec![7; 32].into(), account: "alice@acme.test".into() })
}

fn batch(numbers: &[u64]) -> Batch {
    let items = numbers.iter().map(|number| Item { number: *number, item: Some(declined()) });
    Batch { items: items.collect(), settled: 0 }
}

const ID: [u8; 16] = [1; 16];

fn opening(outbox_id: &[u8], first: u64) -> LinkOpen {
    LinkOpen { outbox_id: outbox_id.to_vec().into(), first }
}

/// At a receiver that has taken items up to 5.
fn taken(open: &LinkOpen, batches: &[Batch]) -> Value {
    json!({
        "outbox_id": hex(ID), "received": 5, "open": message(open),
        "batches": batches.iter().map(message).collect::<Vec<_>>(),
    })
}

fn inbound() -> File {
    let output = |resume: u64, renumbered: bool, taken: &[u64], received: u64, answers: Value| json!({ "resume": resume, "renumbered": renumbered, "taken": taken, "received": received, "answers": answers });
    let open = opening(&ID, 1);
    let good = |name: &str, open: &LinkOpen, batches: &[Batch], output: Value| {
        Case::good(name, taken(open, batches), output)
    };
    let bad = |name: &str, batch: Batch, error: ErrorCode| Case::bad(name, taken(&open, &[batch]), error);
    let opens = |name: &str, open: &LinkOpen| Case::bad(name, taken(open, &[]), Malformed);
    let of = |number, item| Batch { items: vec![Item { number, item: Some(item) }], settled: 0 };
    let typing =
        || item::Item::Ephemeral(Ephemeral { room: vec![7; 32].into(), epoch: 1, body: vec![1].into() });
    let progress = || item::Item::Progress(Progress::default());
    let unknown = Batch { items: vec![Item { number: 6, item: None }], settled: 0 };
    let none = || json!([]);
    let cases = vec![
        good("an opening", &open, &[], output(5, false, &[], 5, none())),
        good(
            "another numbering",
            &opening(&[2; 16], 1),
            &[batch(&[1, 2])],
            output(0, true, &[1, 2], 2, none()),
        ),
        good(
            "another numbering that begins later",
            &opening(&[2; 16], 9),
            &[batch(&[9])],
            output(8, true, &[9], 9, none()),
        ),
        good(
            "items before the first were given up",
            &opening(&ID, 9),
            &[batch(&[9])],
            output(8, false, &[9], 9, none()),
        ),
        good(
            "items that follow",
            &open,
            &[batch(&[6, 7]), batch(&[8])],
            output(5, false, &[6, 7, 8], 8, none()),
        ),
        good("items that are here already", &open, &[batch(&[4, 5, 6])], output(5, false, &[6], 6, none())),
        good("a batch twice", &open, &[batch(&[6]), batch(&[6])], output(5, false, &[6], 6, none())),
        good("no items", &open, &[batch(&[])], output(5, false, &[], 5, none())),
        good("typing without a number", &open, &[of(0, typing())], output(5, false, &[0], 5, none())),
        good("progress without a number", &open, &[of(0, progress())], output(5, false, &[0], 5, none())),
        good("progress with a number", &open, &[of(6, progress())], output(5, false, &[6], 6, none())),
        good(
            "an item of no known kind",
            &open,
            &[unknown],
            output(5, false, &[6], 6, json!([[6, "Malformed"]])),
        ),
        opens("an id of 15 bytes", &opening(&[1; 15], 1)),
        opens("no id", &opening(&[], 1)),
        opens("first 0", &opening(&ID, 0)),
        opens("first 2^63", &opening(&ID, 1 << 63)),
        bad("a gap before the first", batch(&[7]), Malformed),
        bad("a gap within", batch(&[6, 8]), Malformed),
        bad("one number twice", batch(&[6, 6]), Malformed),
        bad("numbers that descend", batch(&[6, 5]), Malformed),
        bad("number 2^63", batch(&[1 << 63]), Malformed),
        bad("typing with a number", of(6, typing()), Malformed),
        bad("an item without a number", batch(&[0]), Malformed),
        bad("65 items", batch(&(6..71).collect::<Vec<_>>()), TooLarge),
    ];
    file("inbound", "link-inbound", "What a receiver takes of a link.", cases)
}

fn refused(number: u64) -> Answer {
    Answer { number, error: Some(ErrorCode::Forbidden.into()) }
}

/// At a sender with items up to 5, of which 2 are acknowledged.
fn sent(resume: &LinkResume, acks: &[BatchAck]) -> Value {
    json!({
        "acked": 2, "sent": 5, "resume": message(resume),
        "acks": acks.iter().map(message).collect::<Vec<_>>(),
    })
}

fn outbound() -> File {
    let resume = |received, answers: &[Answer]| LinkResume { received, answers: answers.to_vec() };
    let ack = |received, answers: &[Answer]| BatchAck { received, answers: answers.to_vec() };
    let output = |acked: u64, refused: Value| json!({ "first": 3, "acked": acked, "refused": refused });
    let good = |name: &str, resume: &LinkResume, acks: &[BatchAck], output: Value| {
        Case::good(name, sent(resume, acks), output)
    };
    let bad = |name: &str, resume: &LinkResume, acks: &[BatchAck], error: ErrorCode| {
        Case::bad(name, sent(resume, acks), error)
    };
    let none = || json!([]);
    let plain = resume(2, &[]);
    let twice = Answer { error: Some(ErrorCode::Policy.into()), ..refused(4) };
    let empty = Answer { number: 3, error: None };
    let cases = vec![
        good("a resume", &plain, &[], output(2, none())),
        good("a resume with more than was known", &resume(4, &[]), &[], output(4, none())),
        good("a resume with less: what was acknowledged stays so", &resume(0, &[]), &[], output(2, none())),
        good("a resume with a refusal", &resume(4, &[refused(4)]), &[], output(4, json!([[4, "Forbidden"]]))),
        good("an acknowledgement", &plain, &[ack(4, &[])], output(4, none())),
        good(
            "acknowledgements that go back",
            &plain,
            &[ack(4, &[]), ack(3, &[]), ack(0, &[])],
            output(4, none()),
        ),
        good("a refusal", &plain, &[ack(5, &[refused(4)])], output(5, json!([[4, "Forbidden"]]))),
        good(
            "two refusals of one item",
            &plain,
            &[ack(5, &[refused(4), twice])],
            output(5, json!([[4, "Forbidden"]])),
        ),
        bad("a resume with more than was sent", &resume(6, &[]), &[], Conflict),
        bad("a resume with 2^64 - 1", &resume(u64::MAX, &[]), &[], Conflict),
        bad("a resume with an answer to what is not acknowledged", &resume(2, &[refused(3)]), &[], Malformed),
        bad("an acknowledgement of what was not sent", &plain, &[ack(6, &[])], Malformed),
        bad("an acknowledgement of 2^64 - 1", &plain, &[ack(u64::MAX, &[])], Malformed),
        bad("an answer to what is not acknowledged", &plain, &[ack(3, &[refused(4)])], Malformed),
        bad("an answer to what was not sent", &plain, &[ack(5, &[refused(6)])], Malformed),
        bad("an answer to number 0", &plain, &[ack(5, &[refused(0)])], Malformed),
        bad("an answer that is no error", &plain, &[ack(5, &[empty])], Malformed),
    ];
    file("outbound", "link-outbound", "What a sender takes of the answers on its link.", cases)
}
