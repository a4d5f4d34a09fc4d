//! Rows 9, 11, 12, 16, 17, 18, 20, 21 and 58: a hello that does not prove the domain it names.

use anyhow::{Result, bail};
use bytes::Bytes;
use identity::{DocumentFields, DomainDocument, KeyUse, domain_keys::generate};
use kit::{Node, RawPeer, RawStream, SystemEntropy, ask_peer, close_code, connect};
use wire::{
    ErrorCode, limits,
    proto::{
        ListPeers, PeerHello, PeerRequest, PeerResponse, Signed, admin_request, admin_response,
        peer_request::Request, peer_response::Response,
    },
};

use crate::stage::{node, unharmed};

/// Says a hello and returns why it was refused; the close must have the same code.
async fn refused(peer: &RawPeer, node: &Node, hello: PeerHello) -> Result<ErrorCode> {
    let connection = peer.dial(node).await?;
    let mut stream = RawStream::open(&connection).await?;
    stream.write(&PeerRequest { request: Some(Request::Hello(hello)) }).await?;
    let answer: PeerResponse = stream.expect().await?;
    let Some(Response::Hello(PeerHello { refused: Some(error), .. })) = answer.response else {
        bail!("{answer:?} is no refusal")
    };
    let code = ErrorCode::from_code(error.code);
    assert_eq!(close_code(&connection).await?, code);
    Ok(code)
}

/// A pinned domain that turns hostile.
fn turned(node: &Node) -> Result<RawPeer> {
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(node)?;
    Ok(peer)
}

fn held(node: &Node, domain: &str) -> Result<bool> {
    match node.ask(admin_request::Request::ListPeers(ListPeers {}))? {
        admin_response::Response::Peers(peers) => Ok(peers
            .peers
            .iter()
            .any(|peer| peer.domain == domain && peer.phase == wire::proto::PeerPhase::Held as i32)),
        other => bail!("{other:?} is no list of peers"),
    }
}

pub(super) type Change = fn(&mut PeerHello);

pub(super) const CHANGED: &[(&str, ErrorCode, Change)] = &[
    ("from a domain that nobody pinned", ErrorCode::KeyUnverified, |hello| {
        hello.from = "new.test".to_owned()
    }),
    ("from this very domain", ErrorCode::Misdirected, |hello| hello.from = "acme.test".to_owned()),
    ("from a name in upper case", ErrorCode::Malformed, |hello| hello.from = "Evil.test".to_owned()),
    ("from a name with a final dot", ErrorCode::Malformed, |hello| hello.from = "evil.test.".to_owned()),
    ("from a Cyrillic twin", ErrorCode::Malformed, |hello| hello.from = "\u{435}vil.test".to_owned()),
    ("from a name with a line feed", ErrorCode::Malformed, |hello| hello.from = "evil.test\n".to_owned()),
    ("from 4 KiB of name", ErrorCode::Malformed, |hello| hello.from = "a.".repeat(2_048)),
    ("from nobody", ErrorCode::Malformed, |hello| hello.from.clear()),
    ("to another domain", ErrorCode::Misdirected, |hello| hello.to = "umbrella.test".to_owned()),
    ("to nobody", ErrorCode::Malformed, |hello| hello.to.clear()),
    ("a clock one hour fast", ErrorCode::ClockSkew, |hello| hello.time_ms += 3_600_000),
    ("a clock two days slow", ErrorCode::ClockSkew, |hello| hello.time_ms -= 172_800_000),
    ("no clock", ErrorCode::ClockSkew, |hello| hello.time_ms = 0),
    ("no documents at the first contact", ErrorCode::KeyUnverified, |hello| hello.documents.clear()),
    ("33 documents", ErrorCode::TooLarge, |hello| {
        hello.documents =
            hello.documents.iter().cycle().take(limits::DOCUMENT_CHAIN_MAX + 1).cloned().collect();
    }),
    ("an empty document", ErrorCode::Malformed, |hello| hello.documents = vec![Signed::default()]),
    ("a document over its limit", ErrorCode::TooLarge, |hello| {
        hello.documents[0].body = vec![0; limits::DOCUMENT_BYTES_MAX + 1].into();
    }),
    ("a trailing byte in the document", ErrorCode::Malformed, |hello| {
        hello.documents[0].body = [&hello.documents[0].body[..], &[0]].concat().into();
    }),
    ("the signature flipped", ErrorCode::BadSignature, |hello| flip(&mut hello.documents[0].signature)),
    ("a signature of zeros", ErrorCode::BadSignature, |hello| {
        hello.documents[0].signature = vec![0; 64].into();
    }),
    ("63 bytes of signature", ErrorCode::BadSignature, |hello| hello.documents[0].signature.truncate(63)),
    ("no signature", ErrorCode::BadSignature, |hello| hello.documents[0].signature.clear()),
    ("a signature in the wrong field", ErrorCode::Malformed, |hello| {
        hello.documents[0].account_signature = hello.documents[0].signature.clone();
    }),
];

