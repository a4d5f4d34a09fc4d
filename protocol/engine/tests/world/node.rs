//! A node that is home and hub for every domain: the rules of `room::hub`, and everything in memory.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use identity::{DomainDocument, DomainKeys};
use machine::Timestamp;
use mls::Observer;
use prost::Message as _;
use room::{
    LogHead, Request, State,
    chain::{self, Draft},
    hub::{self, FoundingLeaf, Observation, RoomView},
};
use wire::{
    Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId, WireError,
    proto::{client_request::Request as Ask, client_response::Response, *},
};

pub struct HubRoom {
    pub view: RoomView,
    pub observer: Observer,
    pub log: Vec<Event>,
    pub head: LogHead,
    pub ids: BTreeMap<MessageId, [u8; 32]>,
    pub founded: (Account, MessageId),
}

pub struct Node {
    pub domains: BTreeMap<DomainName, (DomainKeys, DomainDocument)>,
    pub accounts: BTreeMap<Account, AccountKeys>,
    pub packages: BTreeMap<Account, Vec<KeyPackageUpload>>,
    pub rooms: BTreeMap<RoomId, HubRoom>,
    pub streams: super::Streams,
    pub subscriptions: BTreeMap<Account, u64>,
    pub asking: BTreeSet<Account>,
    pub invitations: BTreeMap<(Account, RoomId), Join>,
    /// Requests of this kind fail with this error.
    pub failing: Option<(&'static str, WireError)>,
    pub store_id: Bytes,
    outbox: Vec<(Account, NodeFrame)>,
}

pub fn leaves(leaves: &[mls::Leaf]) -> Vec<(Account, DeviceId)> {
    leaves.iter().map(|leaf| (leaf.account.clone(), leaf.device)).collect()
}

impl Node {
    pub fn new(_now: Timestamp) -> Self {
        Self {
            domains: BTreeMap::new(),
            accounts: BTreeMap::new(),
            packages: BTreeMap::new(),
            rooms: BTreeMap::new(),
            streams: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            asking: BTreeSet::new(),
            invitations: BTreeMap::new(),
            failing: None,
            store_id: Bytes::from_static(&[7; 16]),
            outbox: Vec::new(),
        }
    }

    /// The node is another one, restored from a backup that has none of its rooms.
    pub fn lose_all(&mut self) {
        let id = self.store_id.first().map_or(0, |byte| byte.wrapping_add(1));
        self.store_id = vec![id; 16].into();
        self.rooms.clear();
        self.streams.clear();
        self.packages.clear();
        self.subscriptions.clear();
        self.invitations.clear();
    }

    pub fn domain(&mut self, name: &DomainName) {
        let now = Timestamp::from_ms(1_800_000_000_000);
        self.domains.entry(name.clone()).or_insert_with(|| super::new_domain(name, now));
    }

    pub fn ready(&self, account: &Account, now: Timestamp) -> SessionReady {
        let packages = self.packages.get(account).cloned().unwrap_or_default();
        SessionReady {
            time_ms: now.as_ms(),
            store_id: self.store_id.clone(),
            head: 0,
            key_packages: packages.iter().filter(|package| !package.last_resort).count() as u32,
            last_resort: packages.iter().any(|package| package.last_resort),
        }
    }

    /// Handles a frame; what is to be sent, and to whom, comes back.
    pub fn frame(&mut self, from: &Account, frame: ClientFrame, now: Timestamp) -> Vec<(Account, NodeFrame)> {
        match frame.frame {
            Some(client_frame::Frame::Request(request)) => {
                let response = match request.request {
                    Some(ask) => {
                        self.ask(from, ask, now).unwrap_or_else(|error| Response::Error(error.into()))
                    }
                    None => Response::Error(ErrorCode::Malformed.into()),
                };
                let response = ClientResponse { id: request.id, response: Some(response) };
                let frame = node_frame::Frame::Response(response);
                self.outbox.insert(0, (from.clone(), NodeFrame { frame: Some(frame) }));
            }
            Some(client_frame::Frame::Ack(position)) => self.acked(from, position),
            Some(client_frame::Frame::Ephemeral(ephemeral)) => {
                let room: RoomId = ephemeral.room.as_ref().try_into().unwrap();
                let members: Vec<Account> = self.rooms[&room].view.roster.keys().cloned().collect();
                for member in members.into_iter().filter(|member| member != from) {
                    let frame = node_frame::Frame::Ephemeral(ephemeral.clone());
                    self.outbox.push((member, NodeFrame { frame: Some(frame) }));
                }
            }
            _ => {}
        }
        std::mem::take(&mut self.outbox)
    }

