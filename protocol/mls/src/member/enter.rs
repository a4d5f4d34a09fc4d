//! The three ways into a group: founding it, a Welcome, and an external commit by a device that lost
//! its way.

use bytes::Bytes;
use machine::Entropy;
use openmls::prelude::{
    GroupId, LeafNodeIndex, LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn,
    OpenMlsProvider as _, ProtocolMessage, PublicMessageIn, RatchetTreeIn, Sender, StagedWelcome,
    group_info::VerifiableGroupInfo,
};
use sha2::{Digest as _, Sha256};
use tls_codec::{Deserialize as _, Serialize as _};
use wire::{
    ErrorCode, RoomId, limits,
    proto::{EventKind, GroupState, MessageBinding, RoomFounding, RoomState},
};

use super::{CommitBundle, Member, commit::bundle};
use crate::{
    DeviceKeys, Leaf, Rows, delta, fault,
    framing::{self, Framing, authenticated_data},
    key_package::parse_welcome,
    provider::{DeviceSigner, Provider},
    store::{Store, row},
    suite,
};

/// What a device is given to join with.
#[derive(Clone, Copy, Debug)]
pub struct Entrance<'a> {
    /// The commit that adds the device: the body of the event.
    pub commit: &'a [u8],
    /// `MLSMessage(Welcome)`.
    pub welcome: &'a [u8],
    /// The tree after the commit.
    pub ratchet_tree: &'a [u8],
}

/// A device that has joined, and by whose hand.
pub struct Joined {
    /// The new member.
    pub member: Member,
    /// The leaf that made commit and Welcome, as it is afterwards. To be checked with
    /// `identity::check_leaf`.
    pub committer: Leaf,
    /// The epoch in which the commit was made.
    pub epoch: u64,
    /// Where the commit belongs.
    pub binding: MessageBinding,
}

