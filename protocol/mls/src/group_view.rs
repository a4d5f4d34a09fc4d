//! A group as a hub shows it to a device that has to come back into it: nothing in it is secret, and
//! all of it is signed by somebody. What that proves is for the device to judge.

use openmls::prelude::{OpenMlsProvider as _, ProposalStore, ProtocolMessage, PublicGroup};
use tls_codec::Serialize as _;
use wire::{
    ErrorCode, RoomId,
    proto::{EventKind, RoomState},
};

use crate::{
    Leaf, delta, fault, framing,
    member::{parse_group_info, parse_tree},
    observer::read_group_info,
    provider::Provider,
    suite,
};

/// A `GroupInfo` and its tree, whose signatures and hashes hold.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// The group id.
    pub room: RoomId,
    /// The epoch.
    pub epoch: u64,
    /// Its confirmation tag: that of the commit that led here.
    pub confirmed: Vec<u8>,
    /// The room state.
    pub state: RoomState,
    /// All leaves, ascending by index. Whose they are is for `identity::check_leaf`.
    pub leaves: Vec<Leaf>,
    /// The leaf that signed the `GroupInfo`.
    pub signer: Leaf,
}

impl GroupView {
    /// Reads what a hub shows.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, `Unsupported`, `BadSignature`; `Conflict` if two leaves are of one device.
    pub fn read(group_info: &[u8], ratchet_tree: &[u8]) -> Result<Self, ErrorCode> {
        let info = parse_group_info(group_info)?;
        let tree = parse_tree(ratchet_tree)?;
        let room = RoomId::try_from(info.group_id().as_slice())?;
        let provider = Provider::default();
        let (group, _) =
            PublicGroup::from_external(provider.crypto(), provider.store(), tree, info, ProposalStore::new())
                .map_err(|error| fault::external(&error))?;
        delta::check_tree(&group)?;
        let context = group.group_context();
        let read = read_group_info(group_info, context)?;
        Ok(Self {
            room,
            epoch: context.epoch().as_u64(),
            confirmed: read.tag.to_vec(),
            state: suite::room_state(&room, context.extensions())?,
            leaves: delta::leaves(&group),
            signer: delta::leaf(&group, read.signer)?,
        })
    }
}

/// What a commit that cannot be followed still says: the epoch in which it was made, and its
/// confirmation tag.
///
/// # Errors
/// As `framing` of a commit.
pub fn confirmation(body: &[u8]) -> Result<(u64, Vec<u8>), ErrorCode> {
    let (framing, message) = framing::open(EventKind::Commit, body)?;
    let ProtocolMessage::PublicMessage(message) = message else { return Err(ErrorCode::Malformed) };
    let tag = message.confirmation_tag().ok_or(ErrorCode::Malformed)?;
    let tag = tag.tls_serialize_detached().map_err(|_| ErrorCode::Internal)?;
    Ok((framing.epoch, tag))
}