fn flip(bytes: &mut Bytes) {
    let mut flipped = bytes.to_vec();
    flipped[7] ^= 1;
    *bytes = flipped.into();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_is_wrong_is_refused_by_name() -> Result<()> {
    let mut node = node()?;
    let peer = turned(&node)?;
    for (what, error, change) in CHANGED {
        let mut hello = peer.hello(node.domain(), net::now());
        change(&mut hello);
        assert_eq!(refused(&peer, &node, hello).await?, *error, "{what}");
    }
    // None of it was remembered against the domain.
    assert!(peer.establish(&node).await.is_ok());
    unharmed(&mut node).await
}

/// The peer's document with other fields, signed by its true root key.
pub(super) fn document(peer: &RawPeer, change: impl Fn(&mut DocumentFields)) -> Result<Signed> {
    let mut fields = peer.document()?.fields().clone();
    change(&mut fields);
    Ok(DomainDocument::issue(&fields, &peer.keys.root)?.signed().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_document_does_not_list_as_in_force_speaks_for_nobody() -> Result<()> {
    let now = net::now().as_s();
    let skew = limits::CLOCK_SKEW_MS / 1_000;
    type Fields = Box<dyn Fn(&mut DocumentFields)>;
    let tls = |change: fn(&mut identity::DomainKey, u64)| -> Fields {
        Box::new(move |fields| {
            let keys = fields.keys.iter_mut().filter(|key| key.key_use == KeyUse::Tls);
            keys.for_each(|key| change(key, net::now().as_s()));
        })
    };
    let rows: Vec<(&str, Fields)> = vec![
        ("no TLS key", Box::new(|fields| fields.keys.retain(|key| key.key_use != KeyUse::Tls))),
        ("the key for another use", tls(|key, _| key.key_use = KeyUse::Event)),
        ("the key expired", tls(|key, now| (key.not_before, key.not_after) = (now - 10, now - 1))),
        ("the key not in force yet", tls(|key, now| key.not_before = now + 3_600)),
        ("another key", tls(|key, _| key.key = generate(&mut SystemEntropy).public())),
        (
            "the document expired",
            Box::new(move |fields| {
                (fields.issued, fields.expires) = (now - 2 * skew, now - 1);
            }),
        ),
    ];
    let mut node = node()?;
    for (n, (what, change)) in rows.into_iter().enumerate() {
        let mut peer = RawPeer::new(&format!("evil{n}.test"))?;
        peer.documents = vec![document(&peer, change)?];
        peer.pinned_by(&node)?;
        let hello = peer.hello(node.domain(), net::now());
        assert_eq!(refused(&peer, &node, hello).await?, ErrorCode::AuthFailed, "{what}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_in_the_name_of_another_peer() -> Result<()> {
    let mut node = node()?;
    let honest = RawPeer::new("honest.test")?;
    honest.pinned_by(&node)?;
    let evil = turned(&node)?;
    let _connection = honest.establish(&node).await?;
    // With the documents of the other, which are public; with its own; with none.
    let copied = honest.hello(node.domain(), net::now());
    assert_eq!(refused(&evil, &node, copied.clone()).await?, ErrorCode::AuthFailed);
    let own = PeerHello { documents: evil.documents.clone(), ..copied.clone() };
    assert_eq!(refused(&evil, &node, own).await?, ErrorCode::OriginMismatch);
    let none = PeerHello { documents: Vec::new(), ..copied };
    assert_eq!(refused(&evil, &node, none).await?, ErrorCode::AuthFailed);
    assert!(!held(&node, "honest.test")?, "a liar must not get the honest peer held");
    assert!(honest.establish(&node).await.is_ok());
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_chain_to_the_pin_are_refused_and_not_remembered() -> Result<()> {
    let mut node = node()?;
    let mut peer = turned(&node)?;
    peer.establish(&node).await?;
    let honest = peer.documents.clone();
    // A root key that nobody was promised signs the next document; the connection is a stranger's.
    let usurper = generate(&mut SystemEntropy);
    let next = DomainDocument::issue(&peer.document()?.successor(net::now()), &usurper)?;
    let mut stranger = RawPeer::new("evil.test")?;
    stranger.documents = vec![next.signed().clone()];
    let hello = stranger.hello(node.domain(), net::now());
    assert_eq!(refused(&stranger, &node, hello).await?, ErrorCode::KeyUnverified);
    assert!(!held(&node, "evil.test")?, "anybody can name a domain");
    peer.documents.push(next.signed().clone());
    let hello = peer.hello(node.domain(), net::now());
    assert_eq!(refused(&peer, &node, hello).await?, ErrorCode::KeyUnverified);
    assert!(!held(&node, "evil.test")?);
    // The promised one is accepted.
    peer.documents = honest;
    let mut fields = peer.document()?.successor(net::now());
    fields.next_root_hash = identity::fingerprint(&generate(&mut SystemEntropy).public());
    let next = DomainDocument::issue(&fields, &peer.keys.next_root)?;
    peer.documents.push(next.signed().clone());
    peer.establish(&node).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_documents_of_one_number_are_a_fork() -> Result<()> {
    let mut node = node()?;
    let mut peer = turned(&node)?;
    peer.establish(&node).await?;
    let other = document(&peer, |fields| fields.expires -= 1)?;
    peer.documents = vec![other];
    let hello = peer.hello(node.domain(), net::now());
    assert_eq!(refused(&peer, &node, hello).await?, ErrorCode::ForkedLog);
    assert!(held(&node, "evil.test")?);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_is_said_once() -> Result<()> {
    let mut node = node()?;
    let peer = turned(&node)?;
    let connection = peer.establish(&node).await?;
    let again = Request::Hello(peer.hello(node.domain(), net::now()));
    assert!(ask_peer(&connection, again).await.is_err());
    assert_eq!(close_code(&connection).await?, ErrorCode::Malformed);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_connections_of_a_peer_the_newer_is_kept() -> Result<()> {
    let mut node = node()?;
    let peer = turned(&node)?;
    let before = peer.establish(&node).await?;
    let newer = peer.establish(&node).await?;
    assert_eq!(close_code(&before).await?, ErrorCode::Superseded);
    assert!(newer.close_reason().is_none());
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_protocol_with_a_key_is_still_a_device() -> Result<()> {
    let mut node = node()?;
    let peer = turned(&node)?;
    let endpoint = kit::endpoint()?;
    let key = Some(&peer.keys.tls);
    let connection = connect(&endpoint, node.address(), "acme.test", tls::ALPN_CLIENT, key).await?;
    let hello = Request::Hello(peer.hello(node.domain(), net::now()));
    let mut stream = RawStream::open(&connection).await?;
    stream.write(&PeerRequest { request: Some(hello) }).await?;
    assert_eq!(close_code(&connection).await?, ErrorCode::Malformed);
    unharmed(&mut node).await
}