    fn acked(&mut self, from: &Account, position: u64) {
        let mut seqs: BTreeMap<RoomId, u64> = BTreeMap::new();
        let stream = self.streams.get(from).cloned().unwrap_or_default();
        for entry in stream.iter().take(position as usize) {
            if let Some(entry::Entry::Event(event)) = &entry.entry {
                let event = chain::read(event).unwrap();
                seqs.insert(event.room, event.seq);
            }
        }
        for (room, seq) in seqs {
            let kinds = [
                (ProgressKind::Delivered, from.to_string()),
                (ProgressKind::Stored, from.domain().to_string()),
            ];
            for (kind, who) in kinds {
                let progress = Progress { room: room.to_bytes(), kind: kind.into(), who, seq };
                for member in self.members(room) {
                    let entry = entry::Entry::Progress(progress.clone());
                    let page =
                        Page { entries: vec![Entry { position: 0, entry: Some(entry) }], caught_up: false };
                    let frame = node_frame::Frame::Page(page);
                    self.outbox.push((member, NodeFrame { frame: Some(frame) }));
                }
            }
        }
    }

    pub fn members(&self, room: RoomId) -> Vec<Account> {
        let Some(room) = self.rooms.get(&room) else { return Vec::new() };
        let view = &room.view;
        view.roster
            .keys()
            .filter(|account| !view.leaving.contains(*account) && !view.declined.contains(*account))
            .cloned()
            .collect()
    }

    fn ask(&mut self, from: &Account, ask: Ask, now: Timestamp) -> Result<Response, WireError> {
        let kind = match &ask {
            Ask::ClaimKeyPackages(_) => "claim",
            Ask::Submit(_) => "submit",
            Ask::GetAccount(_) => "account",
            Ask::GetDomain(_) => "domain",
            Ask::GetGroup(_) => "group",
            _ => "other",
        };
        if let Some((failing, error)) = &self.failing
            && *failing == kind
        {
            return Err(*error);
        }
        Ok(match ask {
            Ask::Subscribe(subscribe) => {
                self.subscriptions.insert(from.clone(), subscribe.after);
                Response::Done(Done {})
            }
            Ask::UploadKeyPackages(upload) => {
                self.packages.entry(from.clone()).or_default().extend(upload.packages);
                Response::Done(Done {})
            }
            Ask::GetDomain(get) => {
                let (_, document) =
                    self.domains.get(&get.domain.parse::<DomainName>()?).ok_or(ErrorCode::NotFound)?;
                let new = document.seq() > get.after_seq;
                let documents = if new { vec![document.signed().clone()] } else { Vec::new() };
                Response::Domain(DomainDocuments { documents })
            }
            Ask::GetAccount(get) => {
                let account: Account = get.account.parse()?;
                Response::Account(self.accounts.get(&account).cloned().ok_or(ErrorCode::NotFound)?)
            }
            Ask::ClaimKeyPackages(claim) => self.claim(&claim),
            Ask::Submit(submission) => {
                self.submit(&submission, now)?;
                Response::Accepted(Accepted { message_id: submission.message_id })
            }
            Ask::PullEvents(pull) => {
                let room = self.rooms.get(&pull.room.as_ref().try_into()?).ok_or(ErrorCode::NotFound)?;
                let from = (pull.from_seq as usize).saturating_sub(1).min(room.log.len());
                let events: Vec<Event> = room.log[from..].iter().take(pull.limit as usize).cloned().collect();
                let end = from + events.len() == room.log.len();
                Response::Pulled(PulledEvents { events, end })
            }
            Ask::GetGroup(get) => {
                let room = self.rooms.get(&get.room.as_ref().try_into()?).ok_or(ErrorCode::NotFound)?;
                let device =
                    *room.view.roster.get(from).and_then(|own| own.first()).ok_or(ErrorCode::Forbidden)?;
                hub::may_rejoin(&room.view, from, &device)?;
                Response::Group(room.observer.shown()?)
            }
            Ask::AnswerInvitation(answer) => {
                self.answer(from, &answer, now)?;
                Response::Done(Done {})
            }
            Ask::PeerStates(_) => Response::PeerStates(PeerStates { peers: Vec::new() }),
            _ => Response::Done(Done {}),
        })
    }

