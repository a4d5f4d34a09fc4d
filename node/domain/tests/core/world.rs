//! Several nodes and the wires between them, driven until nothing is left to do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use domain::{
    AdminId, ConnId, Core, CoreConfig, Input, Kept, MediaGrant, MediaId, Output, ProofId, Question,
    RequestId, SessionId, StreamId, Verdict,
};
use identity::DomainKeys;
use machine::{Seeded, Timestamp};
use store::{Store as _, StoreError, memory::Memory};
use wire::{
    DomainName, ErrorCode, WireError,
    frame::Decoder,
    proto::{
        AdminRequest, AdminResponse, ContactPolicy, LinkFrame, NodeFrame, PeerResponse, PinPeer, Signed,
        admin_request, admin_response,
    },
};

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_ms(1_800_000_000_000);

pub(crate) fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

pub(crate) struct Node {
    pub(crate) core: Core<Memory, Seeded>,
    pub(crate) disk: Memory,
    pub(crate) keys: DomainKeys,
    pub(crate) documents: Vec<Signed>,
    pub(crate) wake: Option<Timestamp>,
    seed: u64,
}

#[derive(Clone)]
struct Wire {
    a: DomainName,
    b: DomainName,
    asked: BTreeMap<RequestId, (DomainName, RequestId)>,
}

pub(crate) type Lie = Box<dyn FnMut(&DomainName, &mut PeerResponse)>;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) nodes: BTreeMap<DomainName, Node>,
    pub(crate) inboxes: BTreeMap<SessionId, Vec<NodeFrame>>,
    pub(crate) closed: BTreeMap<SessionId, ErrorCode>,
    pub(crate) admin: BTreeMap<AdminId, AdminResponse>,
    pub(crate) media: BTreeMap<MediaId, Result<MediaGrant, WireError>>,
    pub(crate) cut: BTreeSet<DomainName>,
    /// Connections of peers that a node has ended.
    pub(crate) ended: BTreeMap<ConnId, ErrorCode>,
    /// Answers to peers that a test plays.
    pub(crate) answers: Vec<PeerResponse>,
    /// Frames that went over links, decoded.
    pub(crate) links: Vec<(DomainName, LinkFrame)>,
    /// The last part of the address that sessions come from.
    pub(crate) network: u8,
    /// What was asked about secrets, and not answered yet.
    pub(crate) questions: VecDeque<(DomainName, ProofId, Question)>,
    /// Questions wait until a test answers them.
    pub(crate) slow: bool,
    /// Changes what a node hears in answer to its questions; the first is who asked.
    pub(crate) lie: Option<Lie>,
    /// Who dialled whom.
    pub(crate) dials: Vec<(DomainName, DomainName)>,
    wires: BTreeMap<ConnId, Wire>,
    queue: VecDeque<(DomainName, Input)>,
    next: u64,
    pub(crate) seed: u64,
}

impl World {
    /// Nodes of these domains, each pinned at the others.
    pub(crate) fn new(domains: &[&str]) -> Self {
        let mut world = Self { now: START, ..Self::default() };
        for domain in domains {
            world.add_node(&name(domain));
        }
        for one in domains {
            for other in domains {
                if one != other {
                    world.pin(&name(one), &name(other));
                }
            }
        }
        world
    }

    pub(crate) fn add_node(&mut self, domain: &DomainName) {
        self.seed += 1;
        let keys = DomainKeys::generate(&mut Seeded::new(self.seed));
        let endpoint = format!("{domain}:4433").parse().unwrap();
        let document = keys.first_document(domain, &[endpoint], self.now).unwrap();
        let documents = vec![document.signed().clone()];
        let disk = Memory::new();
        let core = boot(domain, &keys, &documents, &disk, self.seed, self.now);
        let node = Node { core, disk, keys, documents, wake: None, seed: self.seed };
        self.nodes.insert(domain.clone(), node);
        self.run();
    }

    pub(crate) fn pin(&mut self, at: &DomainName, peer: &DomainName) {
        let root = self.nodes[peer].keys.root.public();
        let pin = PinPeer {
            domain: peer.to_string(),
            endpoints: vec![format!("{peer}:4433")],
            fingerprint: Bytes::copy_from_slice(&identity::fingerprint(&root)),
            replace: false,
        };
        let response = self.admin(at, admin_request::Request::PinPeer(pin));
        assert!(matches!(response, admin_response::Response::Peer(_)), "{response:?}");
    }

    pub(crate) fn admin(
        &mut self,
        at: &DomainName,
        request: admin_request::Request,
    ) -> admin_response::Response {
        let id = AdminId(self.fresh());
        self.feed(at, Input::Admin { id, request: AdminRequest { request: Some(request) }, uid: Some(0) });
        self.admin.remove(&id).unwrap().response.unwrap()
    }

