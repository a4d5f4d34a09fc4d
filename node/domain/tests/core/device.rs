//! A device without an engine: keys, a session, and MLS groups that a test moves by hand.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::{Input, Network, SessionId};
use identity::{AccountBinding, AccountMode, DeviceCertificate, DeviceList, session};
use machine::{Entropy as _, Seeded};
use mls::{Change, DeviceKeys, Entrance, Member, OwnKeyPackage, Processed};
use room::State;
use wire::{
    Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId, SecretKey, WireError,
    proto::{
        AccountKeys, ClaimKeyPackages, ClientFrame, ClientRequest, Enrol, Entry, Event, EventKind,
        InviteUser, Join, KeyPackageUpload, MessageBinding, NodeFrame, Submission, Subscribe,
        UploadKeyPackages, admin_request, admin_response, client_frame, client_request, client_response,
        enrol, entry, node_frame,
    },
};

use crate::world::World;

pub(crate) type Answer = Result<client_response::Response, WireError>;

pub(crate) struct Device {
    pub(crate) account: Account,
    pub(crate) id: DeviceId,
    pub(crate) session: SessionId,
    pub(crate) keys: DeviceKeys,
    pub(crate) rooms: BTreeMap<RoomId, Member>,
    pub(crate) packages: Vec<OwnKeyPackage>,
    pub(crate) cursor: u64,
    pub(crate) store_id: Bytes,
    /// All entries, in the order in which they came.
    pub(crate) entries: Vec<Entry>,
    read: usize,
    pub(crate) entropy: Seeded,
}

impl World {
    /// Invites, enrols, uploads packages and subscribes.
    pub(crate) fn person(&mut self, text: &str) -> Device {
        let account: Account = text.parse().unwrap();
        let code = self.invite(&account);
        let (mut device, keys) = Device::make(self, &account);
        let session = self.open(account.domain());
        let enrol =
            Enrol { account: text.to_owned(), proof: Some(enrol::Proof::Code(code)), keys: Some(keys) };
        match self.ask(account.domain(), session, client_request::Request::Enrol(enrol)) {
            Ok(client_response::Response::Account(keys)) => device.keys.binding = keys.binding.unwrap(),
            other => panic!("{other:?}"),
        }
        device.session = session;
        self.hello(&mut device);
        self.upload(&mut device, 10, true);
        self.subscribe(&mut device);
        device
    }

