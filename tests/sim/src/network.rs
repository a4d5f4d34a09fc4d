//! Decides what becomes of bytes between two machines: how long they take, in which order they
//! arrive, and whether a partition holds them or a lost connection swallows them.
//!
//! A [`Pipe`] is one QUIC connection. Bytes on one of its streams arrive in order; streams overtake
//! one another. While a direction is blocked, what is sent that way waits, as retransmission would
//! have it; a pipe that is blocked for the idle timeout dies.

use std::collections::{BTreeMap, BTreeSet};

use machine::Seeded;
use prost::bytes::Bytes;

/// One machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A node, by its index.
    Node(usize),
    /// A device, by its index.
    Device(usize),
}

/// What a frame is, and on which stream it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// `PeerRequest` with a hello, on the control stream.
    HelloAsked,
    /// `PeerResponse` with a hello, on the control stream.
    HelloAnswered,
    /// `PeerRequest` with `link.open`, the first frame of this link stream.
    LinkOpened(u64),
    /// A `LinkFrame` on this link stream.
    Link(u64),
    /// `PeerRequest` on a stream of its own.
    Asked(u64),
    /// `PeerResponse` on that stream.
    Answered(u64),
    /// `ClientFrame` or `NodeFrame` on the session stream.
    Session,
}

impl Stream {
    /// Frames with the same value arrive in order.
    const fn order(self) -> (u8, u64) {
        match self {
            Self::HelloAsked | Self::HelloAnswered => (0, 0),
            Self::LinkOpened(id) | Self::Link(id) => (1, id),
            Self::Asked(id) | Self::Answered(id) => (2, id),
            Self::Session => (3, 0),
        }
    }
}

/// One encoded frame on its way.
#[derive(Clone, Debug)]
pub struct Packet {
    /// On which connection.
    pub pipe: u64,
    /// From the side that dialled to the other.
    pub forward: bool,
    /// On which stream.
    pub stream: Stream,
    /// Length and message.
    pub bytes: Bytes,
}

/// One connection.
#[derive(Debug)]
pub struct Pipe {
    /// Who dialled.
    pub from: End,
    /// Who was dialled.
    pub to: End,
    /// Whether each end still has it: the dialling one, the other.
    pub open: [bool; 2],
    last: BTreeMap<(bool, (u8, u64)), u64>,
    held: Vec<Packet>,
    // The dialling node has read the other's hello: until then it lets no other stream be opened.
    greeted: bool,
    early: Vec<Packet>,
}

impl Pipe {
    /// The end that a packet in this direction goes to.
    #[must_use]
    pub const fn receiver(&self, forward: bool) -> End {
        if forward { self.to } else { self.from }
    }

    /// The other end.
    #[must_use]
    pub fn other(&self, end: End) -> End {
        if end == self.from { self.to } else { self.from }
    }

    fn blocked_by(&self, blocked: &BTreeSet<(End, End)>, forward: bool) -> bool {
        let ends = if forward { (self.from, self.to) } else { (self.to, self.from) };
        blocked.contains(&ends)
    }
}

/// All connections and partitions.
#[derive(Debug, Default)]
pub struct Network {
    pipes: BTreeMap<u64, Pipe>,
    blocked: BTreeSet<(End, End)>,
    made: u64,
    /// Longest time of one frame on its way, milliseconds; the shortest is 1.
    pub latency_max_ms: u64,
}