    fn claim(&mut self, claim: &ClaimKeyPackages) -> Response {
        let accounts = claim.accounts.iter().map(|name| {
            let account: Account = name.parse().unwrap();
            let mut claimed = ClaimedAccount { account: name.clone(), ..ClaimedAccount::default() };
            let (Some(keys), Some(packages)) = (self.accounts.get(&account), self.packages.get_mut(&account))
            else {
                let known = self.accounts.contains_key(&account);
                let error = if known { ErrorCode::Unavailable } else { ErrorCode::NotFound };
                claimed.error = Some(error.into());
                return claimed;
            };
            let once = packages.iter().position(|package| !package.last_resort);
            let package = once.map(|place| packages.remove(place)).or_else(|| packages.first().cloned());
            let package = package.unwrap();
            let info = mls::check_key_package(&package.key_package, Timestamp::from_ms(1_800_000_000_000));
            claimed.keys = Some(keys.clone());
            claimed.packages = vec![ClaimedPackage {
                device_id: info.unwrap().leaf.device.to_bytes(),
                key_package: package.key_package,
                last_resort: package.last_resort,
            }];
            claimed
        });
        Response::Claimed(ClaimedKeyPackages { accounts: accounts.collect() })
    }

    fn answer(&mut self, from: &Account, answer: &AnswerInvitation, now: Timestamp) -> Result<(), WireError> {
        let room: RoomId = answer.room.as_ref().try_into()?;
        let join = self.invitations.remove(&(from.clone(), room)).ok_or(ErrorCode::NotFound)?;
        if answer.accept {
            self.stream(from, entry::Entry::Join(join));
        } else if let Some((notice, view)) = hub::declined(&self.rooms[&room].view, from) {
            self.rooms.get_mut(&room).unwrap().view = view;
            let body = Bytes::from(notice.encode_to_vec());
            let id = MessageId::new([room.as_bytes()[0]; 16]);
            self.order(room, (EventKind::Notice, id, &body), now);
        }
        Ok(())
    }

    pub fn submit(&mut self, submission: &Submission, now: Timestamp) -> Result<(), WireError> {
        let request = Request::parse(submission)?;
        if let Some(room) = self.rooms.get(&request.room)
            && let Some(hash) = room.ids.get(&request.message)
        {
            return if *hash == request.body_hash { Ok(()) } else { Err(ErrorCode::Conflict.into()) };
        }
        if request.kind == EventKind::Founding {
            return self.found(&request, now);
        }
        let room = self.rooms.get_mut(&request.room).ok_or(ErrorCode::NotFound)?;
        match request.kind {
            EventKind::Commit => return self.commit(&request, now),
            EventKind::Message => {
                let framing = mls::framing(EventKind::Message, &request.body)?;
                hub::order_message(&room.view, &request, (&framing.room, framing.epoch))?;
            }
            EventKind::Proposal => {
                let observer = &mut room.observer;
                let effects = hub::order_proposal(&room.view, &request, || {
                    let seen = observer.check_proposal(&request.body)?;
                    let binding = (request.room, request.message);
                    Ok(((seen.proposer.account, seen.proposer.device), binding))
                })?;
                observer.merge().unwrap();
                let seq = room.head.seq + 1;
                self.order(request.room, (request.kind, request.message, &request.body), now);
                self.rooms.get_mut(&request.room).unwrap().view = effects.view;
                self.stream(
                    &effects.account,
                    entry::Entry::Left(Left { room: request.room.to_bytes(), seq, ..Left::default() }),
                );
                return Ok(());
            }
            _ => hub::order_nack(&room.view, room.head.seq, &request)?,
        }
        self.order(request.room, (request.kind, request.message, &request.body), now);
        Ok(())
    }