    pub(crate) fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A crash: what was not committed is gone, and so is every connection.
    pub(crate) fn crash(&mut self, domain: &DomainName) {
        self.queue.retain(|(at, _)| at != domain);
        let node = self.nodes.get_mut(domain).unwrap();
        node.seed += 1000;
        node.core = boot(domain, &node.keys, &node.documents, &node.disk, node.seed, self.now);
        node.wake = None;
        let gone: Vec<ConnId> = self
            .wires
            .iter()
            .filter(|(_, wire)| wire.a == *domain || wire.b == *domain)
            .map(|(conn, _)| *conn)
            .collect();
        for conn in gone {
            let wire = self.wires.remove(&conn).unwrap();
            let other = if wire.a == *domain { wire.b } else { wire.a };
            self.queue.push_back((other, Input::PeerGone { conn, error: ErrorCode::Unavailable }));
        }
        self.run();
    }

    /// The network between this domain and all others is gone.
    pub(crate) fn cut(&mut self, domain: &DomainName) {
        self.cut.insert(domain.clone());
        let gone: Vec<ConnId> = self.wires.keys().copied().collect();
        for conn in gone {
            let wire = self.wires[&conn].clone();
            if wire.a == *domain || wire.b == *domain {
                self.close(conn, ErrorCode::Unavailable);
            }
        }
        self.run();
    }

    pub(crate) fn heal(&mut self, domain: &DomainName) {
        self.cut.remove(domain);
    }

    fn close(&mut self, conn: ConnId, error: ErrorCode) {
        if let Some(wire) = self.wires.remove(&conn) {
            self.queue.push_back((wire.a, Input::PeerGone { conn, error }));
            self.queue.push_back((wire.b, Input::PeerGone { conn, error }));
        }
    }

    pub(crate) fn feed(&mut self, at: &DomainName, input: Input) {
        self.queue.push_back((at.clone(), input));
        self.run();
    }

    /// Several inputs decided in one drain.
    pub(crate) fn feed_all(&mut self, at: &DomainName, inputs: Vec<Input>) {
        let now = self.now;
        self.nodes.get_mut(at).unwrap().core.handle_all(now, inputs);
        self.drain(at);
        self.run();
    }

