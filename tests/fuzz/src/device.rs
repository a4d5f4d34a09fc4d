//! What a home node may say to a device that is in a room: any frames after a good start.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use engine::{Engine, Input, Output, Snapshot, Table, record};
use identity::fingerprint;
use machine::{Machine as _, Seeded, Timestamp};
use mls::{Change, Member, Observer};
use prost::Message as _;
use room::{LogHead, State, chain};
use wire::proto::{
    ClientFrame, ClientResponse, CommitExtras, DomainDocuments, Done, Entry, Event, EventKind, Join,
    MessageBinding, NodeFrame, Page, PulledEvents, SessionReady, client_frame, client_request::Request,
    client_response::Response, entry, node_frame::Frame,
};
use wire::{MessageId, RoomId, frame};

use crate::people::{ACME, NOW, Person, person};

type Rows = BTreeMap<(Table, Bytes), Bytes>;

/// A device that has come into a room, and the one who founded it.
pub(crate) struct Start {
    rows: Rows,
    pub(crate) room: RoomId,
    pub(crate) head: LogHead,
    pub(crate) bob: Member,
}

struct Device {
    engine: Engine<Seeded>,
    rows: Rows,
}

impl Device {
    fn open(rows: &Rows) -> Self {
        let mut snapshot = Snapshot::from_rows(rows).expect("rows that the engine has written");
        let account = &ACME.alice.device.account;
        snapshot.pin(account.domain(), fingerprint(&ACME.keys.root.public()));
        let engine = Engine::open(ACME.alice.device.clone(), snapshot, Seeded::new(8), NOW);
        Self { engine: engine.expect("a store that the engine has written"), rows: rows.clone() }
    }

    /// Hands something in; what the device says to that.
    fn input(&mut self, now: Timestamp, input: Input) -> Vec<ClientFrame> {
        self.engine.handle(now, input);
        let mut said = Vec::new();
        // No single frame leads to more than this, whatever it holds.
        for _ in 0..10_000 {
            match self.engine.poll() {
                None => return said,
                Some(Output::Persist(mark, records)) => {
                    record::apply(&mut self.rows, records);
                    self.engine.handle(now, Input::Persisted(mark));
                }
                Some(Output::Send(frame)) => said.push(frame),
                Some(Output::Recall(room)) => {
                    self.engine.handle(now, Input::Recalled(room, Vec::new()));
                }
                Some(Output::WakeAt(_) | Output::Notify(_)) => {}
            }
        }
        panic!("the engine does not come to rest");
    }

    /// Answers everything that the device asks, honestly, until it asks nothing more.
    fn served(&mut self, input: Input, bob: &Person) -> Vec<Request> {
        let mut asked = Vec::new();
        let mut frames = self.input(NOW, input);
        while let Some(next) = frames.pop() {
            let Some(client_frame::Frame::Request(request)) = next.frame else { continue };
            let Some(body) = request.request else { continue };
            let response = match &body {
                Request::GetDomain(_) => {
                    Response::Domain(DomainDocuments { documents: vec![ACME.document.signed().clone()] })
                }
                Request::GetAccount(get) if get.account.starts_with("bob") => {
                    Response::Account(bob.keys.clone())
                }
                Request::GetAccount(_) => Response::Account(ACME.alice.keys.clone()),
                Request::PullEvents(_) => Response::Pulled(PulledEvents { events: Vec::new(), end: true }),
                _ => Response::Done(Done {}),
            };
            let response = ClientResponse { id: request.id, response: Some(response) };
            asked.push(body);
            frames
                .extend(self.input(NOW, Input::Frame(NodeFrame { frame: Some(Frame::Response(response)) })));
        }
        asked
    }
}

/// `packages` of the device are left at the node; with none it makes new ones, which takes a while.
fn ready(packages: u32) -> SessionReady {
    SessionReady {
        time_ms: NOW.as_ms(),
        store_id: Bytes::from_static(&[1; 16]),
        head: 1,
        key_packages: packages,
        last_resort: packages > 0,
    }
}

