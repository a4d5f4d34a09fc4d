//! The room of alice and bob as its hub keeps it, and bob's device, which is honest.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use identity::DomainKeys;
use kit::{Person, RawPeer, SystemEntropy};
use machine::Entropy as _;
use mls::{Change, DeviceKeys, Member, Observer, Processed, content};
use prost::Message as _;
use room::{
    LogHead, State,
    chain::{self, Draft},
};
use wire::{
    MessageId, RoomId,
    proto::{
        AccountKeys, CommitExtras, Content, Event, EventKind, Join, KeyPackageUpload, RoomKind, Submission,
        Text, content::Kind,
    },
};

use super::node::{acme, countersigned};
use crate::hand::message_in;

pub(super) struct Hub {
    keys: DomainKeys,
    bob: DeviceKeys,
    member: Option<Member>,
    room: RoomId,
    head: LogHead,
    accounts: BTreeMap<String, AccountKeys>,
    /// The packages of alice's device.
    pub(super) packages: Vec<KeyPackageUpload>,
    /// What was ordered, seq 1 first.
    pub(super) log: Vec<Event>,
    ids: BTreeMap<Bytes, Bytes>,
    /// What bob has heard of alice, in order.
    pub(super) heard: Vec<String>,
}

impl Hub {
    pub(super) fn new(peer: &RawPeer) -> Result<Self> {
        let bob = Person::new("bob@acme.test")?;
        let enrolled = countersigned(&peer.keys.binding, &bob.enrolment()?)?;
        Ok(Self {
            keys: peer.keys.clone(),
            bob: bob.device_keys(&enrolled)?,
            member: None,
            room: RoomId::new([0; 32]),
            head: LogHead::default(),
            accounts: BTreeMap::from([("bob@acme.test".to_owned(), enrolled)]),
            packages: Vec::new(),
            log: Vec::new(),
            ids: BTreeMap::new(),
            heard: Vec::new(),
        })
    }

    pub(super) fn enrol(&mut self, keys: &AccountKeys) -> Result<AccountKeys> {
        let keys = countersigned(&self.keys.binding, keys)?;
        self.accounts.insert("alice@acme.test".to_owned(), keys.clone());
        Ok(keys)
    }

    pub(super) fn keys_of(&self, account: &str) -> Option<AccountKeys> {
        self.accounts.get(account).cloned()
    }

    pub(super) fn has_packages(&self) -> bool {
        self.packages.iter().any(|package| package.last_resort)
    }

    pub(super) fn one_time_packages(&self) -> u32 {
        u32::try_from(self.packages.iter().filter(|package| !package.last_resort).count()).unwrap_or(u32::MAX)
    }

    /// Bob founds a group and adds alice: what alice's device is told.
    pub(super) fn found(&mut self) -> Result<(RoomId, Join)> {
        let founding_id = MessageId::new(SystemEntropy.array());
        self.room = room::group_room(&self.bob.account, &founding_id);
        let state = State::group(self.room, acme()?, self.bob.account.clone());
        let (mut member, founding) = Member::found(&self.bob, &state.to_proto(), &mut SystemEntropy)?;
        let mut observer = Observer::found(&founding)?;
        self.append(EventKind::Founding, 0, &founding_id, &founding.encode_to_vec().into());
        let package = self.packages.iter().find(|package| !package.last_resort).context("a package")?;
        let change = Change { add: vec![package.key_package.clone()], ..Change::default() };
        let binding = message_in(&self.room);
        let made = member.commit(&binding, &change, &mut SystemEntropy)?;
        let extras = CommitExtras { welcome: made.welcome.clone(), group_info: made.group_info };
        observer.check_commit(&made.commit, &extras)?;
        observer.merge()?;
        let id = MessageId::try_from(binding.message_id.as_ref())?;
        let commit = self.append(EventKind::Commit, made.epoch, &id, &made.commit);
        member.process(EventKind::Commit, &made.commit)?;
        member.merge_staged()?;
        self.member = Some(member);
        let join = Join {
            room: self.room.to_bytes(),
            commit: Some(commit),
            welcome: made.welcome,
            ratchet_tree: observer.ratchet_tree()?,
            accounts: vec!["alice@acme.test".to_owned()],
            inviter: self.bob.account.to_string(),
            kind: RoomKind::Group.into(),
            members: Vec::new(),
            founder: self.bob.account.to_string(),
            founding: founding_id.to_bytes(),
        };
        Ok((self.room, join))
    }