    pub(crate) fn invite(&mut self, account: &Account) -> Bytes {
        let request = admin_request::Request::InviteUser(InviteUser { account: account.to_string() });
        match self.admin(account.domain(), request) {
            admin_response::Response::Invite(invite) => invite.code,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn open(&mut self, domain: &DomainName) -> SessionId {
        let session = SessionId(self.fresh());
        self.inboxes.insert(session, Vec::new());
        let network = Network::V4([192, 0, 2, self.network]);
        self.feed(domain, Input::SessionOpened { session, exporter: [7; 32], network });
        session
    }

    pub(crate) fn send(&mut self, domain: &DomainName, session: SessionId, frame: client_frame::Frame) {
        self.feed(domain, Input::ClientFrame { session, frame: ClientFrame { frame: Some(frame) } });
    }

    /// One request and its answer.
    pub(crate) fn ask(
        &mut self,
        domain: &DomainName,
        session: SessionId,
        request: client_request::Request,
    ) -> Answer {
        let id = self.fresh();
        let request = ClientRequest { id, request: Some(request) };
        self.send(domain, session, client_frame::Frame::Request(request));
        self.answer_to(session, id).expect("every request is answered")
    }

    pub(crate) fn answer_to(&mut self, session: SessionId, id: u64) -> Option<Answer> {
        let inbox = &self.inboxes[&session];
        let found = inbox.iter().find_map(|frame| match &frame.frame {
            Some(node_frame::Frame::Response(response)) if response.id == id => response.response.clone(),
            _ => None,
        })?;
        Some(match found {
            client_response::Response::Error(error) => Err(WireError::from(&error)),
            response => Ok(response),
        })
    }

    /// Connects anew as this device.
    pub(crate) fn reconnect(&mut self, device: &mut Device) {
        self.reconnect_unsubscribed(device);
        self.subscribe(device);
    }

    /// As [`Self::reconnect`], without asking for anything.
    pub(crate) fn reconnect_unsubscribed(&mut self, device: &mut Device) {
        device.session = self.open(device.account.domain());
        device.read = 0;
        self.hello(device);
    }

    pub(crate) fn hello(&mut self, device: &mut Device) {
        let hello = session::sign(&device.keys.secret, &device.account, device.id, &[7; 32], self.now);
        self.send(device.account.domain(), device.session, client_frame::Frame::Hello(hello));
        let ready = self.inboxes[&device.session].iter().find_map(|frame| match &frame.frame {
            Some(node_frame::Frame::Ready(ready)) => Some(ready.clone()),
            _ => None,
        });
        device.store_id = ready.expect("the hello is accepted").store_id;
    }

    pub(crate) fn subscribe(&mut self, device: &mut Device) {
        let store_id = if device.cursor == 0 { Bytes::new() } else { device.store_id.clone() };
        let request = client_request::Request::Subscribe(Subscribe { store_id, after: device.cursor });
        let response = self.ask(device.account.domain(), device.session, request);
        assert!(matches!(response, Ok(client_response::Response::Done(_))), "{response:?}");
    }

    pub(crate) fn upload(&mut self, device: &mut Device, count: usize, last_resort: bool) {
        let made =
            mls::make_key_packages(&device.keys, self.now, count, last_resort, &mut device.entropy).unwrap();
        let packages = made
            .iter()
            .map(|made| KeyPackageUpload { key_package: made.bytes.clone(), last_resort: made.last_resort })
            .collect();
        device.packages.extend(made);
        let request = client_request::Request::UploadKeyPackages(UploadKeyPackages { packages });
        let response = self.ask(device.account.domain(), device.session, request);
        assert!(matches!(response, Ok(client_response::Response::Done(_))), "{response:?}");
    }

    /// Takes in what has come, merges commits, joins rooms, and acknowledges if asked to. Returns the
    /// new entries.
    pub(crate) fn sync(&mut self, device: &mut Device, ack: bool) -> Vec<Entry> {
        let frames: Vec<NodeFrame> = self.inboxes[&device.session][device.read..].to_vec();
        device.read += frames.len();
        let mut new = Vec::new();
        for frame in frames {
            let Some(node_frame::Frame::Page(page)) = frame.frame else { continue };
            for entry in page.entries {
                if entry.position > 0 {
                    assert!(entry.position > device.cursor, "positions ascend and come once");
                    device.cursor = entry.position;
                }
                device.apply(&entry);
                new.push(entry);
            }
        }
        device.entries.extend(new.clone());
        if ack {
            let ack = client_frame::Frame::Ack(device.cursor);
            self.send(device.account.domain(), device.session, ack);
        }
        new
    }

    pub(crate) fn submit(&mut self, device: &Device, submission: Submission) -> Answer {
        self.ask(device.account.domain(), device.session, client_request::Request::Submit(submission))
    }

    /// Founds a group, or the direct room with `other`.
    pub(crate) fn found(
        &mut self,
        device: &mut Device,
        other: Option<&Account>,
    ) -> (RoomId, MessageId, Answer) {
        let message = device.message_id();
        let state = match other {
            Some(other) => State::direct(&device.account, other),
            None => {
                let room = room::group_room(&device.account, &message);
                State::group(room, device.account.domain().clone(), device.account.clone())
            }
        };
        let (member, founding) = Member::found(&device.keys, &state.to_proto(), &mut device.entropy).unwrap();
        let body = prost::Message::encode_to_vec(&founding).into();
        let hub = state.hub.to_string();
        let submission =
            Submission { hub, ..device.submission(state.room, message, EventKind::Founding, 0, body) };
        device.rooms.insert(state.room, member);
        let answer = self.submit(device, submission);
        (state.room, message, answer)
    }

    /// Claims packages of these accounts and commits their addition.
    pub(crate) fn add(&mut self, device: &mut Device, room: RoomId, accounts: &[&Account]) -> Answer {
        let mut claim_id = [0; 16];
        device.entropy.fill(&mut claim_id);
        let claim = ClaimKeyPackages {
            room: room.to_bytes(),
            claim_id: Bytes::copy_from_slice(&claim_id),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            requester: device.account.to_string(),
        };
        let request = client_request::Request::ClaimKeyPackages(claim);
        let claimed = match self.ask(device.account.domain(), device.session, request)? {
            client_response::Response::Claimed(claimed) => claimed,
            other => panic!("{other:?}"),
        };
        let mut add = Vec::new();
        for account in claimed.accounts {
            if let Some(error) = &account.error {
                return Err(WireError::from(error));
            }
            add.extend(account.packages.into_iter().map(|package| package.key_package));
        }
        self.commit(device, room, &Change { add, ..Change::default() }).1
    }

    pub(crate) fn commit(
        &mut self,
        device: &mut Device,
        room: RoomId,
        change: &Change,
    ) -> (MessageId, Answer) {
        let (message, submission) = device.commit(room, change);
        (message, self.submit(device, submission))
    }

    pub(crate) fn say(&mut self, device: &mut Device, room: RoomId, text: &str) -> (MessageId, Answer) {
        let (message, submission) = device.encrypt(room, text);
        (message, self.submit(device, submission))
    }
}

impl Device {
    fn make(world: &mut World, account: &Account) -> (Self, AccountKeys) {
        world.seed += 1;
        let mut entropy = Seeded::new(world.seed);
        let mut key = || identity::domain_keys::generate(&mut entropy);
        let (account_key, secret): (SecretKey, SecretKey) = (key(), key());
        let id = DeviceId::new(entropy.array());
        let mode = AccountMode::UserHeld;
        let binding = AccountBinding::propose(account, &account_key, mode, world.now).unwrap();
        let certificate =
            DeviceCertificate::issue(account, id, &secret.public(), &account_key, world.now).unwrap();
        let devices = [(id, secret.public())];
        let list = DeviceList::issue(account, None, &devices, &[], &account_key, world.now).unwrap();
        let keys = AccountKeys {
            binding: Some(binding.signed().clone()),
            device_list: Some(list.signed().clone()),
            certificates: vec![certificate.signed().clone()],
        };
        let device = Self {
            account: account.clone(),
            id,
            session: SessionId(0),
            keys: DeviceKeys {
                account: account.clone(),
                device: id,
                secret,
                binding: binding.signed().clone(),
                certificate: certificate.signed().clone(),
            },
            rooms: BTreeMap::new(),
            packages: Vec::new(),
            cursor: 0,
            store_id: Bytes::new(),
            entries: Vec::new(),
            read: 0,
            entropy,
        };
        (device, keys)
    }

    /// Keys of a device of this account, as it would enrol with them.
    pub(crate) fn proposal(world: &mut World, account: &Account) -> AccountKeys {
        Self::make(world, account).1
    }

    pub(crate) fn message_id(&mut self) -> MessageId {
        MessageId::new(self.entropy.array())
    }

    pub(crate) fn submission(
        &self,
        room: RoomId,
        message: MessageId,
        kind: EventKind,
        epoch: u64,
        body: Bytes,
    ) -> Submission {
        Submission {
            room: room.to_bytes(),
            message_id: message.to_bytes(),
            kind: kind.into(),
            epoch,
            body,
            hub: String::new(),
            commit: None,
            account: self.account.to_string(),
            device_id: self.id.to_bytes(),
        }
    }

    pub(crate) fn encrypt(&mut self, room: RoomId, text: &str) -> (MessageId, Submission) {
        let message = self.message_id();
        let binding =
            MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let member = self.rooms.get_mut(&room).unwrap();
        let epoch = member.epoch();
        let body = member.encrypt(&binding, text.as_bytes(), &mut self.entropy).unwrap();
        (message, self.submission(room, message, EventKind::Message, epoch, body))
    }

    pub(crate) fn commit(&mut self, room: RoomId, change: &Change) -> (MessageId, Submission) {
        let message = self.message_id();
        let binding =
            MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let member = self.rooms.get_mut(&room).unwrap();
        let made = member.commit(&binding, change, &mut self.entropy).unwrap();
        let commit = Some(wire::proto::CommitExtras { welcome: made.welcome, group_info: made.group_info });
        let submission = self.submission(room, message, EventKind::Commit, made.epoch, made.commit);
        (message, Submission { commit, ..submission })
    }

    pub(crate) fn leave(&mut self, room: RoomId) -> Submission {
        let message = self.message_id();
        let binding =
            MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let member = self.rooms.get_mut(&room).unwrap();
        let epoch = member.epoch();
        let body = member.propose_leave(&binding, &mut self.entropy).unwrap();
        self.submission(room, message, EventKind::Proposal, epoch, body)
    }

    fn apply(&mut self, entry: &Entry) {
        match &entry.entry {
            Some(entry::Entry::Event(event)) => self.event(event),
            Some(entry::Entry::Join(join)) => self.join(join),
            _ => {}
        }
    }

    fn join(&mut self, join: &Join) {
        let targets = mls::welcome_targets(&join.welcome).unwrap();
        let package = self.packages.iter().find(|package| targets.contains(&package.hash)).unwrap();
        let entrance = Entrance {
            commit: &join.commit.as_ref().unwrap().body,
            welcome: &join.welcome,
            ratchet_tree: &join.ratchet_tree,
        };
        let joined = Member::join(&self.keys, &entrance, &package.rows).unwrap();
        self.rooms.insert(RoomId::try_from(join.room.as_ref()).unwrap(), joined.member);
    }

    /// Processes an event as a member would.
    pub(crate) fn event(&mut self, event: &Event) {
        let checked = room::chain::read(event).unwrap();
        let Some(member) = self.rooms.get_mut(&checked.room) else { return };
        if matches!(checked.kind, EventKind::Founding | EventKind::Notice) {
            return;
        }
        if let Ok(Processed::Commit(_)) = member.process(checked.kind, &checked.event.body) {
            member.merge_staged().unwrap();
        }
    }

    /// The message ids of the events among entries, in order.
    pub(crate) fn events(entries: &[Entry]) -> Vec<(u64, EventKind, MessageId)> {
        let events = entries.iter().filter_map(|entry| match &entry.entry {
            Some(entry::Entry::Event(event)) => room::chain::read(event).ok(),
            _ => None,
        });
        events.map(|event| (event.seq, event.kind, event.message)).collect()
    }
}

/// The error of an answer.
pub(crate) fn error(answer: Answer) -> ErrorCode {
    answer.expect_err("it is refused").code
}
