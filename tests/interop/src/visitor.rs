//! A device of another maker at a real node: account and session as `spec/03` and `spec/07` say, MLS by
//! mls-rs. It keeps nothing and is in one room.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use kit::{Node, Person, RawDevice, SystemEntropy};
use machine::Entropy as _;
use mls::{DeviceKeys, content};
use mls_rs::client_builder::MlsConfig;
use prost::Message as _;
use wire::{
    Account, ErrorCode, MessageId, RoomId, WireError,
    proto::{
        self, CommitExtras, ContactPolicy, Content, EventHead, EventKind, MessageBinding, Submission, Text,
        client_frame, client_request::Request, client_response::Response, content::Kind, entry::Entry,
        node_frame::Frame,
    },
};

use crate::{Stranger, stranger::Made};

/// Commits that may be made anew because another one came first.
const TRIES: usize = 16;
/// How long something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The device, its session, and what it knows of the room.
pub struct Visitor<C: MlsConfig> {
    person: Person,
    session: RawDevice,
    mls: Stranger<C>,
    room: Option<RoomId>,
    /// The newest event of the room that it has applied.
    seq: u64,
    /// What others have said, in order.
    heard: Vec<Kind>,
    sent: BTreeSet<MessageId>,
    ordered: BTreeSet<MessageId>,
    refused: BTreeMap<MessageId, ErrorCode>,
    removed: bool,
}

impl<C: MlsConfig> Visitor<C> {
    /// A new account of the node's domain, which anybody may invite.
    ///
    /// # Errors
    /// If the node refuses any of it.
    pub async fn enrol(
        node: &Node,
        local: &str,
        make: fn(DeviceKeys) -> Result<Stranger<C>>,
    ) -> Result<Self> {
        let person = Person::new(&format!("{local}@{}", node.domain()))?;
        let mut session = RawDevice::connect(node).await?;
        let enrolled = session.enrol(&person, node.invite(&person.account)?).await?;
        session.hello(&person).await?;
        let mls = make(person.device_keys(&enrolled)?)?;
        let package = mls.key_package(person.since.as_s())?;
        let package = proto::KeyPackageUpload { key_package: package.into(), last_resort: false };
        let upload = proto::UploadKeyPackages { packages: vec![package] };
        session.request(Request::UploadKeyPackages(upload)).await?;
        let open = proto::SetContactPolicy { policy: ContactPolicy::Open.into() };
        session.request(Request::SetContactPolicy(open)).await?;
        session.subscribe(&[], 0).await?;
        Ok(Self {
            person,
            session,
            mls,
            room: None,
            seq: 0,
            heard: Vec::new(),
            sent: BTreeSet::new(),
            ordered: BTreeSet::new(),
            refused: BTreeMap::new(),
            removed: false,
        })
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.person.account
    }

    /// The room, once it is in one.
    ///
    /// # Errors
    /// If it is in none.
    pub fn room(&self) -> Result<RoomId> {
        self.room.context("in no room")
    }

    /// Whether somebody has said this.
    #[must_use]
    pub fn has_heard(&self, text: &str) -> bool {
        self.heard.iter().any(|kind| matches!(kind, Kind::Text(heard) if heard.body == text))
    }

    /// Whether it was removed from the room.
    #[must_use]
    pub const fn is_removed(&self) -> bool {
        self.removed
    }

    /// What all members of its epoch share.
    ///
    /// # Errors
    /// If it is in no group.
    pub fn epoch_authenticator(&mut self) -> Result<Vec<u8>> {
        self.mls.epoch_authenticator()
    }

    /// The group's epoch.
    ///
    /// # Errors
    /// If it is in no group.
    pub fn epoch(&mut self) -> Result<u64> {
        self.mls.epoch()
    }

    /// Hears until it is as wanted.
    ///
    /// # Errors
    /// If it does not become so.
    pub async fn until(&mut self, what: &str, fits: impl Fn(&Self) -> bool) -> Result<()> {
        let hearing = async {
            while !fits(self) {
                self.hear().await?;
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, hearing).await.with_context(|| format!("not yet: {what}"))?
    }

    /// Hears what comes within some time.
    ///
    /// # Errors
    /// If something comes that it cannot take in.
    pub async fn hear_for(&mut self, patience: Duration) -> Result<()> {
        // Waiting for a frame may be broken off, taking one in is not.
        while let Ok(frame) = tokio::time::timeout(patience, self.session.next()).await {
            self.take(frame?).await?;
        }
        Ok(())
    }

    /// Says something, and waits until it is ordered.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn say(&mut self, text: &str) -> Result<()> {
        let text = Text { body: text.to_owned(), reply_to: bytes::Bytes::new() };
        let content = Content {
            version: content::VERSION,
            time_ms: net::now().as_ms(),
            kind: Some(Kind::Text(text)),
            ..Content::default()
        };
        let padded = content::pad(&content)?;
        self.order(EventKind::Message, |mls, data| Ok((mls.encrypt(&padded, data)?, None))).await
    }