    fn draft<'a>(
        &'a self,
        hub: &'a wire::DomainName,
        kind: EventKind,
        epoch: u64,
        message: &'a MessageId,
        body: &'a Bytes,
    ) -> Draft<'a> {
        Draft { room: &self.room, hub, epoch, kind, message, body, time_ms: net::now().as_ms() }
    }

    /// An event behind any head, signed by any key, that counts for nothing here.
    pub(super) fn forge(
        &self,
        head: &LogHead,
        kind: EventKind,
        body: &Bytes,
        key: &wire::SecretKey,
    ) -> Event {
        let id = MessageId::new(SystemEntropy.array());
        let hub = self.bob.account.domain().clone();
        let epoch = self.member.as_ref().map_or(0, Member::epoch);
        chain::seal(head, &self.draft(&hub, kind, epoch, &id, body), key).0
    }

    /// An event of another room of this hub.
    pub(super) fn elsewhere(&self, body: &Bytes) -> Event {
        let (hub, message) = (self.bob.account.domain(), MessageId::new(SystemEntropy.array()));
        let draft = self.draft(hub, EventKind::Message, 1, &message, body);
        chain::seal(&LogHead::default(), &Draft { room: &RoomId::new([9; 32]), ..draft }, self.key()).0
    }

    /// The end of the log.
    pub(super) const fn head(&self) -> LogHead {
        self.head
    }

    /// The key that signs events.
    pub(super) const fn key(&self) -> &wire::SecretKey {
        &self.keys.event
    }

    /// Gives a body the next place in the log.
    pub(super) fn append(&mut self, kind: EventKind, epoch: u64, id: &MessageId, body: &Bytes) -> Event {
        let hub = self.bob.account.domain().clone();
        let (event, head) =
            chain::seal(&self.head, &self.draft(&hub, kind, epoch, id, body), &self.keys.event);
        self.head = head;
        self.ids.insert(id.to_bytes(), body.clone());
        self.log.push(event.clone());
        event
    }

    /// Orders what bob says.
    pub(super) fn say(&mut self, text: &str) -> Result<Event> {
        let (id, epoch, body) = self.encrypted(text)?;
        Ok(self.append(EventKind::Message, epoch, &id, &body))
    }

    /// Orders anything that bob says, be it well-formed or not.
    pub(super) fn say_content(&mut self, kind: Kind) -> Result<Event> {
        let (id, epoch, body) = self.sealed(kind)?;
        Ok(self.append(EventKind::Message, epoch, &id, &body))
    }

    /// What bob says, on its way.
    pub(super) fn encrypted(&mut self, text: &str) -> Result<(MessageId, u64, Bytes)> {
        self.sealed(Kind::Text(Text { body: text.to_owned(), reply_to: Bytes::new() }))
    }

    fn sealed(&mut self, kind: Kind) -> Result<(MessageId, u64, Bytes)> {
        let member = self.member.as_mut().context("a room")?;
        let said = Content {
            version: content::VERSION,
            time_ms: net::now().as_ms(),
            kind: Some(kind),
            ..Content::default()
        };
        let binding = message_in(&self.room);
        let body = member.encrypt(&binding, &padded(said), &mut SystemEntropy)?;
        Ok((MessageId::try_from(binding.message_id.as_ref())?, member.epoch(), body))
    }

    /// Orders what alice's device submits, once; bob reads it.
    pub(super) fn order(&mut self, submission: &Submission) -> Result<Option<Event>> {
        if let Some(body) = self.ids.get(&submission.message_id) {
            ensure!(*body == submission.body, "one id for two bodies");
            return Ok(None);
        }
        let kind = EventKind::try_from(submission.kind)?;
        let id = MessageId::try_from(submission.message_id.as_ref())?;
        let member = self.member.as_mut().context("a room")?;
        match member.process(kind, &submission.body)? {
            Processed::Message { content: plaintext, .. } => {
                if let Some(Kind::Text(text)) = content::unpad(&plaintext)?.kind {
                    self.heard.push(text.body);
                }
            }
            Processed::Commit(_) => member.merge_staged()?,
            Processed::OwnMessage { .. } | Processed::Proposal { .. } => {}
        }
        Ok(Some(self.append(kind, submission.epoch, &id, &submission.body)))
    }
}

/// The plaintext of a content that need not be well-formed.
fn padded(mut said: Content) -> Vec<u8> {
    let bare = said.encoded_len();
    let behind = content::bucket(bare + 3) - bare;
    // A field of zeros takes two or three bytes more than it holds.
    said.padding = vec![0; behind - if behind > 129 { 3 } else { 2 }].into();
    said.encode_to_vec()
}
