//! Carries the connections between nodes: dialling, hellos, link streams and requests.

use domain::{ConnId, Input, RequestId, SessionId, StreamId};
use prost::bytes::Bytes;
use wire::{
    DomainName, ErrorCode,
    proto::{
        LinkFrame, LinkOpen, PeerHello, PeerRequest, PeerResponse, link_frame, peer_request, peer_response,
    },
};

use super::{Happening, World, decode, encode};
use crate::network::{End, Packet, Stream};

impl World {
    pub(super) fn dial(&mut self, index: usize, domain: &DomainName) {
        let life = self.nodes[index].life;
        let latency = 1 + self.random.below(self.network.latency_max_ms);
        match self.node_named(domain.as_str()) {
            Some(to) => self.after(latency, Happening::Dialled(index, life, to)),
            None => {
                self.node_takes(
                    index,
                    Input::DialFailed { domain: domain.clone(), error: ErrorCode::Unavailable },
                );
            }
        }
    }

    pub(super) fn dial_arrives(&mut self, from: usize, life: u64, to: usize) {
        if self.nodes[from].life != life {
            return;
        }
        let (one, other) = (End::Node(from), End::Node(to));
        let blocked = self.network.is_blocked(one, other) || self.network.is_blocked(other, one);
        if self.nodes[to].core.is_none() || blocked {
            let domain = self.nodes[to].name.clone();
            return self.node_takes(from, Input::DialFailed { domain, error: ErrorCode::Unavailable });
        }
        let pipe = self.network.connect(one, other);
        let (from_key, to_key) = (self.nodes[from].keys.tls.public(), self.nodes[to].keys.tls.public());
        let dialled = Some(self.nodes[to].name.clone());
        self.node_takes(to, Input::PeerConnected { conn: ConnId(pipe), key: from_key, dialled: None });
        self.node_takes(from, Input::PeerConnected { conn: ConnId(pipe), key: to_key, dialled });
    }

    /// A frame from this node, if it still has the connection.
    fn node_sends(&mut self, index: usize, conn: ConnId, stream: Stream, bytes: Bytes) {
        let Some(pipe) = self.network.pipe(conn.0) else { return };
        let forward = pipe.from == End::Node(index);
        if pipe.open[usize::from(!forward)] {
            self.send(Packet { pipe: conn.0, forward, stream, bytes });
        }
    }

    pub(super) fn say_hello(&mut self, index: usize, conn: ConnId, hello: PeerHello) {
        let Some(pipe) = self.network.pipe(conn.0) else { return };
        if pipe.from == End::Node(index) {
            let request = PeerRequest { request: Some(peer_request::Request::Hello(hello)) };
            self.node_sends(index, conn, Stream::HelloAsked, encode(&request));
        } else {
            let response = PeerResponse { response: Some(peer_response::Response::Hello(hello)) };
            self.node_sends(index, conn, Stream::HelloAnswered, encode(&response));
        }
    }

    pub(super) fn open_link(&mut self, index: usize, conn: ConnId, open: LinkOpen) {
        let stream = self.network.fresh();
        let link = LinkFrame { frame: Some(link_frame::Frame::Open(open)) };
        let request = PeerRequest { request: Some(peer_request::Request::Link(link)) };
        self.node_sends(index, conn, Stream::LinkOpened(stream), encode(&request));
    }

    pub(super) fn say_on_link(&mut self, index: usize, conn: ConnId, stream: StreamId, frame: Bytes) {
        self.node_sends(index, conn, Stream::Link(stream.0), frame);
    }

    pub(super) fn ask_peer(&mut self, index: usize, conn: ConnId, request: RequestId, body: &PeerRequest) {
        let stream = self.network.fresh();
        self.asked.insert(stream, (index, conn, request));
        let life = self.nodes[index].life;
        self.after(
            wire::limits::REQUEST_DEADLINE_MS,
            Happening::Deadline(index, life, conn, request, stream),
        );
        self.node_sends(index, conn, Stream::Asked(stream), encode(body));
    }

    pub(super) fn deadline(
        &mut self,
        index: usize,
        life: u64,
        conn: ConnId,
        request: RequestId,
        stream: u64,
    ) {
        let unanswered = self.asked.remove(&stream).is_some();
        if unanswered && self.nodes[index].life == life {
            self.node_takes(index, Input::PeerAnswer { conn, request, answer: Err(ErrorCode::Timeout) });
        }
    }

    pub(super) fn answer_peer(
        &mut self,
        index: usize,
        conn: ConnId,
        request: RequestId,
        response: &PeerResponse,
    ) {
        let stream = self.asking.remove(&(index, request));
        let stream =
            stream.unwrap_or_else(|| panic!("{} answers what was not asked", self.nodes[index].name));
        self.node_sends(index, conn, Stream::Answered(stream), encode(response));
    }

    pub(super) fn node_hears(&mut self, index: usize, packet: &Packet) {
        let conn = ConnId(packet.pipe);
        match packet.stream {
            Stream::Session => self.session_hears(index, packet),
            Stream::HelloAsked => {
                let request: PeerRequest = decode(&packet.bytes);
                let Some(peer_request::Request::Hello(hello)) = request.request else {
                    panic!("no hello on the control stream");
                };
                self.node_takes(index, Input::PeerHello { conn, hello });
            }
            Stream::HelloAnswered => {
                let response: PeerResponse = decode(&packet.bytes);
                let Some(peer_response::Response::Hello(hello)) = response.response else {
                    panic!("no hello on the control stream");
                };
                self.node_takes(index, Input::PeerHello { conn, hello });
                for early in self.network.greeted(packet.pipe) {
                    self.node_hears(index, &early);
                }
            }
            Stream::LinkOpened(stream) => {
                let request: PeerRequest = decode(&packet.bytes);
                let Some(peer_request::Request::Link(LinkFrame {
                    frame: Some(link_frame::Frame::Open(open)),
                })) = request.request
                else {
                    panic!("a link stream does not begin with its opening");
                };
                self.node_takes(index, Input::LinkOpened { conn, stream: StreamId(stream), open });
            }
            Stream::Link(stream) => {
                let frame: LinkFrame = decode(&packet.bytes);
                self.node_takes(index, Input::LinkFrame { conn, stream: StreamId(stream), frame });
            }
            Stream::Asked(stream) => {
                let body: PeerRequest = decode(&packet.bytes);
                // A name that cannot meet those that the core gives to its own requests.
                let request = RequestId(u64::MAX - self.network.fresh());
                self.asking.insert((index, request), stream);
                self.node_takes(index, Input::PeerRequest { conn, request, body });
            }
            Stream::Answered(stream) => {
                let answer: PeerResponse = decode(&packet.bytes);
                let Some((_, conn, request)) = self.asked.remove(&stream) else { return };
                self.node_takes(index, Input::PeerAnswer { conn, request, answer: Ok(answer) });
            }
        }
    }

    pub(super) fn node_lost(&mut self, index: usize, pipe: u64, dialler: End, error: ErrorCode) {
        let conn = ConnId(pipe);
        self.asked.retain(|_, (node, on, _)| *node != index || *on != conn);
        match dialler {
            End::Device(_) => self.node_takes(index, Input::SessionClosed { session: SessionId(pipe) }),
            End::Node(_) => self.node_takes(index, Input::PeerGone { conn, error }),
        }
    }
}
