//! The hub's view of a group: everything that can be checked without being a member.

use std::collections::BTreeSet;

use bytes::Bytes;
use openmls::prelude::{
    GroupContext, OpenMlsProvider as _, ProcessedMessageContent, ProposalStore, ProtocolMessage, PublicGroup,
    QueuedProposal, StagedCommit,
};
use tls_codec::Serialize as _;
use wire::{
    ErrorCode, PublicKey, RoomId, limits,
    proto::{CommitExtras, EventKind, GroupState, MessageBinding, RoomFounding, RoomState},
};

use crate::{
    Leaf, Rows, delta, fault,
    framing::{self, Framing},
    key_package::parse_welcome,
    member::{parse_group_info, parse_tree},
    provider::Provider,
    reader::Reader,
    store::{Store, row},
    suite,
};

/// The public half of a room's group: tree, context and the leaves proposed in this epoch. Holds no
/// secret.
pub struct Observer {
    room: RoomId,
    state: RoomState,
    group_info: Bytes,
    provider: Provider,
    group: PublicGroup,
    leaving: BTreeSet<u32>,
    staged: Option<Staged>,
}

enum Staged {
    Commit(Box<StagedCommit>, Bytes, RoomState),
    Proposal(Box<QueuedProposal>, u32, Bytes),
}

/// What a commit would do, as far as the hub sees. Signature and structure are valid and the
/// `GroupInfo` belongs to it; roles and identities are for the caller to check before
/// [`Observer::merge`].
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The committing leaf, as it was before.
    pub committer: Leaf,
    /// Where it belongs.
    pub binding: MessageBinding,
    /// Leaves that it adds. To be checked with `identity::check_leaf`.
    pub added: Vec<Leaf>,
    /// Leaves that it removes, for whatever reason.
    pub removed: Vec<Leaf>,
    /// The committer's leaf as it is afterwards. To be checked with `identity::check_leaf`.
    pub updated: Option<Leaf>,
    /// The room state afterwards.
    pub state: RoomState,
    /// The epoch afterwards.
    pub epoch_after: u64,
    /// It is an external commit with which a device replaces its own leaf: `added` and `removed` are
    /// empty of it.
    pub rejoined: bool,
}

/// A proposal to leave.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedProposal {
    /// Who leaves.
    pub proposer: Leaf,
    /// Where it belongs.
    pub binding: MessageBinding,
}

impl Observer {
    /// The group of a new room, from its founding.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, `Unsupported`, `BadSignature`; whether founder and state are allowed is
    /// for the caller.
    pub fn found(founding: &RoomFounding) -> Result<Self, ErrorCode> {
        let info = parse_group_info(&founding.group_info)?;
        let tree = parse_tree(&founding.ratchet_tree)?;
        let room = RoomId::try_from(info.group_id().as_slice())?;
        if info.epoch().as_u64() != 0 {
            return Err(ErrorCode::Malformed);
        }
        let provider = Provider::default();
        let (group, _) =
            PublicGroup::from_external(provider.crypto(), provider.store(), tree, info, ProposalStore::new())
                .map_err(|error| fault::external(&error))?;
        delta::check_tree(&group)?;
        Self::of_group(room, provider, group, founding.group_info.clone())
    }

    /// The observer that [`Observer::save`] wrote.
    ///
    /// # Errors
    /// `Internal` if the bytes are damaged.
    pub fn load(bytes: &[u8]) -> Result<Self, ErrorCode> {
        let (room, group_info, rows): Saved =
            rmp_serde::from_slice(bytes).map_err(|_| ErrorCode::Internal)?;
        let rows: Rows = rows.into_iter().map(|(key, value)| (key, value.into())).collect();
        let room = RoomId::new(room);
        let provider = Provider::with_store(Store::load(rows));
        let id = openmls::prelude::GroupId::from_slice(room.as_bytes());
        let group =
            PublicGroup::load(provider.store(), &id).map_err(fault::damaged)?.ok_or(ErrorCode::Internal)?;
        Self::of_group(room, provider, group, group_info.into())
    }

