//! Runs everything: nodes, devices and the network between them, in one thread, from one seed.

mod devices;
mod nodes;
mod peers;
mod sessions;

use domain::{AdminId, Input, RequestId};
use engine::{Command, CommandId};
use machine::Seeded;
use prost::bytes::Bytes;

use crate::{
    device::Device,
    fault::Weather,
    history::{Asked, History},
    network::{End, Network, Packet},
    node::Node,
    schedule::Schedule,
};

/// The time at which every run begins: 2026-01-01, in milliseconds.
pub const START_MS: u64 = 1_767_225_600_000;
/// A connection over which nothing gets for this long is lost.
const IDLE_MS: u64 = wire::limits::IDLE_TIMEOUT_MS;

/// What may happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A process looks into its inbox, if it is still the same.
    NodeRuns(usize, u64),
    /// A node's timer, if it is still the newest of the same process.
    NodeTimer(usize, u64, u64),
    /// A node starts, if it does not run.
    NodeStarts(usize),
    /// A device's timer.
    DeviceTimer(usize, u64, u64),
    /// A device starts, if it does not run.
    DeviceStarts(usize),
    /// A device looks for its node, if it has no session and is still the same.
    DeviceDials(usize, u64),
    /// A dial by the first node (and life) reaches the second.
    Dialled(usize, u64, usize),
    /// A frame arrives.
    Arrives(Packet),
    /// One end learns that a connection is gone.
    Gone(u64, End, wire::ErrorCode),
    /// A partition may have outlasted the idle timeout of a connection.
    IdleCheck(u64, u64),
    /// An unanswered request of this node (and life) is given up.
    Deadline(usize, u64, domain::ConnId, RequestId, u64),
}

/// Everything.
pub struct World {
    /// The seed.
    pub seed: u64,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Devices.
    pub devices: Vec<Device>,
    /// Connections and partitions.
    pub network: Network,
    /// What goes wrong by itself.
    pub weather: Weather,
    /// What was seen.
    pub history: History,
    /// Whether every frame is noted too.
    pub verbose: bool,
    /// Everything random that is not inside a machine.
    pub random: Seeded,
    /// Partitions so far: a later one voids the idle checks of an earlier one.
    pub(crate) partitions: u64,
    /// Requests that are under way: stream to who asked and which request it was.
    pub(crate) asked: std::collections::BTreeMap<u64, (usize, domain::ConnId, RequestId)>,
    /// Requests that were brought to a node: its name for them to the stream.
    pub(crate) asking: std::collections::BTreeMap<(usize, RequestId), u64>,
    /// Answers of administration.
    pub(crate) admin: Vec<(usize, AdminId, wire::proto::AdminResponse)>,
    schedule: Schedule<Happening>,
}