impl Network {
    /// A number that no pipe, stream or request has yet.
    pub const fn fresh(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Makes a connection.
    pub fn connect(&mut self, from: End, to: End) -> u64 {
        let id = self.fresh();
        let (last, held, early) = (BTreeMap::new(), Vec::new(), Vec::new());
        let greeted = matches!(from, End::Device(_));
        self.pipes.insert(id, Pipe { from, to, open: [true, true], last, held, greeted, early });
        id
    }

    /// A connection that at least one end still has.
    #[must_use]
    pub fn pipe(&self, id: u64) -> Option<&Pipe> {
        self.pipes.get(&id)
    }

    /// Connections with this end, ascending.
    #[must_use]
    pub fn pipes_of(&self, end: End) -> Vec<u64> {
        let with = |pipe: &Pipe| pipe.from == end || pipe.to == end;
        self.pipes.iter().filter(|(_, pipe)| with(pipe)).map(|(id, _)| *id).collect()
    }

    /// Every connection between two nodes, ascending.
    #[must_use]
    pub fn between_nodes(&self) -> Vec<u64> {
        let nodes = |pipe: &Pipe| matches!((pipe.from, pipe.to), (End::Node(_), End::Node(_)));
        self.pipes.iter().filter(|(_, pipe)| nodes(pipe)).map(|(id, _)| *id).collect()
    }

    /// One end has it no more. Returns who had dialled it, if this end had it.
    pub fn close_at(&mut self, id: u64, end: End) -> Option<End> {
        let pipe = self.pipes.get_mut(&id)?;
        let from = pipe.from;
        let had = std::mem::replace(&mut pipe.open[usize::from(end != from)], false);
        if pipe.open == [false, false] {
            self.pipes.remove(&id);
        }
        had.then_some(from)
    }

    /// When a frame that is sent now arrives: later than everything before it on its stream.
    pub fn arrival(&mut self, packet: &Packet, now_ms: u64, random: &mut Seeded) -> u64 {
        let latency = 1 + random.below(self.latency_max_ms);
        let key = (packet.forward, packet.stream.order());
        let Some(pipe) = self.pipes.get_mut(&packet.pipe) else { return now_ms + latency };
        let last = pipe.last.entry(key).or_default();
        *last = (now_ms + latency).max(*last + 1);
        *last
    }

    /// When the news of a close arrives: after everything that was sent before it in its direction.
    #[must_use]
    pub fn arrival_of_close(&self, id: u64, forward: bool, now_ms: u64) -> u64 {
        let last = self.pipes.get(&id).into_iter().flat_map(|pipe| &pipe.last);
        let last = last.filter(|((way, _), _)| *way == forward).map(|(_, time)| *time).max();
        last.unwrap_or_default().max(now_ms) + 1
    }

    /// Whether a packet that has arrived is held by a partition; if so it is kept.
    pub fn hold(&mut self, packet: &Packet) -> bool {
        let Some(pipe) = self.pipes.get_mut(&packet.pipe) else { return false };
        let held = pipe.blocked_by(&self.blocked, packet.forward)
            || pipe.held.iter().any(|earlier| earlier.forward == packet.forward);
        if held {
            pipe.held.push(packet.clone());
            return true;
        }
        let early = !pipe.greeted && !packet.forward && packet.stream != Stream::HelloAnswered;
        if early {
            pipe.early.push(packet.clone());
        }
        early
    }

    /// The hello of the dialled node was read: what waited for it.
    pub fn greeted(&mut self, id: u64) -> Vec<Packet> {
        let Some(pipe) = self.pipes.get_mut(&id) else { return Vec::new() };
        pipe.greeted = true;
        std::mem::take(&mut pipe.early)
    }

    /// Whether anything sent from one to the other is held.
    #[must_use]
    pub fn is_blocked(&self, from: End, to: End) -> bool {
        self.blocked.contains(&(from, to))
    }

    /// Whether either direction of a connection is held.
    #[must_use]
    pub fn is_stuck(&self, id: u64) -> bool {
        let stuck =
            |pipe: &Pipe| pipe.blocked_by(&self.blocked, true) || pipe.blocked_by(&self.blocked, false);
        self.pipes.get(&id).is_some_and(stuck)
    }

    /// From now on nothing gets from one to the other.
    pub fn block(&mut self, from: End, to: End) {
        self.blocked.insert((from, to));
    }

    /// Ends every partition; what was held goes on its way again, in order.
    pub fn heal(&mut self) -> Vec<Packet> {
        self.blocked.clear();
        self.pipes.values_mut().flat_map(|pipe| std::mem::take(&mut pipe.held)).collect()
    }
}