    fn of_group(
        room: RoomId,
        provider: Provider,
        group: PublicGroup,
        group_info: Bytes,
    ) -> Result<Self, ErrorCode> {
        let state = suite::room_state(&room, group.group_context().extensions())?;
        let queued = group.queued_proposals(provider.store()).map_err(fault::damaged)?;
        let leaving = queued.iter().filter_map(|(_, proposal)| delta::leaver(proposal).ok()).collect();
        Ok(Self { room, state, group_info, provider, group, leaving, staged: None })
    }

    /// Everything, as one value. To be stored in the transaction that stores what was merged; after a
    /// failed one, load the stored value again.
    #[must_use]
    pub fn save(&self) -> Bytes {
        let rows = self.provider.store().rows();
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            rows.into_iter().map(|(key, value)| (key, value.to_vec())).collect();
        let value = (self.room.as_bytes(), self.group_info.as_ref(), rows);
        // Bytes and lists of them can always be encoded.
        rmp_serde::to_vec(&value).map(Bytes::from).unwrap_or_default()
    }

    /// Checks a commit and holds it until [`Observer::merge`] or [`Observer::discard`].
    ///
    /// # Errors
    /// `StaleEpoch` if it is not of the current epoch; `Forbidden` if the sender has no leaf;
    /// `Conflict` if a proposed leave is not carried out, or two leaves would be of one device;
    /// `BadSignature`; `Malformed`, `TooLarge`, `Unsupported`; `Malformed` too if Welcome or `GroupInfo` do
    /// not belong to it.
    pub fn check_commit(&mut self, body: &[u8], extras: &CommitExtras) -> Result<Observed, ErrorCode> {
        self.check(body, Some(extras))
    }

    /// As [`Observer::check_commit`], of a commit that this hub has ordered before: Welcome and
    /// `GroupInfo` are not in the log. Until the next commit there is no `GroupInfo` to rejoin by.
    ///
    /// # Errors
    /// As [`Observer::check_commit`].
    pub fn check_ordered(&mut self, body: &[u8]) -> Result<Observed, ErrorCode> {
        self.check(body, None)
    }