    fn found(&mut self, request: &Request, now: Timestamp) -> Result<(), WireError> {
        let founding = RoomFounding::decode(request.body.as_ref()).map_err(|_| ErrorCode::Malformed)?;
        let observer = Observer::found(&founding)?;
        let hub_domain = request.hub.clone().unwrap();
        let known = self.rooms.get(&request.room).map(|room| &room.view);
        let founded = hub::order_founding(&hub_domain, known, request, || {
            Ok(FoundingLeaf {
                group: request.room,
                epoch: 0,
                leaves: leaves(&observer.leaves()),
                state: observer.state().clone(),
            })
        })?;
        let room = HubRoom {
            view: founded.view,
            observer,
            log: Vec::new(),
            head: LogHead::default(),
            ids: BTreeMap::new(),
            founded: (request.account.clone(), request.message),
        };
        self.rooms.insert(request.room, room);
        self.order(request.room, (request.kind, request.message, &request.body), now);
        Ok(())
    }

    fn commit(&mut self, request: &Request, now: Timestamp) -> Result<(), WireError> {
        let room = self.rooms.get_mut(&request.room).unwrap();
        let observer = &mut room.observer;
        let effects = hub::order_commit(&room.view, request, || {
            let seen = observer.check_commit(&request.body, request.extras.as_ref().unwrap())?;
            Ok(Observation {
                committer: (seen.committer.account, seen.committer.device),
                binding: (request.room, request.message),
                added: leaves(&seen.added),
                removed: leaves(&seen.removed),
                state: State::parse(&seen.state)?,
            })
        })?;
        observer.merge()?;
        let (ratchet_tree, seq) = (observer.ratchet_tree()?, room.head.seq + 1);
        self.order(request.room, (request.kind, request.message, &request.body), now);
        let room = self.rooms.get_mut(&request.room).unwrap();
        room.view = effects.view;
        let (founder, founding) = room.founded.clone();
        let kind = room.view.state.kind;
        let commit = room.log.last().cloned();
        for account in effects.joined {
            let join = Join {
                room: request.room.to_bytes(),
                commit: commit.clone(),
                welcome: request.extras.as_ref().unwrap().welcome.clone(),
                ratchet_tree: ratchet_tree.clone(),
                accounts: vec![account.to_string()],
                inviter: request.account.to_string(),
                kind: kind.into(),
                members: Vec::new(),
                founder: founder.to_string(),
                founding: founding.to_bytes(),
            };
            if self.asking.contains(&account) && account.domain() != request.account.domain() {
                self.invitations.insert((account.clone(), request.room), join);
                let invitation = Invitation {
                    room: request.room.to_bytes(),
                    inviter: request.account.to_string(),
                    kind: kind.into(),
                    time_ms: now.as_ms(),
                };
                self.stream(&account, entry::Entry::Invitation(invitation));
            } else {
                self.stream(&account, entry::Entry::Join(join));
            }
        }
        for account in effects.removed {
            self.stream(
                &account,
                entry::Entry::Left(Left { room: request.room.to_bytes(), seq, ..Left::default() }),
            );
        }
        Ok(())
    }

    /// Gives a body its place and hands it to those who are in the room before it.
    pub fn order(&mut self, id: RoomId, what: (EventKind, MessageId, &Bytes), now: Timestamp) {
        let (kind, message, body) = what;
        let receivers = self.members(id);
        let room = self.rooms.get_mut(&id).unwrap();
        let hub_domain = room.view.state.hub.clone();
        let draft = Draft {
            room: &id,
            hub: &hub_domain,
            epoch: room.view.epoch,
            kind,
            message: &message,
            body,
            time_ms: now.as_ms(),
        };
        let (event, head) = chain::seal(&room.head, &draft, &self.domains[&hub_domain].0.event);
        room.head = head;
        room.log.push(event.clone());
        room.ids.insert(message, chain::read(&event).unwrap().body_hash);
        for account in receivers {
            let waits = self.invitations.contains_key(&(account.clone(), id));
            if !waits {
                self.stream(&account, entry::Entry::Event(event.clone()));
            }
        }
    }

    pub fn stream(&mut self, account: &Account, entry: entry::Entry) {
        let stream = self.streams.entry(account.clone()).or_default();
        let position = stream.len() as u64 + 1;
        stream.push(Entry { position, entry: Some(entry) });
    }
}
