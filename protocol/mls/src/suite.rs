//! The options of MLS that every room has, and the extensions that are Comity's own.

use openmls::prelude::{
    Capabilities, Ciphersuite, CredentialType, Extension, ExtensionType, Extensions, GroupContext, Lifetime,
    MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProposalType, ProtocolVersion,
    RequiredCapabilitiesExtension, SenderRatchetConfiguration, UnknownExtension,
};
use prost::Message as _;
use wire::{ErrorCode, RoomId, limits, proto::RoomState};

/// [MLS-1] X25519, ChaCha20-Poly1305, SHA-256, Ed25519.
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
/// The suite's number in RFC 9420.
pub(crate) const SUITE_NUMBER: u16 = 0x0003;
/// [MLS-10] The group context extension that carries the room state.
pub(crate) const ROOM_STATE: u16 = 0xF0C0;
/// [MLS-21] The key package extension that says when it may be used.
pub(crate) const KEY_PACKAGE_VALIDITY: u16 = 0xF0C1;

const EXTENSIONS: [ExtensionType; 3] = [
    ExtensionType::Unknown(ROOM_STATE),
    ExtensionType::Unknown(KEY_PACKAGE_VALIDITY),
    ExtensionType::LastResort,
];

/// [MLS-5] What every leaf declares.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&EXTENSIONS),
        Some(&[ProposalType::SelfRemove]),
        Some(&[CredentialType::Basic]),
    )
}

/// Whether a leaf declares at least that.
pub(crate) fn suffices(declared: &Capabilities) -> bool {
    let own = capabilities();
    own.versions().iter().all(|version| declared.versions().contains(version))
        && own.ciphersuites().iter().all(|suite| declared.ciphersuites().contains(suite))
        && own.extensions().iter().all(|extension| declared.extensions().contains(extension))
        && own.proposals().iter().all(|proposal| declared.proposals().contains(proposal))
        && own.credentials().iter().all(|credential| declared.credentials().contains(credential))
}

// [MLS-11]
fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(ROOM_STATE)],
        &[ProposalType::SelfRemove],
        &[CredentialType::Basic],
    )
}

/// [MLS-22] All of time: whether a key package is expired is nothing that a member may decide while
/// it applies a commit, for members apply it at different times.
pub(crate) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// The group context extensions of a room with this state.
pub(crate) fn group_context(state: &RoomState) -> Result<Extensions<GroupContext>, ErrorCode> {
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required()),
        Extension::Unknown(ROOM_STATE, UnknownExtension(state.encode_to_vec())),
    ])
    .map_err(|_| ErrorCode::Internal)
}

/// The room state in a group context, which must have exactly the two extensions of [MLS-10] and
/// [MLS-11].
pub(crate) fn room_state(
    room: &RoomId,
    extensions: &Extensions<GroupContext>,
) -> Result<RoomState, ErrorCode> {
    if extensions.iter().count() != 2 || extensions.required_capabilities() != Some(&required()) {
        return Err(ErrorCode::Unsupported);
    }
    let bytes = &extensions.unknown(ROOM_STATE).ok_or(ErrorCode::Unsupported)?.0;
    let state = RoomState::decode(bytes.as_slice()).map_err(|_| ErrorCode::Malformed)?;
    if state.encode_to_vec() != *bytes || state.room.as_ref() != room.as_bytes() {
        return Err(ErrorCode::Malformed);
    }
    Ok(state)
}

/// [MLS-2], [MLS-3], [MLS-4]: how this device takes part in a group.
pub(crate) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(0)
        .max_past_epochs(limits::PAST_EPOCHS_KEPT)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(sender_ratchet())
        .build()
}

pub(crate) fn sender_ratchet() -> SenderRatchetConfiguration {
    let bound = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
    SenderRatchetConfiguration::new(
        bound(limits::OUT_OF_ORDER_TOLERANCE),
        bound(limits::FORWARD_DISTANCE_MAX),
    )
}
