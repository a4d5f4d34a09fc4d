//! Rows 1, 6, 7, 8 and 9 of the list in `README.md`: what happens before a frame is read.

use std::net::UdpSocket;

use anyhow::{Context as _, Result};
use kit::{RawDevice, RawPeer, RawStream, close_code, connect, endpoint};
use machine::{Entropy as _, Seeded};
use quinn::ConnectionError;
use wire::{
    ErrorCode, limits,
    proto::{GetDomain, client_request::Request},
};

use crate::stage::{node, resident_kib, unharmed};

#[tokio::test(flavor = "multi_thread")]
async fn noise_on_the_port_is_dropped_and_costs_no_memory() -> Result<()> {
    let mut node = node()?;
    unharmed(&mut node).await?;
    let before = resident_kib(&node)?;
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    let mut noise = Seeded::new(1);
    for n in 0..20_000_usize {
        let mut datagram = vec![0; 1 + n % 1_472];
        noise.fill(&mut datagram);
        if let Some(first) = datagram.first_mut().filter(|_| n % 2 == 0) {
            // Half of it looks like a long header of QUIC version 1.
            *first = 0xc0 | (*first & 0x3f);
            if let Some(version) = datagram.get_mut(1..5) {
                version.copy_from_slice(&[0, 0, 0, 1]);
            }
        }
        socket.send_to(&datagram, node.address())?;
    }
    unharmed(&mut node).await?;
    let after = resident_kib(&node)?;
    assert!(after < before + 16 * 1_024, "{before} KiB before, {after} KiB after");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_of_quic_is_told_the_known_one() -> Result<()> {
    let mut node = node()?;
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    let mut initial =
        vec![0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1];
    initial.resize(1_200, 0);
    socket.send_to(&initial, node.address())?;
    let mut answer = [0; 1_500];
    let bytes = socket.recv(&mut answer)?;
    let answer = answer.get(..bytes).context("an answer")?;
    assert_eq!(answer.get(1..5), Some(&[0, 0, 0, 0][..]), "a version negotiation packet has version 0");
    assert!(answer.windows(4).any(|version| version == [0, 0, 0, 1]), "{answer:?} offers version 1");
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_protocol_is_refused_by_tls() -> Result<()> {
    let mut node = node()?;
    for alpn in [&b"h3"[..], b"comity-client/2", b"comity-client/1 ", b"COMITY-CLIENT/1", b"x"] {
        let refused = connect(&endpoint()?, node.address(), "acme.test", alpn, None).await;
        let error = refused.expect_err("no such protocol").downcast::<ConnectionError>()?;
        let ConnectionError::ConnectionClosed(close) = &error else { panic!("{error} is not an alert") };
        // no_application_protocol (RFC 7301), which the close codes call Unsupported
        assert_eq!(close.error_code, quinn::TransportErrorCode::crypto(120), "{alpn:?}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_or_missing_server_name_is_misdirected() -> Result<()> {
    let mut node = node()?;
    for alpn in [tls::ALPN_CLIENT, tls::ALPN_FEDERATION] {
        for name in ["umbrella.test", "acme.test.evil.test", "xn--acme-9za.test", "127.0.0.1", "test"] {
            let connection = connect(&endpoint()?, node.address(), name, alpn, None).await?;
            assert_eq!(close_code(&connection).await?, ErrorCode::Misdirected, "{name}");
        }
    }
    let peer = RawPeer::new("evil.test")?;
    let key = Some(&peer.keys.tls);
    let connection =
        connect(&endpoint()?, node.address(), "umbrella.test", tls::ALPN_FEDERATION, key).await?;
    assert_eq!(close_code(&connection).await?, ErrorCode::Misdirected);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_a_key_is_refused() -> Result<()> {
    let mut node = node()?;
    let connection = connect(&endpoint()?, node.address(), "acme.test", tls::ALPN_FEDERATION, None).await?;
    assert_eq!(close_code(&connection).await?, ErrorCode::AuthFailed);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_timed_out() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let client = connect(&endpoint()?, node.address(), "acme.test", tls::ALPN_CLIENT, None).await?;
    let begun = connect(&endpoint()?, node.address(), "acme.test", tls::ALPN_CLIENT, None).await?;
    let mut half = RawStream::open(&begun).await?;
    half.write_bytes(&[0, 0, 0]).await?;
    let silent_peer = peer.dial(&node).await?;
    let established = peer.establish(&node).await?;
    let mut streams = Vec::new();
    // The control stream is one of those that a peer may have.
    for _ in 1..limits::PEER_STREAMS_MAX {
        let mut stream = RawStream::open(&established).await?;
        stream.write_bytes(&[0]).await?;
        streams.push(stream);
    }
    // A stranger who has asked something is not waited for much longer.
    let mut undecided = RawDevice::connect(&node).await?;
    undecided.request(about_the_domain()).await?;
    for connection in [&client, &begun, &silent_peer, &established, undecided.connection()] {
        assert_eq!(close_code(connection).await?, ErrorCode::Timeout);
    }
    unharmed(&mut node).await
}

fn about_the_domain() -> Request {
    Request::GetDomain(GetDomain { domain: "acme.test".to_owned(), after_seq: 0 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_asks_a_few_things_and_is_shown_out() -> Result<()> {
    let mut node = node()?;
    let mut device = RawDevice::connect(&node).await?;
    for _ in 0..limits::REQUESTS_BEFORE_HELLO_MAX {
        device.request(about_the_domain()).await?;
    }
    device.send_request(about_the_domain()).await?;
    assert_eq!(device.closed().await?, ErrorCode::Quota);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_strangers_at_once_prove_their_address_and_get_in() -> Result<()> {
    let mut node = node()?;
    let mut strangers = Vec::new();
    for _ in 0..limits::STRANGERS_PER_NETWORK_MAX / 4 {
        strangers.push(connect(&endpoint()?, node.address(), "acme.test", tls::ALPN_CLIENT, None).await?);
    }
    unharmed(&mut node).await
}
