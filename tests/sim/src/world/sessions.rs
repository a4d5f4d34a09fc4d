//! Carries sessions: a device connects to its home node, proves itself, and exchanges frames.

use domain::{Input, Network, SessionId};
use engine::Input as EngineInput;
use prost::bytes::Bytes;
use wire::proto::{ClientFrame, NodeFrame, client_frame, node_frame};

use super::{Happening, World, decode, encode};
use crate::network::{End, Packet, Stream};

/// The TLS exporter of a simulated session: both ends know it, and no other session has it.
fn exporter(pipe: u64) -> [u8; 32] {
    let mut exporter = [7; 32];
    exporter[..8].copy_from_slice(&pipe.to_le_bytes());
    exporter
}

impl World {
    /// A device goes online or offline, as its user does with aeroplane mode.
    pub fn set_online(&mut self, index: usize, online: bool) {
        let Some(device) = self.devices.get_mut(index) else { return };
        device.online = online;
        let (life, session) = (device.life, device.session);
        match session {
            Some((pipe, _)) if !online => self.cut(pipe),
            None if online => self.after(1, Happening::DeviceDials(index, life)),
            _ => {}
        }
    }

    pub(super) fn device_dials(&mut self, index: usize, life: u64) {
        let Some(device) = self.devices.get(index) else { return };
        if device.life != life || !device.online || device.session.is_some() || device.engine.is_none() {
            return;
        }
        let (home, from) = (device.home, End::Device(index));
        let to = End::Node(home);
        let runs = self.nodes.get(home).is_some_and(|node| node.core.is_some());
        if !runs || self.network.is_blocked(from, to) || self.network.is_blocked(to, from) {
            let again = 200 + self.random.below(1_000);
            return self.after(again, Happening::DeviceDials(index, life));
        }
        let pipe = self.network.connect(from, to);
        let now = self.nodes[home].clock(self.now_ms());
        let Some(device) = self.devices.get_mut(index) else { return };
        device.session = Some((pipe, false));
        let keys = &device.keys;
        let hello = identity::session::sign(&keys.secret, &keys.account, keys.device, &exporter(pipe), now);
        let network = Network::V4([192, 0, 2, 1]);
        let session = SessionId(pipe);
        self.node_takes(home, Input::SessionOpened { session, exporter: exporter(pipe), network });
        let frame = ClientFrame { frame: Some(client_frame::Frame::Hello(hello)) };
        self.send(Packet { pipe, forward: true, stream: Stream::Session, bytes: encode(&frame) });
    }

    pub(super) fn device_sends(&mut self, index: usize, frame: &ClientFrame) {
        let Some(device) = self.devices.get(index) else { return };
        let Some((pipe, true)) = device.session else { return };
        self.history.device_said(index, device.life, frame);
        self.send(Packet { pipe, forward: true, stream: Stream::Session, bytes: encode(frame) });
    }

    pub(super) fn device_hears(&mut self, index: usize, packet: &Packet) {
        let frame: NodeFrame = decode(&packet.bytes);
        let Some(device) = self.devices.get_mut(index) else { return };
        match (&mut device.session, frame.frame) {
            (Some((pipe, stands)), Some(node_frame::Frame::Ready(ready))) if *pipe == packet.pipe => {
                *stands = true;
                self.device_takes(index, EngineInput::Connected(ready));
            }
            (Some((pipe, true)), Some(frame)) if *pipe == packet.pipe => {
                self.device_takes(index, EngineInput::Frame(NodeFrame { frame: Some(frame) }));
            }
            (_, Some(node_frame::Frame::Goodbye(_))) => {}
            (_, frame) => panic!("before the session stood the node said {frame:?}"),
        }
    }

    pub(super) fn device_lost(&mut self, index: usize, pipe: u64) {
        let Some(device) = self.devices.get_mut(index) else { return };
        let Some((own, stood)) = device.session.filter(|(own, _)| *own == pipe) else { return };
        debug_assert_eq!(own, pipe);
        device.session = None;
        let life = device.life;
        if stood {
            self.device_takes(index, EngineInput::Disconnected);
        }
        let again = 100 + self.random.below(1_000);
        self.after(again, Happening::DeviceDials(index, life));
    }

    pub(super) fn say_to_device(&mut self, node: usize, session: SessionId, bytes: Bytes) {
        let frame: NodeFrame = decode(&bytes);
        self.history.node_said(node, &frame);
        if self.network.pipe(session.0).is_some_and(|pipe| pipe.open[1]) {
            self.send(Packet { pipe: session.0, forward: false, stream: Stream::Session, bytes });
        }
    }

    pub(super) fn session_hears(&mut self, node: usize, packet: &Packet) {
        let frame: ClientFrame = decode(&packet.bytes);
        self.node_takes(node, Input::ClientFrame { session: SessionId(packet.pipe), frame });
    }
}
