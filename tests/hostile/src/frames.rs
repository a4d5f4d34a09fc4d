//! Rows 13, 14, 15 and 16: bytes that are no frame, or no message, on the first stream of a device and
//! of a peer, and on a link stream.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use kit::{RawDevice, RawPeer, RawStream, close_code};
use prost::Message as _;
use wire::{ErrorCode, limits, proto};

use crate::stage::{Row, node, row, unharmed};

/// A frame around any bytes.
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

/// A length without the bytes that it promises.
pub(crate) fn promised(bytes: usize) -> Vec<u8> {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes().to_vec()
}

/// A delimited field.
fn field(number: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = body.len();
    while length > 127 {
        bytes.push(u8::try_from(length & 127).unwrap_or_default() | 128);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap_or_default());
    bytes.extend_from_slice(body);
    bytes
}

fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| field(2, &inner))
}

/// What no message of any kind looks like; `head` is a field that the message knows.
pub(crate) fn shapeless(head: &[u8]) -> Vec<Row> {
    let twice = [head, head].concat();
    let unknown = |count: usize| [0x78_u8, 1].repeat(count);
    let cut = |bytes: &[u8]| bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default().to_vec();
    vec![
        row("a length of 2^32 - 1", promised(usize::MAX), ErrorCode::TooLarge),
        row("a length of 2^31", promised(1 << 31), ErrorCode::TooLarge),
        row("one byte over the frame limit", promised(limits::FRAME_BYTES_MAX + 1), ErrorCode::TooLarge),
        row("bytes of all ones", framed(&[0xff; 64]), ErrorCode::Malformed),
        row("a varint of eleven bytes", framed(&[0x80; 11]), ErrorCode::Malformed),
        row("field number 0", framed(&[0x02, 0]), ErrorCode::Malformed),
        row("a group of old protobuf", framed(&[0x0b, 0x0c]), ErrorCode::Malformed),
        row(
            "a length that leads out of the frame",
            framed(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
            ErrorCode::Malformed,
        ),
        row(
            "a length of 2^62 inside the frame",
            framed(&[0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]),
            ErrorCode::Malformed,
        ),
        row("a message cut short", framed(&cut(head)), ErrorCode::Malformed),
        row("one singular field twice", framed(&twice), ErrorCode::Malformed),
        row("10,000 unknown fields", framed(&unknown(10_000)), ErrorCode::Malformed),
        row(
            "65 unknown fields",
            framed(&unknown(limits::FRAME_UNKNOWN_FIELDS_MAX + 1)),
            ErrorCode::Malformed,
        ),
        row("101 messages within each other", framed(&nested(101)), ErrorCode::Malformed),
        row("a number where a message stands", framed(&[0x08, 1]), ErrorCode::Malformed),
    ]
}

fn invalid_text(field_of_text: u8, wrap: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<Row> {
    vec![
        row("text that is not UTF-8", framed(&wrap(field(field_of_text, b"\xc3\x28"))), ErrorCode::Malformed),
        row(
            "a surrogate in text",
            framed(&wrap(field(field_of_text, b"\xed\xa0\x80"))),
            ErrorCode::Malformed,
        ),
        row("an overlong encoding", framed(&wrap(field(field_of_text, b"\xc0\x80"))), ErrorCode::Malformed),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_sends_no_frame_is_closed_with_the_reason() -> Result<()> {
    let mut node = node()?;
    let get = proto::ClientRequest {
        id: 1,
        request: Some(proto::client_request::Request::GetDomain(proto::GetDomain {
            domain: "acme.test".to_owned(),
            after_seq: 0,
        })),
    };
    let head = proto::ClientFrame { frame: Some(proto::client_frame::Frame::Request(get)) }.encode_to_vec();
    let mut rows = shapeless(&head);
    rows.extend(invalid_text(1, |text| field(1, &text)));
    rows.push(row("an empty frame", framed(&[]), ErrorCode::Malformed));
    rows.push(row(
        "one byte over what a stranger may send",
        promised(limits::FIRST_FRAME_BYTES_MAX + 1),
        ErrorCode::TooLarge,
    ));
    for Row { what, bytes, error } in rows {
        let mut device = RawDevice::connect(&node).await?;
        device.stream().write_bytes(&bytes).await?;
        assert_eq!(device.closed().await.context(what)?, error, "{what}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_a_session_is_held_to_the_same() -> Result<()> {
    let mut node = node()?;
    let (person, _) = RawDevice::enrolled(&node, "mallory").await?;
    for Row { what, bytes, error } in
        shapeless(&proto::ClientFrame { frame: Some(proto::client_frame::Frame::Ack(0)) }.encode_to_vec())
    {
        let mut device = RawDevice::again(&node, &person).await?;
        device.stream().write_bytes(&bytes).await?;
        assert_eq!(device.closed().await.context(what)?, error, "{what}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_ends_in_the_middle_is_malformed() -> Result<()> {
    let mut node = node()?;
    for bytes in [&[0][..], &[0, 0, 0, 9], &[0, 0, 0, 9, 0x0a]] {
        let mut device = RawDevice::connect(&node).await?;
        device.stream().write_bytes(bytes).await?;
        device.stream().finish();
        assert_eq!(device.closed().await?, ErrorCode::Malformed, "{bytes:?}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_sends_no_frame_is_closed_with_the_reason() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let hello = proto::peer_request::Request::Hello(peer.hello(node.domain(), net::now()));
    let head = proto::PeerRequest { request: Some(hello) }.encode_to_vec();
    let mut rows = shapeless(&head);
    rows.extend(invalid_text(1, |text| field(1, &text)));
    for Row { what, bytes, error } in rows {
        let connection = peer.dial(&node).await?;
        RawStream::open(&connection).await?.write_bytes(&bytes).await?;
        assert_eq!(close_code(&connection).await.context(what)?, error, "{what}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_stream_that_carries_no_frame_closes_its_connection() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let batch = proto::link_frame::Frame::Batch(proto::Batch { items: Vec::new(), settled: 1 });
    let head = proto::LinkFrame { frame: Some(batch) }.encode_to_vec();
    for Row { what, bytes, error } in shapeless(&head) {
        let connection = peer.establish(&node).await?;
        let mut link = peer.open_link(&connection).await?;
        link.stream().write_bytes(&bytes).await?;
        assert_eq!(close_code(&connection).await.context(what)?, error, "{what}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_begin_with_a_hello_is_refused() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let open = proto::LinkOpen { outbox_id: Bytes::from_static(&[1; 16]), first: 1 };
    let link = proto::LinkFrame { frame: Some(proto::link_frame::Frame::Open(open)) };
    for request in [
        proto::peer_request::Request::GetDomain(proto::GetDomain::default()),
        proto::peer_request::Request::GetAccount(proto::GetAccount::default()),
        proto::peer_request::Request::ClaimKeyPackages(proto::ClaimKeyPackages::default()),
        proto::peer_request::Request::PullEvents(proto::PullEvents::default()),
        proto::peer_request::Request::Link(link),
    ] {
        let connection = peer.dial(&node).await?;
        let mut stream = RawStream::open(&connection).await?;
        stream.write(&proto::PeerRequest { request: Some(request) }).await?;
        assert_eq!(close_code(&connection).await?, ErrorCode::AuthFailed);
    }
    unharmed(&mut node).await
}