impl World {
    /// A world without nodes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut history = History { canary: "c4n4ry".into(), ..History::default() };
        history.trace.push(format!("seed {seed}"));
        let mut network = Network::default();
        network.latency_max_ms = 30;
        Self {
            seed,
            nodes: Vec::new(),
            devices: Vec::new(),
            network,
            weather: Weather::CALM,
            history,
            verbose: false,
            random: Seeded::new(seed),
            partitions: 0,
            asked: std::collections::BTreeMap::new(),
            asking: std::collections::BTreeMap::new(),
            admin: Vec::new(),
            schedule: Schedule::new(START_MS),
        }
    }

    /// The true time, in milliseconds since 1970.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.schedule.now_ms()
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, ms: u64) {
        let until = self.now_ms() + ms;
        while let Some(happening) = self.schedule.next(until) {
            self.happen(happening);
        }
    }

    /// Lets time pass until everything is settled, at most this much. Whether it is.
    pub fn run_until_settled(&mut self, most_ms: u64) -> bool {
        let until = self.now_ms() + most_ms;
        while self.now_ms() < until {
            self.run_for(500);
            if crate::checker::convergence::unsettled(self).is_none() {
                return true;
            }
        }
        false
    }

    /// A user gives a command to a device. `None` if the device does not run.
    pub fn command(&mut self, device: usize, command: Command) -> Option<CommandId> {
        let user = self.devices.get_mut(device)?;
        user.engine.as_ref()?;
        user.commands += 1;
        let id = CommandId(user.commands);
        let asked = Asked { device, command: command.clone(), queued: None, finished: Vec::new() };
        self.history.asked.insert((device, id.0), asked);
        self.device_takes(device, engine::Input::Command(id, command));
        Some(id)
    }

    /// An administrator asks a node that runs; the answer comes with the next run.
    pub fn administer(&mut self, node: usize, request: wire::proto::AdminRequest) {
        let id = AdminId(self.network.fresh());
        self.node_takes(node, Input::Admin { id, request, uid: Some(0) });
    }

    /// The index of the node of a domain.
    #[must_use]
    pub fn node_named(&self, domain: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name.as_str() == domain)
    }

    /// The index of the first device of an account, by its whole name or its local part.
    #[must_use]
    pub fn device_named(&self, name: &str) -> Option<usize> {
        self.devices
            .iter()
            .position(|device| device.account.as_str() == name || device.account.local() == name)
    }

    /// Adds a line to the trace.
    pub fn note(&mut self, line: impl Into<String>) {
        let since = self.now_ms() - START_MS;
        self.history.trace.push(format!("{since:>8} {}", line.into()));
    }

    pub(crate) fn at(&mut self, time_ms: u64, happening: Happening) {
        self.schedule.at(time_ms, happening);
    }

    pub(crate) fn after(&mut self, ms: u64, happening: Happening) {
        self.schedule.at(self.now_ms() + ms, happening);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::NodeRuns(node, life) => self.node_runs(node, life),
            Happening::NodeTimer(node, life, timer) => self.node_timer(node, life, timer),
            Happening::NodeStarts(node) => self.start_node(node),
            Happening::DeviceTimer(device, life, timer) => self.device_timer(device, life, timer),
            Happening::DeviceStarts(device) => self.start_device(device),
            Happening::DeviceDials(device, life) => self.device_dials(device, life),
            Happening::Dialled(from, life, to) => self.dial_arrives(from, life, to),
            Happening::Arrives(packet) => self.arrives(packet),
            Happening::Gone(pipe, end, error) => self.pipe_gone(pipe, end, error),
            Happening::IdleCheck(pipe, partition) => self.idle_check(pipe, partition),
            Happening::Deadline(node, life, conn, request, stream) => {
                self.deadline(node, life, conn, request, stream);
            }
        }
    }

    // ---- the network

    pub(crate) fn send(&mut self, packet: Packet) {
        let from = self.network.pipe(packet.pipe).map(|pipe| pipe.receiver(!packet.forward));
        self.history.carried(&format!("{:?} from {from:?}", packet.stream), &packet.bytes);
        if self.verbose {
            let to = self.network.pipe(packet.pipe).map(|pipe| pipe.receiver(packet.forward));
            self.note(format!("{from:?} to {to:?} on {}: {}", packet.pipe, crate::show::packet(&packet)));
        }
        let now = self.now_ms();
        let at = self.network.arrival(&packet, now, &mut self.random);
        self.at(at, Happening::Arrives(packet));
    }

    fn arrives(&mut self, packet: Packet) {
        if self.network.hold(&packet) {
            return;
        }
        let Some(pipe) = self.network.pipe(packet.pipe) else { return };
        if !pipe.open.get(usize::from(packet.forward)).copied().unwrap_or_default() {
            return;
        }
        match pipe.receiver(packet.forward) {
            End::Node(node) => self.node_hears(node, &packet),
            End::Device(device) => self.device_hears(device, &packet),
        }
    }

    /// Both ends lose a connection, and what is on its way in it.
    pub fn cut(&mut self, pipe: u64) {
        let Some((from, to)) = self.network.pipe(pipe).map(|pipe| (pipe.from, pipe.to)) else { return };
        self.pipe_gone(pipe, from, wire::ErrorCode::Unavailable);
        self.pipe_gone(pipe, to, wire::ErrorCode::Unavailable);
    }

    /// Nothing gets from one machine to the other until [`World::heal`].
    pub fn block(&mut self, from: End, to: End) {
        self.network.block(from, to);
        self.partitions += 1;
        for pipe in self.network.pipes_of(from) {
            self.after(IDLE_MS, Happening::IdleCheck(pipe, self.partitions));
        }
    }

    /// Ends all partitions.
    pub fn heal(&mut self) {
        self.partitions += 1;
        for packet in self.network.heal() {
            let now = self.now_ms();
            let at = self.network.arrival(&packet, now, &mut self.random);
            self.at(at, Happening::Arrives(packet));
        }
    }

    fn idle_check(&mut self, pipe: u64, partition: u64) {
        if partition == self.partitions && self.network.is_stuck(pipe) {
            self.cut(pipe);
        }
    }

    pub(crate) fn pipe_gone(&mut self, pipe: u64, end: End, error: wire::ErrorCode) {
        let Some(dialler) = self.network.close_at(pipe, end) else { return };
        match end {
            End::Node(node) => self.node_lost(node, pipe, dialler, error),
            End::Device(device) => self.device_lost(device, pipe),
        }
    }

    /// One end closes a connection on purpose: the other hears of it after everything before it.
    pub(crate) fn hang_up(&mut self, pipe: u64, end: End, error: wire::ErrorCode) {
        let Some((other, forward)) = self.network.pipe(pipe).map(|pipe| (pipe.other(end), pipe.from == end))
        else {
            return;
        };
        let at = self.network.arrival_of_close(pipe, forward, self.now_ms());
        self.at(at, Happening::Gone(pipe, other, error));
        self.pipe_gone(pipe, end, error);
    }
}

/// Decodes one whole frame as it came from the network.
pub(crate) fn decode<M: wire::Frame>(bytes: &Bytes) -> M {
    let mut decoder = wire::frame::Decoder::default();
    decoder.push(bytes);
    match decoder.next() {
        Ok(Some(message)) => message,
        Ok(None) => panic!("half a frame was sent"),
        Err(error) => panic!("an honest machine sent what does not decode: {error}"),
    }
}

/// Encodes one frame.
pub(crate) fn encode<M: prost::Message>(message: &M) -> Bytes {
    wire::frame::encode(message).unwrap_or_else(|error| panic!("an honest machine sent too much: {error}"))
}