    /// Renews its leaf, adds these accounts, and waits until the commit is ordered and applied.
    ///
    /// # Errors
    /// If an account cannot be added, or the commit is refused.
    pub async fn commit(&mut self, add: &[&Account]) -> Result<()> {
        let packages = if add.is_empty() { Vec::new() } else { self.claim(add).await? };
        self.order(EventKind::Commit, |mls, data| {
            let Made { commit, extras } = mls.commit(&packages, &[], None, data)?;
            Ok((commit, Some(extras)))
        })
        .await
    }

    async fn claim(&mut self, accounts: &[&Account]) -> Result<Vec<Vec<u8>>> {
        let claim = Request::ClaimKeyPackages(proto::ClaimKeyPackages {
            room: self.room()?.to_bytes(),
            claim_id: SystemEntropy.array::<16>().to_vec().into(),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            requester: self.person.account.to_string(),
        });
        let Response::Claimed(claimed) = self.session.request(claim).await? else { bail!("no packages") };
        let packages = claimed.accounts.into_iter().flat_map(|account| account.packages);
        let packages: Vec<_> = packages.map(|package| package.key_package.to_vec()).collect();
        ensure!(packages.len() == accounts.len(), "{} packages", packages.len());
        Ok(packages)
    }

    /// Submits what `make` makes, again for each epoch that ended before it was ordered.
    async fn order(
        &mut self,
        kind: EventKind,
        make: impl Fn(&mut Stranger<C>, Vec<u8>) -> Result<(Vec<u8>, Option<CommitExtras>)>,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let (id, epoch) = (MessageId::new(SystemEntropy.array()), self.mls.epoch()?);
            let binding = self.binding(id)?;
            let (body, commit) = make(&mut self.mls, binding)?;
            let submission = Submission {
                room: self.room()?.to_bytes(),
                message_id: id.to_bytes(),
                kind: kind.into(),
                epoch,
                body: body.into(),
                hub: String::new(),
                commit,
                account: self.person.account.to_string(),
                device_id: self.person.device.to_bytes(),
            };
            self.sent.insert(id);
            if let Err(error) = self.session.request(Request::Submit(submission)).await {
                self.refused.insert(id, error.downcast::<WireError>()?.code);
            }
            let over = |this: &Self| this.ordered.contains(&id) || this.refused.contains_key(&id);
            self.until("it is ordered or refused", over).await?;
            match self.refused.get(&id) {
                None => return Ok(()),
                Some(ErrorCode::StaleEpoch) => self.mls.drop_pending(),
                Some(code) => bail!("refused: {code}"),
            }
            // The commit that came first is on its way.
            while self.mls.epoch()? == epoch {
                self.hear().await?;
            }
        }
        bail!("another commit came first, {TRIES} times")
    }

    fn binding(&self, message: MessageId) -> Result<Vec<u8>> {
        let (room, message_id) = (self.room()?.to_bytes(), message.to_bytes());
        Ok(MessageBinding { room, message_id, ephemeral: false }.encode_to_vec())
    }

    async fn hear(&mut self) -> Result<()> {
        let frame = self.session.next().await?;
        self.take(frame).await
    }

    async fn take(&mut self, frame: Frame) -> Result<()> {
        match frame {
            Frame::Page(page) => {
                let newest = page.entries.iter().map(|entry| entry.position).max();
                for entry in page.entries {
                    self.take_entry(entry.entry)?;
                }
                if let Some(position) = newest.filter(|position| *position > 0) {
                    self.session.send(client_frame::Frame::Ack(position)).await?;
                }
            }
            Frame::Goodbye(error) => bail!("goodbye: {}", WireError::from(&error)),
            _ => {}
        }
        Ok(())
    }

    fn take_entry(&mut self, entry: Option<Entry>) -> Result<()> {
        match entry {
            Some(Entry::Join(join)) => {
                self.mls.join(&join.welcome, &join.ratchet_tree)?;
                let commit = join.commit.context("the commit")?;
                self.seq = EventHead::decode(commit.head)?.seq;
                self.room = Some(RoomId::try_from(join.room.as_ref())?);
            }
            Some(Entry::Event(event)) => {
                self.take_event(&EventHead::decode(event.head)?, &event.body)?;
            }
            Some(Entry::Refused(refused)) => {
                let error = refused.error.context("an error")?;
                let message = MessageId::try_from(refused.message_id.as_ref())?;
                self.refused.insert(message, ErrorCode::from_code(error.code));
            }
            _ => {}
        }
        Ok(())
    }

    fn take_event(&mut self, head: &EventHead, body: &[u8]) -> Result<()> {
        if head.seq <= self.seq {
            return Ok(());
        }
        ensure!(head.seq == self.seq + 1, "event {} after {}", head.seq, self.seq);
        self.seq = head.seq;
        let message = MessageId::try_from(head.message_id.as_ref())?;
        let own = self.sent.contains(&message);
        match head.kind() {
            EventKind::Commit => self.removed = !self.mls.apply(body, own)?,
            EventKind::Message if !own => {
                let (data, plaintext) = self.mls.decrypt(body)?;
                ensure!(data == self.binding(message)?, "a message is bound to another place");
                self.heard.extend(content::unpad(&plaintext)?.kind);
            }
            EventKind::Message | EventKind::Notice => {}
            other => bail!("{other:?} at {}", head.seq),
        }
        if own {
            self.ordered.insert(message);
        }
        Ok(())
    }
}
