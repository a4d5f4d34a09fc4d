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
        AdminRequest, AdminStatusRequest, InviteUser, ListQueue, PinPeer, RetryPeer, admin_request::Request,
        admin_response::Response,
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
