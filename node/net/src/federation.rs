//! Connections between nodes: accepted or dialled, one control stream with the two hellos, link
//! streams, and one stream for each request.

mod accept;
mod connection;
mod dial;
mod link_stream;
mod request;

use bytes::Bytes;
use domain::RequestId;
use wire::proto;

use crate::{
    media::Pieces,
    outgoing::{Outgoing, Weigh},
};

pub(crate) use accept::accept;
pub(crate) use dial::Dialler;

/// Encoded frames that wait for the writer of a link stream.
pub(crate) type Frames = Outgoing<Bytes>;

/// What the core wants done on a connection.
#[derive(Debug)]
pub(crate) enum Command {
    /// Say hello, or answer one.
    Hello(proto::PeerHello),
    /// Open a link stream.
    OpenLink(proto::LinkOpen),
    /// Ask on a stream of its own.
    Request(RequestId, proto::PeerRequest),
    /// Fetch a piece of a blob for a device.
    Fetch(proto::GetBlob, Pieces),
}

impl Weigh for Command {
    fn weight(&self) -> usize {
        1
    }
}