/// An event of the room, signed by its hub.
pub(crate) fn sealed(
    head: &LogHead,
    room: &RoomId,
    what: (EventKind, u64, u8),
    body: &Bytes,
) -> (Event, LogHead) {
    let hub = "acme.test".parse().expect("a domain");
    let (kind, epoch, id) = what;
    let message = MessageId::new([id; 16]);
    let draft = chain::Draft { room, hub: &hub, epoch, kind, message: &message, body, time_ms: NOW.as_ms() };
    chain::seal(head, &draft, &ACME.keys.event)
}

pub(crate) fn binding(room: &RoomId, id: u8) -> MessageBinding {
    MessageBinding { room: room.to_bytes(), message_id: vec![id; 16].into(), ephemeral: false }
}

/// A page with one entry.
pub(crate) fn page(position: u64, entry: entry::Entry) -> NodeFrame {
    let entries = vec![Entry { position, entry: Some(entry) }];
    NodeFrame { frame: Some(Frame::Page(Page { entries, caught_up: true })) }
}

/// The device asks for packages to be kept, bob adds it with one of them, and it joins.
pub(crate) fn start() -> Start {
    let bob = person("bob@acme.test", &ACME.keys, 4);
    let mut device = Device::open(&Rows::new());
    let asked = device.served(Input::Connected(ready(0)), &bob);
    let packages = asked.into_iter().find_map(|request| match request {
        Request::UploadKeyPackages(upload) => {
            upload.packages.into_iter().find(|package| !package.last_resort)
        }
        _ => None,
    });
    let package = packages.expect("a key package").key_package;
    let founding_id = MessageId::new([1; 16]);
    let room = room::group_room(&bob.device.account, &founding_id);
    let state = State::group(room, "acme.test".parse().expect("a domain"), bob.device.account.clone());
    let mut entropy = Seeded::new(9);
    let (mut member, founding) =
        Member::found(&bob.device, &state.to_proto(), &mut entropy).expect("a group");
    let mut observer = Observer::found(&founding).expect("a group");
    let body = founding.encode_to_vec().into();
    let (_, head) = sealed(&LogHead::default(), &room, (EventKind::Founding, 0, 1), &body);
    let change = Change { add: vec![package], ..Change::default() };
    let made = member.commit(&binding(&room, 2), &change, &mut entropy).expect("a commit");
    let extras = CommitExtras { welcome: made.welcome.clone(), group_info: made.group_info };
    observer.check_commit(&made.commit, &extras).expect("a good commit");
    observer.merge().expect("a checked commit");
    let (commit, head) = sealed(&head, &room, (EventKind::Commit, made.epoch, 2), &made.commit);
    member.process(EventKind::Commit, &made.commit).expect("one's own commit");
    member.merge_staged().expect("a checked commit");
    let join = Join {
        room: room.to_bytes(),
        commit: Some(commit),
        welcome: made.welcome,
        ratchet_tree: observer.ratchet_tree().expect("a tree"),
        accounts: vec!["alice@acme.test".to_owned()],
        inviter: "bob@acme.test".to_owned(),
        kind: wire::proto::RoomKind::Group.into(),
        members: Vec::new(),
        founder: "bob@acme.test".to_owned(),
        founding: founding_id.to_bytes(),
    };
    device.served(Input::Frame(page(1, entry::Entry::Join(join))), &bob);
    let known = device.engine.room(room).expect("the device is in the room");
    assert_eq!(known.head_seq, 2, "the device has joined");
    Start { rows: device.rows, room, head, bob: member }
}

static START: LazyLock<Rows> = LazyLock::new(|| start().rows);

/// Frames of the home node, one after the other. Whatever they are, the engine comes to rest, and what it
/// has written opens again.
pub fn node_frames(bytes: &[u8]) {
    let mut device = Device::open(&START);
    let mut now = NOW;
    let _ = device.input(now, Input::Connected(ready(1_000)));
    let mut decoder = frame::Decoder::default();
    decoder.push(bytes);
    while let Ok(Some(next)) = decoder.next::<NodeFrame>() {
        let _ = device.input(now, Input::Frame(next));
        now = now.plus_ms(1_000);
    }
    let _ = device.input(now.plus_ms(60_000), Input::Tick);
    let _ = device.input(now, Input::Disconnected);
    let _ = Device::open(&device.rows);
}
