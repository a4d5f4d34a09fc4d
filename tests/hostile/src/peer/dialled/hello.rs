//! Who is dialled answers the hello: with a wrong one, with something else, or not at all.

use anyhow::{Context as _, Result};
use identity::{DomainDocument, KeyUse, domain_keys::generate};
use kit::{RawPeer, RawStream, SystemEntropy, close_code};
use prost::Message as _;
use wire::{
    ErrorCode, limits,
    proto::{
        self, AccountKeys, Done, GetDomain, LinkFrame, LinkOpen, PeerHello, PeerRequest, PeerResponse,
        link_frame::Frame, peer_request::Request, peer_response::Response,
    },
};

use super::{
    super::hello::{CHANGED, document},
    Wish, noted, retry,
};
use crate::{
    frames::{framed, promised, shapeless},
    stage::{Row, node, row, unharmed},
};

fn answer(response: Option<Response>) -> Vec<u8> {
    framed(&PeerResponse { response }.encode_to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_wrong_is_refused_by_name() -> Result<()> {
    let mut node = node()?;
    for (number, (what, error, change)) in CHANGED.iter().enumerate() {
        let mut wish = Wish::new(&node, number).await?;
        let mut hello = wish.peer.hello(node.domain(), net::now());
        hello.from = hello.from.replace("evil.test", wish.peer.domain().as_str());
        change(&mut hello);
        // Another domain than the dialled one needs no pin to be refused.
        let error = if hello.from == "new.test" { ErrorCode::AuthFailed } else { *error };
        let (connection, mut control) = wish.peer.dialled().await?;
        control.write_bytes(&answer(Some(Response::Hello(hello)))).await?;
        assert_eq!(close_code(&connection).await.context(*what)?, error, "{what}");
        let shown = noted(&node, &wish.peer, error).await.context(*what)?;
        assert_eq!(shown.held, error == ErrorCode::KeyUnverified, "{what}");
        assert_eq!(shown.document_seq, 0, "{what}: nothing of it is remembered");
        wish.arrives(&node).await.context(*what)?;
    }
    unharmed(&mut node).await
}

/// What is no hello at all, and how it goes on after that.
fn no_hellos() -> Vec<Row> {
    let head = PeerResponse { response: Some(Response::Hello(PeerHello::default())) }.encode_to_vec();
    let mut rows = shapeless(&head);
    let open = LinkOpen { outbox_id: vec![1; 16].into(), first: 1 };
    let link = Request::Link(LinkFrame { frame: Some(Frame::Open(open)) });
    let long = PeerHello { documents: vec![proto::Signed::default(); 80_000], ..PeerHello::default() };
    rows.extend([
        row("an error", answer(Some(Response::Error(ErrorCode::Blocked.into()))), ErrorCode::Malformed),
        row("a done", answer(Some(Response::Done(Done {}))), ErrorCode::Malformed),
        row("an account", answer(Some(Response::Account(AccountKeys::default()))), ErrorCode::Malformed),
        row("no answer in it", answer(None), ErrorCode::Malformed),
        row(
            "a link instead of a hello",
            framed(&PeerRequest { request: Some(link) }.encode_to_vec()),
            ErrorCode::Malformed,
        ),
        row(
            "one byte over what a stranger may send",
            promised(limits::FIRST_FRAME_BYTES_MAX + 1),
            ErrorCode::TooLarge,
        ),
        row("a whole hello that long", answer(Some(Response::Hello(long))), ErrorCode::TooLarge),
    ]);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_hello_ends_the_connection_with_the_reason() -> Result<()> {
    let mut node = node()?;
    for (number, Row { what, bytes, error }) in no_hellos().into_iter().enumerate() {
        let mut wish = Wish::new(&node, number).await?;
        let (connection, mut control) = wish.peer.dialled().await?;
        control.write_bytes(&bytes).await?;
        assert_eq!(close_code(&connection).await.context(what)?, error, "{what}");
        noted(&node, &wish.peer, error).await.context(what)?;
        wish.arrives(&node).await.context(what)?;
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_taken_as_what_it_says() -> Result<()> {
    let mut node = node()?;
    let unknown = proto::Error { code: 0x7fff_ffff, retry_after_ms: u64::MAX, value: u64::MAX };
    let rows: [(&str, proto::Error, ErrorCode); 3] = [
        ("blocked", ErrorCode::Blocked.into(), ErrorCode::Blocked),
        ("held there", ErrorCode::KeyUnverified.into(), ErrorCode::KeyUnverified),
        ("an error of a later version", unknown, ErrorCode::Internal),
    ];
    for (number, (what, refusal, error)) in rows.into_iter().enumerate() {
        let mut wish = Wish::new(&node, number).await?;
        let (_connection, mut control) = wish.peer.dialled().await?;
        let hello = wish.peer.hello(node.domain(), net::now());
        let hello = PeerHello { refused: Some(refusal), documents: Vec::new(), ..hello };
        control.write_bytes(&answer(Some(Response::Hello(hello)))).await?;
        let shown = noted(&node, &wish.peer, error).await.context(what)?;
        assert!(!shown.held, "{what}: a refusal says nothing of the keys");
        wish.arrives(&node).await.context(what)?;
    }
    // `Internal` stands in the log as the peer's word; no fault of this node does.
    assert!(node.is_running());
    assert!(!node.log().iter().any(|line| line.contains("panicked")));
    crate::stage::served(&node).await
}

/// What is not an answer, and who says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_finish_a_hello_is_given_up() -> Result<()> {
    let mut node = node()?;
    let rows: [(&str, &[u8], bool, ErrorCode); 5] = [
        ("the end", &[], true, ErrorCode::Malformed),
        ("half a length and the end", &[0, 0], true, ErrorCode::Malformed),
        ("half a frame and the end", &[0, 0, 0, 9, 0x12], true, ErrorCode::Malformed),
        ("silence", &[], false, ErrorCode::Timeout),
        ("half a frame and silence", &[0, 0, 0, 9, 0x12], false, ErrorCode::Timeout),
    ];
    for (number, (what, bytes, end, error)) in rows.into_iter().enumerate() {
        let mut wish = Wish::new(&node, number).await?;
        let (connection, mut control) = wish.peer.dialled().await?;
        control.write_bytes(bytes).await?;
        if end {
            control.finish();
        }
        assert_eq!(close_code(&connection).await.context(what)?, error, "{what}");
        noted(&node, &wish.peer, error).await.context(what)?;
        wish.arrives(&node).await.context(what)?;
    }
    let mut wish = Wish::new(&node, rows.len()).await?;
    let (connection, mut control) = wish.peer.dialled().await?;
    control.reset();
    assert_eq!(close_code(&connection).await?, ErrorCode::Unavailable);
    wish.arrives(&node).await.context("a stream that was broken off")?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_is_noted_with_its_code() -> Result<()> {
    let mut node = node()?;
    let rows = [
        ("before the hello", ErrorCode::Draining.code(), ErrorCode::Draining),
        ("with a code of a later version", 0x7fff_ffff, ErrorCode::Internal),
        ("with no code", 0, ErrorCode::Unavailable),
    ];
    for (number, (what, code, error)) in rows.into_iter().enumerate() {
        let mut wish = Wish::new(&node, number).await?;
        let (connection, _control) = wish.peer.dialled().await?;
        connection.close(code.into(), b"\xff\x1b[2J");
        noted(&node, &wish.peer, error).await.context(what)?;
        wish.arrives(&node).await.context(what)?;
    }
    assert!(!node.log().iter().any(|line| line.contains('\u{1b}')), "no word of a peer is printed");
    assert!(node.is_running());
    crate::stage::served(&node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_than_the_documents_list_is_no_proof() -> Result<()> {
    let mut node = node()?;
    let mut peer = RawPeer::new("evil0.test")?;
    peer.pinned_by(&node)?;
    let honest = peer.documents.clone();
    // Its root key says that another key speaks for it: whoever answers here is not the domain.
    peer.documents = vec![document(&peer, |fields| {
        let tls = fields.keys.iter_mut().filter(|key| key.key_use == KeyUse::Tls);
        tls.for_each(|key| key.key = generate(&mut SystemEntropy).public());
    })?];
    let mut wish = Wish::of(&node, peer, "person").await?;
    let connection = wish.peer.meet(&node).await?;
    assert_eq!(close_code(&connection).await?, ErrorCode::AuthFailed);
    assert!(!noted(&node, &wish.peer, ErrorCode::AuthFailed).await?.held);
    wish.peer.documents = honest;
    wish.arrives(&node).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn old_documents_change_nothing_and_contradicting_ones_hold_the_peer() -> Result<()> {
    let mut node = node()?;
    let mut peer = RawPeer::new("evil0.test")?;
    peer.pinned_by(&node)?;
    // The newest is known here; what is dialled presents the one before it.
    let first = peer.documents.clone();
    let next = DomainDocument::issue(&peer.document()?.successor(net::now()), &peer.keys.root)?;
    peer.documents.push(next.signed().clone());
    peer.establish(&node).await?.close(0_u32.into(), b"");
    let honest = peer.documents.clone();
    noted(&node, &peer, ErrorCode::Unavailable).await?;
    let mut wish = Wish::of(&node, peer, "person").await?;
    wish.peer.documents = first;
    retry(&node, &wish.peer)?;
    let connection = wish.peer.meet(&node).await?;
    let (mut link, _) = wish.batch(&connection).await.context("old documents are no lie")?;
    link.reset();
    connection.close(0_u32.into(), b"");
    noted(&node, &wish.peer, ErrorCode::Unavailable).await?;
    // Two second documents, both signed by its root key.
    let mut fields = next.fields().clone();
    fields.expires -= 1;
    let other = DomainDocument::issue(&fields, &wish.peer.keys.root)?;
    wish.peer.documents = vec![honest[0].clone(), other.signed().clone()];
    retry(&node, &wish.peer)?;
    let connection = wish.peer.meet(&node).await?;
    assert_eq!(close_code(&connection).await?, ErrorCode::ForkedLog);
    let shown = noted(&node, &wish.peer, ErrorCode::ForkedLog).await?;
    assert!(shown.held && shown.document_seq == 2, "{shown:?}");
    wish.peer.documents = honest;
    wish.arrives(&node).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_hello_who_was_dialled_can_open_no_stream_and_after_it_adds_nothing() -> Result<()> {
    let mut node = node()?;
    let wish = Wish::new(&node, 0).await?;
    let (connection, mut control) = wish.peer.dialled().await?;
    let early = {
        let connection = connection.clone();
        tokio::spawn(async move { RawStream::open(&connection).await })
    };
    let one_way = {
        let connection = connection.clone();
        tokio::spawn(async move { connection.open_uni().await })
    };
    assert!(connection.send_datagram(b"x"[..].to_vec().into()).is_err(), "there are no datagrams");
    tokio::task::yield_now().await;
    assert!(!early.is_finished(), "a stream before the hello");
    let hello = answer(Some(Response::Hello(wish.peer.hello(node.domain(), net::now()))));
    control.write_bytes(&hello).await?;
    let mut early = early.await??;
    let asked = Request::GetDomain(GetDomain { domain: "acme.test".to_owned(), after_seq: 0 });
    early.write(&PeerRequest { request: Some(asked) }).await?;
    assert!(matches!(early.expect::<PeerResponse>().await?.response, Some(Response::Domain(_))));
    // What follows the hello on its stream is for nobody, be it a second one or noise: the node has
    // stopped reading there, sooner or later.
    let _ = control.write_bytes(&hello).await;
    let _ = control.write_bytes(&[0xff; 4_096]).await;
    let (mut link, batch) = wish.batch(&connection).await?;
    let number = wish.is_in(&batch)?;
    super::ack(&mut link, number).await?;
    assert!(!one_way.is_finished(), "there are no streams of one direction");
    unharmed(&mut node).await?;
    assert!(connection.close_reason().is_none());
    Ok(())
}
