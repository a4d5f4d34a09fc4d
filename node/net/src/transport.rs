//! How much of each thing a QUIC connection may hold. Every bound is chosen so that an idle client
//! costs what a bare connection costs, and a hostile one not much more.

use std::{sync::Arc, time::Duration};

use quinn::{IdleTimeout, TransportConfig, VarInt};
use wire::limits;

/// Bytes that a client may have sent and the core not taken.
const CLIENT_RECEIVE_WINDOW: u32 = 256 * 1024;
/// Bytes that a client has not acknowledged.
const CLIENT_SEND_WINDOW: u32 = 512 * 1024;
/// The same for a peer, over all its streams.
const PEER_WINDOW: u32 = 8 * 1024 * 1024;
/// Bytes on one stream; the connection's window, which is smaller for a client, bounds their sum.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;

/// For connections that come in: as tight as a client needs, until [`widen`] learns that it is a
/// peer. Unidirectional streams and datagrams do not exist in this protocol.
pub(crate) fn accepted() -> Arc<TransportConfig> {
    let mut config = bounded();
    config.max_concurrent_bidi_streams(VarInt::from_u32(1));
    config.receive_window(VarInt::from_u32(CLIENT_RECEIVE_WINDOW));
    config.send_window(u64::from(CLIENT_SEND_WINDOW));
    Arc::new(config)
}

/// For connections to peers. The side that dialled keeps a connection alive. Until its hello has
/// been read, the other side can open no stream: one that overtook the hello would be a stranger's.
pub(crate) fn dialled() -> Arc<TransportConfig> {
    let mut config = bounded();
    config.max_concurrent_bidi_streams(VarInt::from_u32(0));
    config.receive_window(VarInt::from_u32(PEER_WINDOW));
    config.send_window(u64::from(PEER_WINDOW));
    config.keep_alive_interval(Some(Duration::from_millis(limits::IDLE_TIMEOUT_MS / 3)));
    Arc::new(config)
}

/// Gives a connection, known by now to be a peer's, the room that a peer needs.
pub(crate) fn widen(connection: &quinn::Connection) {
    connection.set_receive_window(VarInt::from_u32(PEER_WINDOW));
    connection.set_send_window(u64::from(PEER_WINDOW));
    connection.set_max_concurrent_bi_streams(peer_streams());
}

fn peer_streams() -> VarInt {
    VarInt::from_u32(u32::try_from(limits::PEER_STREAMS_MAX).unwrap_or(u32::MAX))
}

fn bounded() -> TransportConfig {
    let mut config = TransportConfig::default();
    let idle = u32::try_from(limits::IDLE_TIMEOUT_MS).unwrap_or(u32::MAX);
    config
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .datagram_send_buffer_size(0)
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(idle))));
    config
}