    fn check(&mut self, body: &[u8], extras: Option<&CommitExtras>) -> Result<Observed, ErrorCode> {
        self.staged = None;
        let (framing, message) = self.open(EventKind::Commit, body)?;
        let tag = confirmation_tag(&message)?;
        let processed = self
            .group
            .process_message(self.provider.crypto(), message)
            .map_err(|error| fault::public_process(&error))?;
        let sender = processed.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(ErrorCode::Malformed);
        };
        let delta = delta::read(&self.room, &self.group, &staged, &sender, &self.leaving)?;
        let signer = delta.updated.as_ref().unwrap_or(&delta.committer);
        if let Some(extras) = extras {
            check_group_info(&extras.group_info, staged.group_context(), &tag, signer)?;
            check_welcome(&extras.welcome, staged.as_ref(), self.provider.crypto())?;
        }
        let group_info = extras.map(|extras| extras.group_info.clone()).unwrap_or_default();
        self.staged = Some(Staged::Commit(staged, group_info, delta.state.clone()));
        Ok(Observed {
            committer: delta.committer,
            binding: framing.binding,
            added: delta.added,
            removed: delta.removed,
            updated: delta.updated,
            state: delta.state,
            epoch_after: delta.epoch_after,
            rejoined: delta.rejoined,
        })
    }

    /// Checks a proposal and holds it until [`Observer::merge`] or [`Observer::discard`].
    ///
    /// # Errors
    /// `Forbidden` if it is anything but a device's own departure; `Conflict` if that is proposed
    /// already; else as [`Observer::check_commit`].
    pub fn check_proposal(&mut self, body: &[u8]) -> Result<ObservedProposal, ErrorCode> {
        self.staged = None;
        let (framing, message) = self.open(EventKind::Proposal, body)?;
        let processed = self
            .group
            .process_message(self.provider.crypto(), message)
            .map_err(|error| fault::public_process(&error))?;
        let ProcessedMessageContent::ProposalMessage(proposal) = processed.into_content() else {
            return Err(ErrorCode::Forbidden);
        };
        let index = delta::leaver(&proposal)?;
        if self.leaving.contains(&index) {
            return Err(ErrorCode::Conflict);
        }
        let proposer = delta::leaf(&self.group, index)?;
        self.staged = Some(Staged::Proposal(proposal, index, Bytes::copy_from_slice(body)));
        Ok(ObservedProposal { proposer, binding: framing.binding })
    }

    /// Takes over what was checked last.
    ///
    /// # Errors
    /// `NotFound` if nothing was.
    pub fn merge(&mut self) -> Result<(), ErrorCode> {
        match self.staged.take().ok_or(ErrorCode::NotFound)? {
            Staged::Commit(staged, group_info, state) => {
                self.group.merge_commit(self.provider.store(), *staged).map_err(|_| ErrorCode::Internal)?;
                self.leaving.clear();
                self.provider.store().forget(row::DEPARTURE);
                self.group_info = group_info;
                self.state = state;
            }
            Staged::Proposal(proposal, index, body) => {
                let store = self.provider.store();
                self.group.add_proposal(store, *proposal).map_err(fault::damaged)?;
                store.put(departure(index), body.as_ref()).map_err(fault::damaged)?;
                self.leaving.insert(index);
            }
        }
        Ok(())
    }

    /// Forgets what was checked last.
    pub fn discard(&mut self) {
        self.staged = None;
    }

    /// The tree, as a joiner needs it.
    ///
    /// # Errors
    /// `TooLarge`, `Internal`.
    pub fn ratchet_tree(&self) -> Result<Bytes, ErrorCode> {
        let tree = self.group.export_ratchet_tree();
        let bytes = tree.tls_serialize_detached().map_err(|_| ErrorCode::Internal)?;
        if bytes.len() > limits::RATCHET_TREE_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        Ok(bytes.into())
    }

    /// The newest `MLSMessage(GroupInfo)` that was checked, for a device that has to rejoin.
    #[must_use]
    pub fn group_info(&self) -> Bytes {
        self.group_info.clone()
    }

    /// What a device that has to rejoin is shown: tree, the newest `GroupInfo` that was checked, and the
    /// departures of this epoch, which its commit carries out.
    ///
    /// # Errors
    /// `Unavailable` if there is no `GroupInfo` until the next commit; `Conflict` if not all departures
    /// are kept, or they are more than `DEPARTURES_BYTES_MAX`; `TooLarge`, `Internal`.
    pub fn shown(&self) -> Result<GroupState, ErrorCode> {
        if self.group_info.is_empty() {
            return Err(ErrorCode::Unavailable);
        }
        let kept: Vec<Vec<u8>> = self.provider.store().all(row::DEPARTURE).map_err(fault::damaged)?;
        let bytes: usize = kept.iter().map(Vec::len).sum();
        if kept.len() != self.leaving.len() || bytes > limits::DEPARTURES_BYTES_MAX {
            return Err(ErrorCode::Conflict);
        }
        Ok(GroupState {
            group_info: self.group_info.clone(),
            ratchet_tree: self.ratchet_tree()?,
            departures: kept.into_iter().map(Bytes::from).collect(),
        })
    }

    /// The room.
    #[must_use]
    pub const fn room(&self) -> &RoomId {
        &self.room
    }

    /// The group's epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.group.group_context().epoch().as_u64()
    }

    /// The tree hash: two views of one epoch have the same.
    #[must_use]
    pub fn tree_hash(&self) -> Vec<u8> {
        self.group.group_context().tree_hash().to_vec()
    }

    /// The room state.
    #[must_use]
    pub const fn state(&self) -> &RoomState {
        &self.state
    }

    /// All leaves, ascending by index.
    #[must_use]
    pub fn leaves(&self) -> Vec<Leaf> {
        delta::leaves(&self.group)
    }

    /// The leaves whose departure was ordered in this epoch and not yet committed.
    #[must_use]
    pub fn leaving(&self) -> Vec<Leaf> {
        delta::chosen(&self.group, &self.leaving)
    }

    fn open(&self, kind: EventKind, body: &[u8]) -> Result<(Framing, ProtocolMessage), ErrorCode> {
        let (framing, message) = framing::open(kind, body)?;
        if framing.room != self.room {
            return Err(ErrorCode::Malformed);
        }
        // [MLS-18]
        if framing.epoch != self.epoch() {
            return Err(ErrorCode::StaleEpoch);
        }
        Ok((framing, message))
    }
}

fn departure(index: u32) -> Vec<u8> {
    [[row::DEPARTURE].as_slice(), &index.to_be_bytes()].concat()
}

