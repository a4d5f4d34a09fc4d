//! A device that speaks the rules of rooms but keeps nothing: real MLS members over raw sessions, for
//! tests and measurements that must see every answer of the node and repeat nothing by themselves.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use machine::Entropy as _;
use mls::{Change, DeviceKeys, Entrance, Member, Processed, Rows, make_key_packages};
use prost::Message as _;
use room::{State, direct_room, group_room};
use wire::{
    Account, ErrorCode, MessageId, RoomId,
    proto::{
        self, CommitExtras, ContactPolicy, EventHead, EventKind, KeyPackageUpload, MessageBinding,
        SetContactPolicy, Submission, UploadKeyPackages, client_request::Request, client_response::Response,
        entry, node_frame,
    },
};

use crate::{Node, Person, RawDevice, SystemEntropy};

/// How often packages of a domain that cannot be reached yet are claimed again, and how long between.
const CLAIM_TRIES: u32 = 100;
const CLAIM_PAUSE: Duration = Duration::from_millis(100);
/// Key packages that a talker uploads.
const PACKAGES: usize = 4;

/// An enrolled person with a session, subscribed to everything, who takes invitations from anybody.
#[derive(Debug)]
pub struct Talker {
    /// Who it is.
    pub person: Person,
    /// The session.
    pub device: RawDevice,
    keys: DeviceKeys,
    packages: BTreeMap<[u8; 32], Rows>,
    store_id: Vec<u8>,
    position: u64,
}

/// What a talker is told that matters here.
#[derive(Clone, Debug)]
pub enum Heard {
    /// An event of a room.
    Event {
        /// The decoded head.
        head: EventHead,
        /// The body.
        body: bytes::Bytes,
    },
    /// This account was added to a room.
    Join(proto::Join),
    /// The home node has a submission.
    Accepted(MessageId),
    /// How far somebody is.
    Progress(proto::Progress),
}

impl Talker {
    /// Enrols a new account of the node's domain.
    ///
    /// # Errors
    /// If the node refuses any of it.
    pub async fn enrol(node: &Node, local: &str) -> Result<Self> {
        let person = Person::new(&format!("{local}@{}", node.domain()))?;
        let code = node.invite(&person.account)?;
        let mut device = RawDevice::connect(node).await?;
        let enrolled = device.enrol(&person, code).await?;
        let keys = person.device_keys(&enrolled)?;
        let ready = device.hello(&person).await?;
        let made = make_key_packages(&keys, net::now(), PACKAGES, true, &mut SystemEntropy)?;
        let packages = made
            .iter()
            .map(|package| KeyPackageUpload {
                key_package: package.bytes.clone(),
                last_resort: package.last_resort,
            })
            .collect();
        device.request(Request::UploadKeyPackages(UploadKeyPackages { packages })).await?;
        let open = SetContactPolicy { policy: ContactPolicy::Open.into() };
        device.request(Request::SetContactPolicy(open)).await?;
        device.subscribe(&[], 0).await?;
        let packages = made.into_iter().map(|package| (package.hash, package.rows)).collect();
        Ok(Self { person, device, keys, packages, store_id: ready.store_id.to_vec(), position: 0 })
    }

    /// A session anew, from the last position that was heard.
    ///
    /// # Errors
    /// If the node does not let it.
    pub async fn reconnect(&mut self, node: &Node) -> Result<()> {
        self.device = RawDevice::again(node, &self.person).await?;
        self.device.subscribe(&self.store_id, self.position).await
    }

    /// A session with a node whose store was restored: the last position is none of it, everything is
    /// heard anew, and no key package is there.
    ///
    /// # Errors
    /// If the node does not let it, or takes the old position for one of its own.
    pub async fn begin_anew(&mut self, node: &Node) -> Result<()> {
        self.device = RawDevice::connect(node).await?;
        let ready = self.device.hello(&self.person).await?;
        ensure!(ready.key_packages == 0 && !ready.last_resort, "key packages came back with the store");
        let old = proto::Subscribe { store_id: self.store_id.clone().into(), after: self.position };
        let refused = self.device.refused(Request::Subscribe(old)).await?;
        ensure!(refused == ErrorCode::CursorGone, "the old position is refused with {refused}");
        self.store_id = ready.store_id.to_vec();
        self.position = 0;
        self.device.subscribe(&self.store_id, 0).await
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.person.account
    }

    /// Waits for the next things of interest, acknowledging what it takes note of.
    ///
    /// # Errors
    /// If the node refuses something, or the connection ends.
    pub async fn hear(&mut self) -> Result<Vec<Heard>> {
        let frame = self.device.next().await?;
        self.take(frame).await
    }

