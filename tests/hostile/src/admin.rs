//! The administrator's socket: who may open it, and what it answers to nonsense.

use std::{
    io::{Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use kit::{Node, ask_admin_raw};
use prost::Message as _;
use wire::{
    ErrorCode, WireError, limits,
    proto::{
        AccountStanding, AdminRequest, AdminStatusRequest, CreateUser, EndSessions, InviteUser, ListQueue,
        ListSessions, PeerMode, PinPeer, RemovePeer, RetryPeer, SetPeerMode, SetStanding, ShowPeer, ShowUser,
        Signed, TakeDocument, admin_request::Request, admin_response::Response,
    },
};

use crate::stage::{Row, node, row, served, unharmed};

fn refused(node: &Node, request: Request) -> Result<ErrorCode> {
    let error = node.ask(request.clone()).err().with_context(|| format!("{request:?} is served"))?;
    Ok(error.downcast::<WireError>()?.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_wrong_get_their_named_error() -> Result<()> {
    use ErrorCode::{Conflict, Malformed, Misdirected, NotFound};
    let mut node = node()?;
    let pin = PinPeer {
        domain: "umbrella.test".to_owned(),
        endpoints: vec!["127.0.0.1:9".to_owned()],
        fingerprint: Bytes::from_static(&[1; 32]),
        replace: false,
    };
    node.ask(Request::PinPeer(pin.clone()))?;
    let pinned = |change: &dyn Fn(&mut PinPeer)| {
        let mut pin = pin.clone();
        change(&mut pin);
        Request::PinPeer(pin)
    };
    let invite = |account: &str| Request::InviteUser(InviteUser { account: account.to_owned() });
    let retry = |domain: &str| Request::RetryPeer(RetryPeer { domain: domain.to_owned() });
    let queue = |domain: &str| Request::ListQueue(ListQueue { domain: domain.to_owned(), limit: 0 });
    for (what, error, request) in [
        (
            "another fingerprint for a pinned peer",
            Conflict,
            pinned(&|pin| pin.fingerprint = vec![2; 32].into()),
        ),
        ("a fingerprint of 31 bytes", Malformed, pinned(&|pin| pin.fingerprint.truncate(31))),
        ("no fingerprint", Malformed, pinned(&|pin| pin.fingerprint.clear())),
        ("a pin of this very domain", Malformed, pinned(&|pin| pin.domain = "acme.test".to_owned())),
        ("a domain with a final dot", Malformed, pinned(&|pin| pin.domain.push('.'))),
        ("nine endpoints", Malformed, pinned(&|pin| pin.endpoints = vec!["127.0.0.1:9".to_owned(); 9])),
        ("an endpoint without port", Malformed, pinned(&|pin| pin.endpoints = vec!["host.test".to_owned()])),
        ("an endpoint with port 0", Malformed, pinned(&|pin| pin.endpoints = vec!["host.test:0".to_owned()])),
        (
            "an endpoint with a path",
            Malformed,
            pinned(&|pin| pin.endpoints = vec!["host.test:1/x".to_owned()]),
        ),
        ("an account of another domain", Misdirected, invite("bob@umbrella.test")),
        ("a malformed account", Malformed, invite("bob")),
        ("an account with an escape", Malformed, invite("bob\u{1b}[31m@acme.test")),
        ("a peer that is not pinned", NotFound, retry("nobody.test")),
        ("a malformed peer", Malformed, retry("nobody")),
        ("the queue of a peer that is not pinned", NotFound, queue("nobody.test")),
        ("the queue of a malformed peer", Malformed, queue("\0")),
    ] {
        assert_eq!(refused(&node, request)?, error, "{what}");
    }
    unharmed(&mut node).await
}

// [ADMIN-2]
#[tokio::test(flavor = "multi_thread")]
async fn orders_about_peers_and_documents_that_are_wrong_get_their_named_error() -> Result<()> {
    use ErrorCode::{Blocked, Malformed, NotFound, Policy};
    let mut node = node()?;
    let pin = |domain: &str| {
        Request::PinPeer(PinPeer {
            domain: domain.to_owned(),
            endpoints: vec!["127.0.0.1:9".to_owned()],
            fingerprint: Bytes::from_static(&[1; 32]),
            replace: false,
        })
    };
    let mode =
        |domain: &str, mode: i32| Request::SetPeerMode(SetPeerMode { domain: domain.to_owned(), mode });
    let retry = |domain: &str| Request::RetryPeer(RetryPeer { domain: domain.to_owned() });
    let remove = |domain: &str| Request::RemovePeer(RemovePeer { domain: domain.to_owned() });
    let show = |domain: &str| Request::ShowPeer(ShowPeer { domain: domain.to_owned() });
    let take = |body: &'static [u8]| {
        let signed = Signed { body: Bytes::from_static(body), ..Signed::default() };
        Request::TakeDocument(TakeDocument { document: Some(signed) })
    };
    node.ask(pin("denied.test"))?;
    node.ask(pin("paused.test"))?;
    node.ask(mode("denied.test", PeerMode::Denied.into()))?;
    node.ask(mode("paused.test", PeerMode::Paused.into()))?;
    for (what, error, request) in [
        ("a mode that is none", Malformed, mode("denied.test", 0)),
        ("a mode of the future", Malformed, mode("denied.test", 77)),
        ("the mode of nobody", NotFound, mode("nobody.test", 1)),
        ("the mode of no domain", Malformed, mode("nobody", 1)),
        ("to try a paused peer", Policy, retry("paused.test")),
        ("to try a denied peer", Blocked, retry("denied.test")),
        ("to remove nobody", NotFound, remove("nobody.test")),
        ("to remove no domain", Malformed, remove("..")),
        ("to show nobody", NotFound, show("nobody.test")),
        ("to show this very domain", NotFound, show("acme.test")),
        ("no document", Malformed, Request::TakeDocument(TakeDocument { document: None })),
        ("an empty document", Malformed, take(&[])),
        ("a document that is none", Malformed, take(&[0xff; 40])),
    ] {
        assert_eq!(refused(&node, request)?, error, "{what}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_about_accounts_that_are_wrong_get_their_named_error() -> Result<()> {
    use ErrorCode::{Blocked, Conflict, Malformed, Misdirected, NotFound};
    let mut node = node()?;
    let stand = |account: &str, standing: i32| {
        Request::SetStanding(SetStanding { account: account.to_owned(), standing })
    };
    let create =
        |account: &str| Request::CreateUser(CreateUser { account: account.to_owned(), reuse: false });
    let invite = |account: &str| Request::InviteUser(InviteUser { account: account.to_owned() });
    let show = |account: &str| Request::ShowUser(ShowUser { account: account.to_owned() });
    let list = |account: &str| Request::ListSessions(ListSessions { account: account.to_owned() });
    let end = |account: &str, device: &'static [u8]| {
        let device_id = Bytes::from_static(device);
        Request::EndSessions(EndSessions { account: account.to_owned(), device_id })
    };
    let (active, suspended, deleted) =
        (AccountStanding::Active as i32, AccountStanding::Suspended as i32, AccountStanding::Deleted as i32);
    node.ask(create("gone@acme.test"))?;
    node.ask(stand("gone@acme.test", deleted))?;
    node.ask(create("out@acme.test"))?;
    node.ask(stand("out@acme.test", suspended))?;
    for (what, error, request) in [
        ("to make what is there", Conflict, create("out@acme.test")),
        ("to make what was deleted", Conflict, create("gone@acme.test")),
        ("to make an account elsewhere", Misdirected, create("bob@umbrella.test")),
        ("to make no account", Malformed, create("bob")),
        ("to invite what was deleted", Conflict, invite("gone@acme.test")),
        ("to invite what is suspended", Blocked, invite("out@acme.test")),
        ("a standing that is none", Malformed, stand("out@acme.test", 0)),
        ("a standing of the future", Malformed, stand("out@acme.test", 4)),
        ("to restore what was deleted", Conflict, stand("gone@acme.test", active)),
        ("to suspend nobody", NotFound, stand("nobody@acme.test", suspended)),
        ("to delete an account elsewhere", Misdirected, stand("bob@umbrella.test", deleted)),
        ("to show an account elsewhere", Misdirected, show("bob@umbrella.test")),
        ("to show nobody", NotFound, show("nobody@acme.test")),
        ("to show an escape", Malformed, show("bob\u{1b}[2J@acme.test")),
        ("the sessions of nobody", NotFound, list("nobody@acme.test")),
        ("to end the sessions of all", Malformed, end("", &[])),
        ("to end a session of nobody", NotFound, end("nobody@acme.test", &[])),
        ("to end the session of no device", NotFound, end("out@acme.test", &[1; 16])),
        ("to end the session of half a device", Malformed, end("out@acme.test", &[1; 8])),
    ] {
        assert_eq!(refused(&node, request)?, error, "{what}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_get_an_answer_and_the_end() -> Result<()> {
    let mut node = node()?;
    let status = AdminRequest { request: Some(Request::Status(AdminStatusRequest {})) }.encode_to_vec();
    let framed =
        |body: &[u8]| [&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes()[..], body].concat();
    let rows: Vec<Row> = vec![
        row("a length of 2^32 - 1", vec![0xff; 4], ErrorCode::TooLarge),
        row(
            "one byte over the limit",
            u32::try_from(limits::ADMIN_FRAME_BYTES_MAX + 1)?.to_be_bytes(),
            ErrorCode::TooLarge,
        ),
        row("half a length", [0, 0], ErrorCode::Malformed),
        row("half a request", [0, 0, 0, 9, 1], ErrorCode::Malformed),
        row("noise", framed(&[0xff; 40]), ErrorCode::Malformed),
        row("one request twice in a frame", framed(&[&status[..], &status].concat()), ErrorCode::Malformed),
        row("an empty request", framed(&[]), ErrorCode::Unsupported),
        row("a request of the future", framed(&[0xa2, 0x06, 0x01, 0x07]), ErrorCode::Unsupported),
        row("HTTP", b"GET / HTTP/1.1\r\n\r\n", ErrorCode::TooLarge),
    ];
    for Row { what, bytes, error } in rows {
        let answer = ask_admin_raw(node.data(), &bytes).context(what)?;
        let Some(Response::Error(refused)) = answer.response else { panic!("{what}: {answer:?}") };
        assert_eq!(ErrorCode::from_code(refused.code), error, "{what}");
    }
    unharmed(&mut node).await
}

// [ADMIN-1]
#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone() -> Result<()> {
    let mut node = node()?;
    let socket = node.data().join("admin.sock");
    assert_eq!(std::fs::metadata(&socket)?.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(node.data())?.permissions().mode() & 0o077, 0);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_silent_administrators_do_not_stop_the_node() -> Result<()> {
    let mut node = node()?;
    let socket = node.data().join("admin.sock");
    let silent: Vec<UnixStream> = (0..64).map(|_| UnixStream::connect(&socket)).collect::<Result<_, _>>()?;
    // Devices and peers are served on the network as ever, and administrators as soon as one leaves.
    served(&node).await?;
    drop(silent);
    assert!(matches!(node.ask(Request::Status(AdminStatusRequest {}))?, Response::Status(_)));
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_on_one_connection_are_answered_in_order() -> Result<()> {
    let node = node()?;
    let request = AdminRequest { request: Some(Request::Status(AdminStatusRequest {})) };
    let frame = wire::frame::encode(&request)?;
    let mut socket = UnixStream::connect(node.data().join("admin.sock"))?;
    socket.write_all(&[&frame[..], &frame, &frame].concat())?;
    socket.shutdown(std::net::Shutdown::Write)?;
    let mut answers = Vec::new();
    socket.read_to_end(&mut answers)?;
    let mut decoder = wire::frame::Decoder::default();
    decoder.push(&answers);
    for _ in 0..3 {
        let answer = decoder.next::<wire::proto::AdminResponse>()?.context("three answers")?;
        assert!(matches!(answer.response, Some(Response::Status(_))), "{answer:?}");
    }
    Ok(())
}
