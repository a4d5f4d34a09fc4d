//! Before a session: who the node is, and what it makes of an enrolment.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use client::{Client, ClientError};
use identity::{AccountBinding, DomainDocument, KeyUse, Ticket, domain_keys::generate};
use kit::{Person, RawPeer, SystemEntropy};
use prost::Message as _;
use wire::{
    ErrorCode, limits,
    proto::{
        AccountKeys, ClientFrame, DomainDocuments, Done, Enrol, Error, NodeFrame, Page, SessionReady, Signed,
        client_frame, client_request::Request, client_response::Response, node_frame,
    },
};

use super::{Lie, node::HomeNode, node::response, refusal, said, ticket};
use crate::{
    frames::{promised, shapeless},
    stage::{Row, row},
};

/// Logs in. While another test of this process starts a program, that one holds for a moment whatever is
/// locked here: between its fork and its exec.
async fn log_in(device: &Path, ticket: &Ticket) -> Result<Result<Client, ClientError>> {
    let done = kit::eventually(async || match Client::login(device, ticket).await {
        Err(ClientError::Owner(_)) => Ok(None),
        done => Ok(Some(done)),
    });
    done.await
}

/// The number of the request and the request.
fn request(frame: &ClientFrame) -> Option<(u64, &Request)> {
    match &frame.frame {
        Some(client_frame::Frame::Request(request)) => Some((request.id, request.request.as_ref()?)),
        _ => None,
    }
}

/// Says these bytes to whoever asks for the domain's documents.
fn for_documents(bytes: Vec<u8>) -> Lie {
    Box::new(move |frame| matches!(request(frame), Some((_, Request::GetDomain(_)))).then(|| bytes.clone()))
}

/// Answers an enrolment with what becomes of it here.
fn for_enrolment(answer: impl Fn(&Enrol) -> Option<Response> + Send + 'static) -> Lie {
    Box::new(move |frame| match request(frame) {
        Some((id, Request::Enrol(enrol))) => answer(enrol).map(|answer| response(id, answer)),
        _ => None,
    })
}

fn documents(documents: Vec<Signed>) -> Vec<u8> {
    response(u64::MAX, Response::Domain(DomainDocuments { documents }))
}