impl Member {
    /// Founds a room with this device as the only member, in epoch 0.
    ///
    /// # Errors
    /// `Malformed` if `state.room` is no room id.
    pub fn found(
        keys: &DeviceKeys,
        state: &RoomState,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, RoomFounding), ErrorCode> {
        let room = RoomId::try_from(state.room.as_ref())?;
        let provider = Provider::default();
        provider.seed(entropy);
        let signer = DeviceSigner(&keys.secret);
        let group = MlsGroup::builder()
            .with_group_id(GroupId::from_slice(room.as_bytes()))
            .with_wire_format_policy(openmls::prelude::PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .padding_size(0)
            .max_past_epochs(limits::PAST_EPOCHS_KEPT)
            .number_of_resumption_psks(0)
            .use_ratchet_tree_extension(false)
            .sender_ratchet_configuration(suite::sender_ratchet())
            .lifetime(suite::lifetime())
            .ciphersuite(suite::SUITE)
            .with_capabilities(suite::capabilities())
            .with_group_context_extensions(suite::group_context(state)?)
            .build(&provider, &signer, keys.credential())
            .map_err(|_| ErrorCode::Internal)?;
        let info =
            group.export_group_info(provider.crypto(), &signer, false).map_err(|_| ErrorCode::Internal)?;
        let founding = RoomFounding {
            group_info: info.to_bytes().map_err(|_| ErrorCode::Internal)?.into(),
            ratchet_tree: tree_bytes(&group)?,
        };
        provider.unseed();
        Ok((Self::of_group(keys, room, provider, group)?, founding))
    }

    /// Joins by a Welcome, which must lead into the very epoch that the commit begins. `key_package`
    /// are the rows of the package that it names.
    ///
    /// # Errors
    /// `NotFound` if the Welcome is not for this package; `Malformed`, `TooLarge`, `Unsupported`,
    /// `BadSignature` if the commit, the Welcome or the tree is, or commit and Welcome do not belong
    /// together; `Conflict` if two leaves are of one device.
    pub fn join(keys: &DeviceKeys, entrance: &Entrance<'_>, key_package: &Rows) -> Result<Joined, ErrorCode> {
        let (framing, commit) = framing::open(EventKind::Commit, entrance.commit)?;
        let welcome = parse_welcome(entrance.welcome)?;
        let tree = parse_tree(entrance.ratchet_tree)?;
        let provider = Provider::with_store(Store::load(key_package.clone()));
        let builder = StagedWelcome::build_from_welcome(&provider, &suite::join_config(), welcome)
            .map_err(|error| fault::welcome(&error))?
            .with_ratchet_tree(tree);
        let staged = builder.build().map_err(|error| fault::welcome(&error))?;
        let room = RoomId::try_from(staged.group_context().group_id().as_slice())?;
        let author = staged.welcome_sender_index();
        let group = staged.into_group(&provider).map_err(|error| fault::welcome(&error))?;
        delta::check_tree(group.public_group())?;
        check_commit(&group, &room, author, (&framing, &commit))?;
        let committer = delta::leaf(group.public_group(), author.u32())?;
        // The package is not part of the room; whoever keeps it decides when it goes.
        provider.store().forget(row::KEY_PACKAGE);
        let member = Self::of_group(keys, room, provider, group)?;
        Ok(Joined { member, committer, epoch: framing.epoch, binding: framing.binding })
    }

    /// Makes an external commit that replaces this device's own leaf and carries out the departures that
    /// are open, for a device that can process the room's log no further. `old` are the stored rows of
    /// the room; they are replaced. `shown` is what the hub shows of the group.
    ///
    /// The new member is of use only once the commit has come back and was merged. If it loses the
    /// race, drop it and begin again from the rows that were stored before.
    ///
    /// # Errors
    /// `NotFound` if this device has no leaf in the tree; else as [`Member::join`].
    pub fn rejoin(
        keys: &DeviceKeys,
        old: Rows,
        shown: &GroupState,
        binding: &MessageBinding,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, CommitBundle), ErrorCode> {
        let info = parse_group_info(&shown.group_info)?;
        let room = RoomId::try_from(info.group_id().as_slice())?;
        let data = authenticated_data(&room, binding)?;
        let tree = parse_tree(&shown.ratchet_tree)?;
        let departures = parse_departures(&shown.departures)?;
        let epoch = info.epoch().as_u64();
        let own = keys.secret.public();
        let mut known = tree.leaves();
        if !known.any(|leaf| leaf.signature_key().as_slice() == own.as_bytes()) {
            return Err(ErrorCode::NotFound);
        }
        drop(known);
        let provider = Provider::with_store(Store::load(old));
        provider.store().clear();
        provider.seed(entropy);
        let builder = MlsGroup::external_commit_builder()
            .with_ratchet_tree(tree)
            .with_config(suite::join_config())
            .with_proposals(departures)
            .with_aad(data)
            .build_group(&provider, info, keys.credential())
            .map_err(|_| ErrorCode::Malformed)?;
        let leaf = LeafNodeParameters::builder().with_capabilities(suite::capabilities()).build();
        let (group, commit) = builder
            .leaf_node_parameters(leaf)
            .load_psks(provider.storage())
            .map_err(|error| fault::create_commit(&error))?
            .create_group_info(true)
            .build(provider.rand(), provider.crypto(), &DeviceSigner(&keys.secret), |_| true)
            .map_err(|error| fault::create_commit(&error))?
            .finalize(&provider)
            .map_err(|_| ErrorCode::Internal)?;
        provider.unseed();
        delta::check_tree(group.public_group())?;
        let bundle = bundle(epoch, commit)?;
        let mut member = Self::of_group(keys, room, provider, group)?;
        let hash: [u8; 32] = Sha256::digest(&bundle.commit).into();
        member.provider.store().put(vec![row::REJOIN], &hash).map_err(fault::damaged)?;
        member.rejoin = Some(hash);
        Ok((member, bundle))
    }
}

// [MLS-23] A joiner cannot verify the commit, which is of an epoch that it does not know. But the
// confirmation tag proves that whoever made the commit had the secrets of the Welcome's epoch.
fn check_commit(
    group: &MlsGroup,
    room: &RoomId,
    author: LeafNodeIndex,
    (framing, commit): (&Framing, &ProtocolMessage),
) -> Result<(), ErrorCode> {
    let ProtocolMessage::PublicMessage(commit) = commit else { return Err(ErrorCode::Malformed) };
    let follows = Some(group.epoch().as_u64()) == framing.epoch.checked_add(1);
    if framing.room != *room || !follows || *commit.sender() != Sender::Member(author) {
        return Err(ErrorCode::Malformed);
    }
    let confirmed = commit.confirmation_tag() == Some(group.confirmation_tag());
    confirmed.then_some(()).ok_or(ErrorCode::BadSignature)
}

pub(crate) fn parse_tree(bytes: &[u8]) -> Result<RatchetTreeIn, ErrorCode> {
    if bytes.len() > limits::RATCHET_TREE_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    RatchetTreeIn::tls_deserialize_exact(bytes).map_err(|_| ErrorCode::Malformed)
}

// Who leaves has signed it, which OpenMLS verifies; that nothing but departures is among them, and
// that none is missing, hub and members see of the commit ([MLS-14], [MLS-17]).
fn parse_departures(bodies: &[Bytes]) -> Result<Vec<PublicMessageIn>, ErrorCode> {
    if bodies.iter().map(Bytes::len).sum::<usize>() > limits::DEPARTURES_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let open = |body: &Bytes| match framing::open(EventKind::Proposal, body)? {
        (_, ProtocolMessage::PublicMessage(message)) => Ok(*message),
        _ => Err(ErrorCode::Malformed),
    };
    bodies.iter().map(open).collect()
}

pub(crate) fn parse_group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, ErrorCode> {
    if bytes.len() > limits::GROUP_INFO_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let message = MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| ErrorCode::Malformed)?;
    match message.extract() {
        MlsMessageBodyIn::GroupInfo(info) if info.ciphersuite() == suite::SUITE => Ok(info),
        MlsMessageBodyIn::GroupInfo(_) => Err(ErrorCode::Unsupported),
        _ => Err(ErrorCode::Malformed),
    }
}

fn tree_bytes(group: &MlsGroup) -> Result<Bytes, ErrorCode> {
    let tree = group.export_ratchet_tree().tls_serialize_detached();
    tree.map(Bytes::from).map_err(|_| ErrorCode::Internal)
}