// Room, group info, rows.
type Saved = ([u8; 32], Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>);

fn confirmation_tag(message: &ProtocolMessage) -> Result<Vec<u8>, ErrorCode> {
    let ProtocolMessage::PublicMessage(message) = message else { return Err(ErrorCode::Malformed) };
    let tag = message.confirmation_tag().ok_or(ErrorCode::Malformed)?;
    tag.tls_serialize_detached().map_err(|_| ErrorCode::Internal)
}

// [MLS-19] The GroupInfo is of exactly the context that the commit leads to, confirmed by the commit's
// tag, without the tree, signed by the committer's new leaf.
fn check_group_info(
    bytes: &[u8],
    context: &GroupContext,
    tag: &[u8],
    signer: &Leaf,
) -> Result<(), ErrorCode> {
    let read = read_group_info(bytes, context)?;
    if read.tag != tag || read.signer != signer.index {
        return Err(ErrorCode::Malformed);
    }
    verify_with_label(&signer.key, "GroupInfoTBS", read.signed, read.signature)
}

/// A GroupInfo that has the form of [MLS-19].
pub(crate) struct GroupInfo<'a> {
    /// The confirmation tag with its length.
    pub(crate) tag: &'a [u8],
    /// The index of the leaf that signed it.
    pub(crate) signer: u32,
    signed: &'a [u8],
    signature: &'a [u8],
}

/// Reads a GroupInfo of this context.
pub(crate) fn read_group_info<'a>(
    bytes: &'a [u8],
    context: &GroupContext,
) -> Result<GroupInfo<'a>, ErrorCode> {
    if bytes.len() > limits::GROUP_INFO_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let mut reader = Reader::new(bytes);
    // MLSMessage: version 1, wire format 4.
    reader.literal(&[0, 1, 0, 4])?;
    let start = reader;
    reader.literal(&context.tls_serialize_detached().map_err(|_| ErrorCode::Internal)?)?;
    external_pub(reader.bytes()?)?;
    let before = reader;
    reader.bytes()?;
    let tag = reader.since(before);
    let signer = reader.u32()?;
    let signed = reader.since(start);
    let signature = reader.bytes()?;
    reader.end()?;
    Ok(GroupInfo { tag, signer, signed, signature })
}

// Exactly one extension: external_pub (4), with a key of 32 bytes.
fn external_pub(extensions: &[u8]) -> Result<(), ErrorCode> {
    let mut reader = Reader::new(extensions);
    reader.literal(&[0, 4])?;
    let mut value = Reader::new(reader.bytes()?);
    reader.end()?;
    let key = value.bytes()?;
    value.end()?;
    (key.len() == 32).then_some(()).ok_or(ErrorCode::Malformed)
}

// [MLS-20] A Welcome for exactly the packages that are added, or none if nobody is.
fn check_welcome(
    bytes: &[u8],
    staged: &StagedCommit,
    crypto: &crate::provider::Crypto,
) -> Result<(), ErrorCode> {
    let added: BTreeSet<Vec<u8>> = staged
        .add_proposals()
        .map(|add| add.add_proposal().key_package().hash_ref(crypto))
        .map(|reference| reference.map(|reference| reference.as_slice().to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| ErrorCode::Internal)?;
    if added.is_empty() {
        return if bytes.is_empty() { Ok(()) } else { Err(ErrorCode::Malformed) };
    }
    let welcome = parse_welcome(bytes)?;
    let targets: Vec<Vec<u8>> =
        welcome.secrets().iter().map(|secrets| secrets.new_member().as_slice().to_vec()).collect();
    let same = targets.len() == added.len() && targets.into_iter().collect::<BTreeSet<_>>() == added;
    same.then_some(()).ok_or(ErrorCode::Malformed)
}

// RFC 9420 section 5.1.2.
fn verify_with_label(
    key: &PublicKey,
    label: &str,
    content: &[u8],
    signature: &[u8],
) -> Result<(), ErrorCode> {
    let label = format!("MLS 1.0 {label}");
    let mut input = Vec::with_capacity(content.len() + 32);
    for part in [label.as_bytes(), content] {
        let part = tls_codec::VLByteSlice(part);
        part.tls_serialize(&mut input).map_err(|_| ErrorCode::Internal)?;
    }
    key.verify(&input, signature)
}