/// What does not prove whose node it is.
fn no_proofs(node: &HomeNode) -> Result<Vec<Row>> {
    use ErrorCode::{AuthFailed, BadSignature, Blocked, KeyUnverified, Malformed, NotFound, TooLarge};
    let peer = node.peer();
    let honest = peer.documents.first().context("a document")?;
    let changed = |change: fn(&mut identity::DomainKey)| -> Result<Vec<u8>> {
        let mut fields = peer.document()?.fields().clone();
        fields.keys.iter_mut().filter(|key| key.key_use == KeyUse::Tls).for_each(change);
        let document = DomainDocument::issue(&fields, &peer.keys.root)?;
        Ok(documents(vec![document.signed().clone()]))
    };
    let mut flipped = honest.signature.to_vec();
    flipped[9] ^= 1;
    let flipped = Signed { signature: flipped.into(), ..honest.clone() };
    let usurper = RawPeer::new("acme.test")?;
    let other = RawPeer::new("umbrella.test")?;
    let head = NodeFrame { frame: Some(node_frame::Frame::Ready(SessionReady::default())) }.encode_to_vec();
    let mut rows = shapeless(&head);
    rows.extend([
        row("no documents", documents(vec![]), KeyUnverified),
        row("the documents of another root key", documents(usurper.documents.clone()), KeyUnverified),
        row("the documents of another domain", documents(other.documents.clone()), KeyUnverified),
        row("a signature with a flipped bit", documents(vec![flipped]), BadSignature),
        row("an empty document", documents(vec![Signed::default()]), Malformed),
        row("too many documents", documents(vec![honest.clone(); limits::DOCUMENT_CHAIN_MAX + 1]), TooLarge),
        row("another TLS key", changed(|key| key.key = generate(&mut SystemEntropy).public())?, AuthFailed),
        row("a TLS key that is over", changed(|key| (key.not_before, key.not_after) = (1, 2))?, AuthFailed),
        row("a key for events", changed(|key| key.key_use = KeyUse::Event)?, AuthFailed),
        row("the answer to another question", response(1, Response::Done(Done {})), Malformed),
        row("another answer", response(u64::MAX, Response::Done(Done {})), Malformed),
        row("an error", response(u64::MAX, Response::Error(NotFound.into())), NotFound),
        row("a session", said(node_frame::Frame::Ready(SessionReady::default())), Malformed),
        row("a page", said(node_frame::Frame::Page(Page::default())), Malformed),
        row("a goodbye", said(node_frame::Frame::Goodbye(Blocked.into())), Blocked),
        row(
            "a goodbye of a later version",
            said(node_frame::Frame::Goodbye(Error { code: 0x7fff_ffff, ..Error::default() })),
            ErrorCode::Internal,
        ),
        row("one byte over the frame limit", promised(limits::FRAME_BYTES_MAX + 1), TooLarge),
    ]);
    Ok(rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_prove_to_be_the_domain_gets_no_code() -> Result<()> {
    let node = HomeNode::start()?;
    let directory = tempfile::tempdir()?;
    let device = directory.path().join("alice");
    let ticket = ticket(&node)?;
    for Row { what, bytes, error } in no_proofs(&node)? {
        let mut inner = for_documents(bytes);
        // The code is a secret: nothing but the question for documents may come here.
        node.lie(Box::new(move |frame| match inner(frame) {
            Some(bytes) => Some(bytes),
            None => panic!("{frame:?} was said to a node that nobody knows"),
        }));
        match log_in(&device, &ticket).await? {
            Ok(_) => bail!("{what}: logged in"),
            Err(refused) => assert_eq!(refusal(&refused), Some(error), "{what}: {refused}"),
        }
    }
    // Silence is no answer, and not waited for.
    node.lie(for_documents(Vec::new()));
    let silent = log_in(&device, &ticket).await?.err().context("silence")?;
    assert!(matches!(silent, ClientError::Unreachable { .. }), "{silent}");
    node.be_honest();
    log_in(&device, &ticket).await??.close().await;
    Ok(())
}

type Answer = Box<dyn Fn(&Enrol) -> Option<Response> + Send>;

/// What an enrolment may not become.
fn no_enrolments(node: &HomeNode) -> Result<Vec<(&'static str, ErrorCode, Answer)>> {
    use ErrorCode::{AuthFailed, BadSignature, Malformed};
    let usurper = RawPeer::new("acme.test")?;
    let binding = node.peer().keys.binding.clone();
    let countersign = |key: wire::SecretKey| {
        move |enrol: &Enrol| {
            let keys = enrol.keys.clone()?;
            let proposed = AccountBinding::parse(keys.binding.as_ref()?).ok()?;
            let binding = proposed.countersign(&key).signed().clone();
            Some(AccountKeys { binding: Some(binding), ..keys })
        }
    };
    let honest = countersign(binding.clone());
    let without_list = countersign(binding.clone());
    let other = Person::new("alice@acme.test")?.enrolment()?;
    let of_other = {
        let proposed = AccountBinding::parse(other.binding.as_ref().context("a binding")?)?;
        AccountKeys { binding: Some(proposed.countersign(&binding).signed().clone()), ..other }
    };
    let mallory = Person::new("mallory@acme.test")?.enrolment()?;
    let of_mallory = {
        let proposed = AccountBinding::parse(mallory.binding.as_ref().context("a binding")?)?;
        AccountKeys { binding: Some(proposed.countersign(&binding).signed().clone()), ..mallory }
    };
    let usurped = countersign(usurper.keys.binding);
    Ok(vec![
        ("another answer", Malformed, Box::new(|_| Some(Response::Done(Done {})))),
        ("no keys", Malformed, Box::new(|_| Some(Response::Account(AccountKeys::default())))),
        (
            "no signature of the domain",
            BadSignature,
            Box::new(|enrol| enrol.keys.clone().map(Response::Account)),
        ),
        (
            "the signature of another key",
            BadSignature,
            Box::new(move |enrol| usurped(enrol).map(Response::Account)),
        ),
        (
            "another account key",
            ErrorCode::KeyUnverified,
            Box::new(move |_| Some(Response::Account(of_other.clone()))),
        ),
        (
            "another account",
            ErrorCode::KeyUnverified,
            Box::new(move |_| Some(Response::Account(of_mallory.clone()))),
        ),
        (
            "a certificate less",
            Malformed,
            Box::new(move |enrol| {
                let keys = honest(enrol)?;
                Some(Response::Account(AccountKeys { certificates: Vec::new(), ..keys }))
            }),
        ),
        (
            "no device list",
            Malformed,
            Box::new(move |enrol| {
                let keys = without_list(enrol)?;
                Some(Response::Account(AccountKeys { device_list: None, ..keys }))
            }),
        ),
        ("a refusal", AuthFailed, Box::new(|_| Some(Response::Error(AuthFailed.into())))),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_that_became_something_else_is_refused_and_can_be_repeated() -> Result<()> {
    let node = HomeNode::start()?;
    let directory = tempfile::tempdir()?;
    let device = directory.path().join("alice");
    let ticket = ticket(&node)?;
    for (what, error, answer) in no_enrolments(&node)? {
        node.lie(for_enrolment(answer));
        match log_in(&device, &ticket).await? {
            Ok(_) => bail!("{what}: logged in"),
            Err(refused) => assert_eq!(refusal(&refused), Some(error), "{what}: {refused}"),
        }
        assert!(!client::is_device(&device), "{what}: it is a device");
    }
    node.be_honest();
    log_in(&device, &ticket).await??.close().await;
    Ok(())
}

/// [ID-21] What the device has seen of its domain stays, whatever a node says later.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_needs_the_newest_document_that_was_seen() -> Result<()> {
    let mut stage = super::Stage::new().await?;
    let first = stage.node.peer().documents.clone();
    let keys = &stage.node.peer().keys;
    let next = DomainDocument::issue(&stage.node.peer().document()?.successor(net::now()), &keys.root)?;
    let mut fields = next.fields().clone();
    fields.expires -= 1;
    let other = DomainDocument::issue(&fields, &keys.root)?;
    let honest = vec![first[0].clone(), next.signed().clone()];
    stage.node.present(honest.clone());
    stage.node.close(0)?;
    stage.talk().await.context("the next document")?;
    // The same number with another content, whatever is asked for.
    stage.node.lie(for_documents(documents(vec![other.signed().clone()])));
    stage.node.close(0)?;
    stage.fallen("ForkedLog").await?;
    stage.node.be_honest();
    stage.talk().await.context("the documents that were seen")
}