    /// Takes note of a frame that [`RawDevice::next`] gave. Waiting for a frame may be broken off,
    /// this may not.
    ///
    /// # Errors
    /// As [`Self::hear`].
    pub async fn take(&mut self, frame: node_frame::Frame) -> Result<Vec<Heard>> {
        let mut heard = Vec::new();
        match frame {
            node_frame::Frame::Page(page) => {
                for item in page.entries {
                    self.position = self.position.max(item.position);
                    heard.extend(hear_entry(item.entry)?);
                }
                let ack = proto::client_frame::Frame::Ack(self.position);
                self.device.send(ack).await?;
            }
            node_frame::Frame::Response(response) => match response.response {
                Some(Response::Accepted(accepted)) => {
                    heard.push(Heard::Accepted(MessageId::try_from(accepted.message_id.as_ref())?));
                }
                Some(Response::Error(error)) => bail!("refused: {}", wire::WireError::from(&error)),
                _ => {}
            },
            node_frame::Frame::Goodbye(error) => bail!("goodbye: {}", wire::WireError::from(&error)),
            _ => {}
        }
        Ok(heard)
    }

    /// Waits until something is heard that `pick` wants; the rest is passed over.
    ///
    /// # Errors
    /// As [`Self::hear`].
    pub async fn until<T>(&mut self, mut pick: impl FnMut(Heard) -> Option<T>) -> Result<T> {
        loop {
            let mut found = None;
            for heard in self.hear().await? {
                found = found.or_else(|| pick(heard));
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    fn submission(
        &self,
        room: &RoomId,
        message: MessageId,
        kind: EventKind,
        body: bytes::Bytes,
    ) -> Submission {
        Submission {
            room: room.to_bytes(),
            message_id: message.to_bytes(),
            kind: kind.into(),
            epoch: 0,
            body,
            hub: String::new(),
            commit: None,
            account: self.person.account.to_string(),
            device_id: self.person.device.to_bytes(),
        }
    }

    /// Submits and waits until the event has come back.
    async fn ordered(&mut self, submission: Submission) -> Result<(EventHead, bytes::Bytes)> {
        let id = submission.message_id.clone();
        self.device.send_request(Request::Submit(submission)).await?;
        self.until(|heard| match heard {
            Heard::Event { head, body } if head.message_id == id => Some((head, body)),
            _ => None,
        })
        .await
    }
}

fn hear_entry(item: Option<entry::Entry>) -> Result<Option<Heard>> {
    Ok(match item {
        Some(entry::Entry::Event(event)) => {
            Some(Heard::Event { head: EventHead::decode(event.head)?, body: event.body })
        }
        Some(entry::Entry::Join(join)) => Some(Heard::Join(join)),
        Some(entry::Entry::Progress(progress)) => Some(Heard::Progress(progress)),
        Some(entry::Entry::Refused(refused)) => bail!("refused later: {refused:?}"),
        _ => None,
    })
}

/// A talker's part in a room.
pub struct Voice {
    /// The room.
    pub room: RoomId,
    member: Member,
}

impl Voice {
    /// Encrypts a message. Any bytes will do as content for a reader that does not decrypt.
    ///
    /// # Errors
    /// Those of the group.
    pub fn say(&mut self, talker: &Talker, content: &[u8]) -> Result<Submission> {
        let message = MessageId::new(SystemEntropy.array());
        let binding = binding(&self.room, message);
        let body = self.member.encrypt(&binding, content, &mut SystemEntropy)?;
        let submission = talker.submission(&self.room, message, EventKind::Message, body);
        Ok(Submission { epoch: self.member.epoch(), ..submission })
    }

    /// Decrypts a message and returns the length of its content.
    ///
    /// # Errors
    /// Those of the group.
    pub fn read(&mut self, body: &[u8]) -> Result<usize> {
        match self.member.process(EventKind::Message, body)? {
            Processed::Message { content, .. } => Ok(content.len()),
            _ => bail!("not a message"),
        }
    }
}

fn binding(room: &RoomId, message: MessageId) -> MessageBinding {
    MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false }
}

/// The direct room of two talkers, founded by the one on whose domain it is ordered.
///
/// # Errors
/// If a node refuses any of it.
pub async fn direct_talk(one: &mut Talker, other: &mut Talker) -> Result<(Voice, Voice)> {
    let (room, hub) = direct_room(one.account(), other.account());
    ensure!(hub == *one.account().domain(), "the first talker's domain orders the room");
    let state = State::direct(one.account(), other.account());
    let voice = found(one, room, state, MessageId::new(SystemEntropy.array())).await?;
    let mut voices = add(one, voice, &mut [other]).await?;
    let second = voices.pop().context("two voices")?;
    Ok((voices.pop().context("two voices")?, second))
}

/// A group of talkers, ordered by the domain of the first, who founds it.
///
/// # Errors
/// If a node refuses any of it.
pub async fn group_talk(founder: &mut Talker, others: &mut [&mut Talker]) -> Result<Vec<Voice>> {
    let message = MessageId::new(SystemEntropy.array());
    let room = group_room(founder.account(), &message);
    let state = State::group(room, founder.account().domain().clone(), founder.account().clone());
    let voice = found(founder, room, state, message).await?;
    add(founder, voice, others).await
}

async fn found(founder: &mut Talker, room: RoomId, state: State, message: MessageId) -> Result<Voice> {
    let (member, founding) = Member::found(&founder.keys, &state.to_proto(), &mut SystemEntropy)?;
    let body = founding.encode_to_vec().into();
    let submission = founder.submission(&room, message, EventKind::Founding, body);
    founder.ordered(Submission { hub: state.hub.to_string(), ..submission }).await?;
    Ok(Voice { room, member })
}

async fn add(founder: &mut Talker, mut voice: Voice, others: &mut [&mut Talker]) -> Result<Vec<Voice>> {
    let accounts: Vec<String> = others.iter().map(|talker| talker.account().to_string()).collect();
    let mut tries = 0;
    let add = loop {
        match claim(founder, &voice.room, &accounts).await? {
            Ok(packages) => break packages,
            // The nodes may be about to meet for the first time.
            Err(error) if error.retryable() && tries < CLAIM_TRIES => tries += 1,
            Err(error) => bail!("no key packages: {error:?}"),
        }
        tokio::time::sleep(CLAIM_PAUSE).await;
    };
    ensure!(add.len() == others.len(), "{} packages for {} accounts", add.len(), others.len());
    let message = MessageId::new(SystemEntropy.array());
    let change = Change { add, ..Change::default() };
    let made = voice.member.commit(&binding(&voice.room, message), &change, &mut SystemEntropy)?;
    let submission = founder.submission(&voice.room, message, EventKind::Commit, made.commit);
    let extras = CommitExtras { welcome: made.welcome, group_info: made.group_info };
    let submission = Submission { epoch: voice.member.epoch(), commit: Some(extras), ..submission };
    let (_, body) = founder.ordered(submission).await?;
    voice.member.process(EventKind::Commit, &body)?;
    voice.member.merge_staged()?;
    let room = voice.room;
    let mut voices = vec![voice];
    for talker in others {
        voices.push(join(talker, room).await?);
    }
    Ok(voices)
}

/// A package of each account, or why one of them has none.
async fn claim(
    founder: &mut Talker,
    room: &RoomId,
    accounts: &[String],
) -> Result<Result<Vec<bytes::Bytes>, ErrorCode>> {
    let claim = Request::ClaimKeyPackages(proto::ClaimKeyPackages {
        room: room.to_bytes(),
        claim_id: SystemEntropy.array::<16>().to_vec().into(),
        accounts: accounts.to_vec(),
        requester: founder.account().to_string(),
    });
    let Response::Claimed(claimed) = founder.device.request(claim).await? else { bail!("no packages") };
    if let Some(error) = claimed.accounts.iter().find_map(|account| account.error.as_ref()) {
        return Ok(Err(ErrorCode::from_code(error.code)));
    }
    let packages = claimed.accounts.into_iter().flat_map(|account| account.packages);
    Ok(Ok(packages.map(|package| package.key_package).collect()))
}

async fn join(talker: &mut Talker, room: RoomId) -> Result<Voice> {
    let join = talker
        .until(|heard| match heard {
            Heard::Join(join) if join.room == room.to_bytes() => Some(join),
            _ => None,
        })
        .await?;
    let targets = mls::welcome_targets(&join.welcome)?;
    let rows = targets.iter().find_map(|hash| talker.packages.remove(hash)).context("a package of ours")?;
    let commit = join.commit.context("a commit")?;
    let entrance =
        Entrance { commit: &commit.body, welcome: &join.welcome, ratchet_tree: &join.ratchet_tree };
    let joined = Member::join(&talker.keys, &entrance, &rows)?;
    Ok(Voice { room, member: joined.member })
}