    /// Lets time pass, with every wake-up on the way.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        loop {
            let due = self.nodes.iter().filter_map(|(domain, node)| Some((node.wake?, domain.clone())));
            match due.min() {
                Some((at, domain)) if at <= end => {
                    self.now = self.now.max(at);
                    self.nodes.get_mut(&domain).unwrap().wake = None;
                    self.feed(&domain, Input::Tick);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    pub(crate) fn run(&mut self) {
        let domains: Vec<DomainName> = self.nodes.keys().cloned().collect();
        for domain in &domains {
            self.drain(domain);
        }
        while let Some((at, input)) = self.queue.pop_front() {
            let now = self.now;
            self.nodes.get_mut(&at).unwrap().core.handle(now, input);
            self.drain(&at);
        }
    }

    fn drain(&mut self, at: &DomainName) {
        while let Some(output) = self.nodes.get_mut(at).unwrap().core.poll() {
            self.carry(at, output);
        }
    }

    fn other(&self, at: &DomainName, conn: ConnId) -> Option<DomainName> {
        let wire = self.wires.get(&conn)?;
        Some(if wire.a == *at { wire.b.clone() } else { wire.a.clone() })
    }

    fn carry(&mut self, at: &DomainName, output: Output) {
        match output {
            Output::Persist(mark, batch) => {
                let node = self.nodes.get_mut(at).unwrap();
                match node.disk.commit(&batch) {
                    Ok(()) => node.core.persisted(mark),
                    Err(error @ (StoreError::Full | StoreError::Conflict)) => node.core.failed(error.code()),
                    Err(error) => panic!("{error}: {batch:?}"),
                }
            }
            Output::SessionProved { .. } => {}
            Output::ToSession { session, frame, .. } => {
                self.inboxes.entry(session).or_default().push(decode(&frame));
            }
            Output::CloseSession { session, code } => {
                self.closed.insert(session, code);
                self.queue.push_back((at.clone(), Input::SessionClosed { session }));
            }
            Output::Dial { domain, .. } => self.dial(at, domain),
            Output::ToPeer { conn, hello } => {
                if let Some(other) = self.other(at, conn) {
                    self.queue.push_back((other, Input::PeerHello { conn, hello }));
                }
            }
            Output::OpenLink { conn, open } => {
                let stream = StreamId(self.fresh());
                if let Some(other) = self.other(at, conn) {
                    self.queue.push_back((other, Input::LinkOpened { conn, stream, open }));
                }
            }
            Output::ToLink { conn, stream, frame } => {
                let frame: LinkFrame = decode(&frame);
                self.links.push((at.clone(), frame.clone()));
                if let Some(other) = self.other(at, conn) {
                    self.queue.push_back((other, Input::LinkFrame { conn, stream, frame }));
                }
            }
            Output::PeerRequest { conn, request, body } => {
                let id = RequestId(self.fresh());
                if let Some(other) = self.other(at, conn) {
                    self.wires.get_mut(&conn).unwrap().asked.insert(id, (at.clone(), request));
                    self.queue.push_back((other, Input::PeerRequest { conn, request: id, body }));
                }
            }
            Output::PeerResponse { conn, request, response } => self.answer(conn, request, response),
            Output::ClosePeer { conn, code } => {
                self.ended.insert(conn, code);
                self.close(conn, code);
            }
            Output::ToAdmin { id, response } => {
                self.admin.insert(id, response);
            }
            Output::Prove { proof, question } => {
                self.questions.push_back((at.clone(), proof, question));
                if !self.slow {
                    self.judge();
                }
            }
            Output::Media { id, answer } => {
                self.media.insert(id, answer);
            }
            Output::WakeAt(at_time) => self.nodes.get_mut(at).unwrap().wake = Some(at_time),
        }
    }

    /// Answers the oldest question: what is kept of a password is the password and a mark.
    pub(crate) fn judge(&mut self) {
        let (_, _, question) = self.questions.front().unwrap();
        let kept = |secret: &domain::Secret| Kept(format!("kept {:?}", secret.bytes()));
        let verdict = match question {
            Question::Prove { secret, kept: Some(known), .. } if *known == kept(secret) => {
                Verdict::Proved { renewed: None }
            }
            Question::Prove { .. } => Verdict::NotProved,
            Question::Keep { secret } => Verdict::Kept(kept(secret)),
        };
        self.decide(verdict);
    }

    /// Answers the oldest question with this. Whoever waits hears it at the next [`Self::run`].
    pub(crate) fn decide(&mut self, verdict: Verdict) {
        let (at, proof, _) = self.questions.pop_front().unwrap();
        self.queue.push_back((at, Input::Proved { proof, verdict }));
    }

    fn answer(&mut self, conn: ConnId, request: RequestId, mut response: PeerResponse) {
        let asked = self.wires.get_mut(&conn).and_then(|wire| wire.asked.remove(&request));
        let Some((asker, request)) = asked else { return self.answers.push(response) };
        if let Some(lie) = &mut self.lie {
            lie(&asker, &mut response);
        }
        self.queue.push_back((asker, Input::PeerAnswer { conn, request, answer: Ok(response) }));
    }

    /// The connection between two nodes.
    pub(crate) fn wire_between(&self, one: &DomainName, other: &DomainName) -> Option<ConnId> {
        let joins = |wire: &Wire| (&wire.a, &wire.b) == (one, other) || (&wire.b, &wire.a) == (one, other);
        self.wires.iter().rev().find(|(_, wire)| joins(wire)).map(|(conn, _)| *conn)
    }

    fn dial(&mut self, at: &DomainName, domain: DomainName) {
        self.dials.push((at.clone(), domain.clone()));
        if self.cut.contains(at) || self.cut.contains(&domain) || !self.nodes.contains_key(&domain) {
            let error = ErrorCode::Unavailable;
            return self.queue.push_back((at.clone(), Input::DialFailed { domain, error }));
        }
        let conn = ConnId(self.fresh());
        let wire = Wire { a: at.clone(), b: domain.clone(), asked: BTreeMap::new() };
        self.wires.insert(conn, wire);
        let theirs = self.nodes[&domain].keys.tls.public();
        let ours = self.nodes[at].keys.tls.public();
        let dialled = Some(domain.clone());
        self.queue.push_back((at.clone(), Input::PeerConnected { conn, key: theirs, dialled }));
        self.queue.push_back((domain, Input::PeerConnected { conn, key: ours, dialled: None }));
    }

    /// A connection of this node that a test plays the other end of.
    pub(crate) fn play_peer(&mut self, at: &DomainName, as_domain: &DomainName) -> ConnId {
        let key = self.nodes[as_domain].keys.tls.public();
        self.play_stranger(at, key)
    }

    /// The same with any key in TLS.
    pub(crate) fn play_stranger(&mut self, at: &DomainName, key: wire::PublicKey) -> ConnId {
        let conn = ConnId(self.fresh());
        self.feed(at, Input::PeerConnected { conn, key, dialled: None });
        conn
    }
}

pub(crate) fn boot(
    domain: &DomainName,
    keys: &DomainKeys,
    documents: &[Signed],
    disk: &Memory,
    seed: u64,
    now: Timestamp,
) -> Core<Memory, Seeded> {
    let config = CoreConfig {
        domain: domain.clone(),
        documents: documents.to_vec(),
        event_key: keys.event.clone(),
        binding_key: keys.binding.clone(),
        policy: ContactPolicy::Ask,
        presence: true,
        passwords: true,
        version: "test".to_owned(),
        listen: "127.0.0.1:1".to_owned(),
    };
    Core::new(config, disk.clone(), Seeded::new(seed.wrapping_mul(77)), now).unwrap()
}

fn decode<M: wire::Frame>(frame: &[u8]) -> M {
    let mut decoder = Decoder::default();
    decoder.push(frame);
    decoder.next().unwrap().unwrap()
}
