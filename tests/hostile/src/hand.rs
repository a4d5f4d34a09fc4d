//! A device whose every step is made by hand: real keys, real groups, and whatever the test wants to
//! submit with them.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use kit::{Node, Person, RawDevice, RawPeer, SystemEntropy};
use machine::Entropy as _;
use mls::{Change, DeviceKeys, Member, Observer, OwnKeyPackage};
use prost::Message as _;
use room::State;
use wire::{
    ErrorCode, MessageId, RoomId, WireError,
    proto::{
        AccountKeys, CommitExtras, EventKind, KeyPackageUpload, MessageBinding, PullEvents, Submission,
        UploadKeyPackages, client_request::Request, client_response::Response,
    },
};

/// The keys of a person whose account a domain has countersigned.
pub(crate) fn certified(person: &Person, peer: &RawPeer) -> Result<DeviceKeys> {
    let enrolment = person.enrolment()?;
    let proposed = identity::AccountBinding::parse(enrolment.binding.as_ref().context("a binding")?)?;
    let binding = proposed.countersign(&peer.keys.binding).signed().clone();
    person.device_keys(&AccountKeys { binding: Some(binding), ..enrolment })
}

/// A key package of a device.
pub(crate) fn key_package(keys: &DeviceKeys) -> Result<OwnKeyPackage> {
    let made = mls::make_key_packages(keys, net::now(), 1, false, &mut SystemEntropy)?;
    made.into_iter().next().context("one package")
}

/// A new message id and the binding to it.
pub(crate) fn message_in(room: &RoomId) -> MessageBinding {
    let id: [u8; 16] = SystemEntropy.array();
    MessageBinding { room: room.to_bytes(), message_id: Bytes::copy_from_slice(&id), ephemeral: false }
}

/// A device with a session.
pub(crate) struct Hand {
    pub(crate) person: Person,
    pub(crate) device: RawDevice,
    pub(crate) keys: DeviceKeys,
}

impl Hand {
    /// A new account with a session and no key packages.
    pub(crate) async fn new(node: &Node, local: &str) -> Result<Self> {
        let person = Person::new(&format!("{local}@{}", node.domain()))?;
        let code = node.invite(&person.account)?;
        let mut device = RawDevice::connect(node).await?;
        let enrolled = device.enrol(&person, code).await?;
        device.hello(&person).await?;
        let keys = person.device_keys(&enrolled)?;
        Ok(Self { person, device, keys })
    }

    /// A submission of this device.
    pub(crate) fn submission(
        &self,
        binding: &MessageBinding,
        kind: EventKind,
        epoch: u64,
        body: Bytes,
    ) -> Submission {
        submission(&self.keys, binding, kind, epoch, body)
    }

    /// Submits, and says with which error it was refused.
    pub(crate) async fn submit(&mut self, submission: Submission) -> Result<Result<(), WireError>> {
        match self.device.request(Request::Submit(submission)).await {
            Ok(Response::Accepted(_)) => Ok(Ok(())),
            Ok(other) => bail!("{other:?} does not answer a submission"),
            Err(error) => Ok(Err(error.downcast()?)),
        }
    }

    /// The error of a submission that must be refused.
    pub(crate) async fn refused(&mut self, submission: Submission) -> Result<ErrorCode> {
        match self.submit(submission).await? {
            Ok(()) => bail!("it was accepted"),
            Err(error) => Ok(error.code),
        }
    }

    /// Founds a group at this node, and watches it as the hub does.
    pub(crate) async fn found(&mut self) -> Result<(Member, Observer)> {
        let message = MessageId::new(SystemEntropy.array());
        let room = room::group_room(&self.keys.account, &message);
        let hub = self.keys.account.domain().clone();
        let state = State::group(room, hub.clone(), self.keys.account.clone());
        let (member, founding) = Member::found(&self.keys, &state.to_proto(), &mut SystemEntropy)?;
        let binding =
            MessageBinding { room: room.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let body = founding.encode_to_vec().into();
        let mut submission = self.submission(&binding, EventKind::Founding, 0, body);
        submission.hub = hub.to_string();
        self.submit(submission).await??;
        Ok((member, Observer::found(&founding)?))
    }

    /// A commit of this device, pending until [`Self::carry_out`] or `clear_pending`.
    pub(crate) fn commit(&self, member: &mut Member, change: &Change) -> Result<Submission> {
        commit(&self.keys, member, change)
    }

    /// Submits a commit and makes it the group's state.
    pub(crate) async fn carry_out(&mut self, member: &mut Member, change: &Change) -> Result<Submission> {
        let submission = self.commit(member, change)?;
        self.submit(submission.clone()).await??;
        member.process(EventKind::Commit, &submission.body)?;
        member.merge_staged()?;
        Ok(submission)
    }

    /// A message of this device, encrypted.
    pub(crate) fn message(&self, member: &mut Member, text: &[u8]) -> Result<Submission> {
        let binding = message_in(member.room());
        let body = member.encrypt(&binding, text, &mut SystemEntropy)?;
        Ok(self.submission(&binding, EventKind::Message, member.epoch(), body))
    }

    /// Uploads packages.
    pub(crate) async fn upload(&mut self, packages: Vec<KeyPackageUpload>) -> Result<Result<(), ErrorCode>> {
        match self.device.request(Request::UploadKeyPackages(UploadKeyPackages { packages })).await {
            Ok(_) => Ok(Ok(())),
            Err(error) => Ok(Err(error.downcast::<WireError>()?.code)),
        }
    }

    /// How many events of a room this device may pull.
    pub(crate) async fn pull(&mut self, room: &RoomId) -> Result<Result<usize, ErrorCode>> {
        let pull = PullEvents { room: room.to_bytes(), from_seq: 0, limit: 64 };
        match self.device.request(Request::PullEvents(pull)).await {
            Ok(Response::Pulled(pulled)) => Ok(Ok(pulled.events.len())),
            Ok(other) => bail!("{other:?} does not answer a pull"),
            Err(error) => Ok(Err(error.downcast::<WireError>()?.code)),
        }
    }
}

/// A submission of any device.
pub(crate) fn submission(
    keys: &DeviceKeys,
    binding: &MessageBinding,
    kind: EventKind,
    epoch: u64,
    body: Bytes,
) -> Submission {
    Submission {
        room: binding.room.clone(),
        message_id: binding.message_id.clone(),
        kind: kind.into(),
        epoch,
        body,
        hub: String::new(),
        commit: None,
        account: keys.account.to_string(),
        device_id: keys.device.to_bytes(),
    }
}

/// A commit of any device.
pub(crate) fn commit(keys: &DeviceKeys, member: &mut Member, change: &Change) -> Result<Submission> {
    let binding = message_in(member.room());
    let bundle = member.commit(&binding, change, &mut SystemEntropy)?;
    let mut submission = submission(keys, &binding, EventKind::Commit, bundle.epoch, bundle.commit);
    submission.commit = Some(CommitExtras { welcome: bundle.welcome, group_info: bundle.group_info });
    Ok(submission)
}

/// A change that adds these packages.
pub(crate) fn adding(packages: &[&OwnKeyPackage]) -> Change {
    Change { add: packages.iter().map(|package| package.bytes.clone()).collect(), ..Change::default() }
}
