//! Commits and groups that are valid MLS and break the rules of a room: made by OpenMLS alone, without
//! the code under test, and refused by hub and members with the same name.

use mls::{Change, Observer, Processed, check_key_package};
use openmls::prelude::{
    BasicCredential, Capabilities, CommitBuilder, CredentialWithKey, Extension, ExtensionType, Extensions,
    GroupContext, GroupId, Initial, KeyPackage, LeafNode, LeafNodeParameters, Lifetime, MlsGroup,
    MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, NewSignerBundle, OpenMlsProvider as _,
    PURE_PLAINTEXT_WIRE_FORMAT_POLICY, PreSharedKeyProposal, Proposal, ProposalType, RatchetTreeIn,
    RequiredCapabilitiesExtension, StagedWelcome, UnknownExtension, group_info::VerifiableGroupInfo,
};
use openmls::schedule::PreSharedKeyId;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::{
    signatures::{Signer, SignerError},
    types::{Ciphersuite, SignatureScheme},
};
use prost::Message as _;
use tls_codec::{Deserialize as _, Serialize as _};
use wire::{
    ErrorCode,
    proto::{CommitExtras, EventKind, RoomFounding, RoomState},
};

use crate::world::{NOW, World, keys, state};

const ALICE: &str = "alice@acme.test";
const BOB: &str = "bob@umbrella.test";
const MALLORY: &str = "mallory@umbrella.test";
const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
const ROOM_STATE: u16 = 0xF0C0;
const VALIDITY: u16 = 0xF0C1;

type Building<'a> = CommitBuilder<'a, Initial, &'a mut MlsGroup>;

struct Key(wire::SecretKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

fn credential(keys: &mls::DeviceKeys) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(keys.identity().encode_to_vec()).into(),
        signature_key: keys.secret.public().as_bytes().as_slice().into(),
    }
}

fn capabilities(extensions: &[ExtensionType]) -> Capabilities {
    let types = [ProposalType::SelfRemove, ProposalType::Custom(0xF0CC)];
    Capabilities::new(None, Some(&[SUITE]), Some(extensions), Some(&types), None)
}

fn all() -> Capabilities {
    capabilities(&[
        ExtensionType::Unknown(ROOM_STATE),
        ExtensionType::Unknown(VALIDITY),
        ExtensionType::Unknown(0xF0CE),
        ExtensionType::LastResort,
    ])
}

fn required(proposals: &[ProposalType]) -> Extension {
    Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(ROOM_STATE)],
        proposals,
        &[openmls::prelude::CredentialType::Basic],
    ))
}

fn room_state(state: &RoomState) -> Extension {
    Extension::Unknown(ROOM_STATE, UnknownExtension(state.encode_to_vec()))
}

/// An extension of a leaf that nobody knows, although the leaf says that it does.
fn baggage(bytes: usize) -> Extensions<LeafNode> {
    Extensions::single(Extension::Unknown(0xF0CE, UnknownExtension(vec![7; bytes]))).unwrap()
}

fn bytes(message: &MlsMessageOut) -> bytes::Bytes {
    message.to_bytes().unwrap().into()
}

/// What a package of the rogue may get wrong.
struct Package {
    lifetime: Lifetime,
    validity: Vec<u8>,
    capabilities: Capabilities,
    suite: Ciphersuite,
    /// An unknown extension of the leaf.
    baggage: Option<usize>,
}

impl Package {
    fn good() -> Self {
        let validity = [NOW.as_s().to_be_bytes(), (NOW.as_s() + 3_600).to_be_bytes()].concat();
        let lifetime = Lifetime::init(0, u64::MAX);
        Self { lifetime, validity, capabilities: all(), suite: SUITE, baggage: None }
    }

    fn make(self, provider: &OpenMlsRustCrypto, keys: &mls::DeviceKeys) -> bytes::Bytes {
        let validity = Extension::Unknown(VALIDITY, UnknownExtension(self.validity));
        let package = KeyPackage::builder()
            .key_package_lifetime(self.lifetime)
            .key_package_extensions(Extensions::single(validity).unwrap())
            .leaf_node_capabilities(self.capabilities)
            .leaf_node_extensions(self.baggage.map(baggage).unwrap_or_default())
            .build(self.suite, provider, &Key(keys.secret.clone()), credential(keys))
            .unwrap();
        bytes(&MlsMessageOut::from(package.key_package().clone()))
    }
}

/// A room of alice, bob, and mallory, whose client is OpenMLS without rules.
struct Rogue {
    world: World,
    provider: OpenMlsRustCrypto,
    keys: mls::DeviceKeys,
    group: MlsGroup,
}

impl Rogue {
    fn new(seed: u64) -> Self {
        let mut world = World::with(&[ALICE, BOB], seed);
        let provider = OpenMlsRustCrypto::default();
        let own = keys(MALLORY, 1);
        let package = Package::good().make(&provider, &own);
        check_key_package(&package, NOW).unwrap();
        let bundle = world.commit(ALICE, &Change { add: vec![package], ..Change::default() }).unwrap();
        let seen = world.order(&bundle).unwrap();
        world.deliver(&bundle.commit, &seen);
        let message = MlsMessageIn::tls_deserialize_exact(&bundle.welcome).unwrap();
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { panic!("no Welcome") };
        let config =
            MlsGroupJoinConfig::builder().wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY).build();
        let staged = StagedWelcome::build_from_welcome(&provider, &config, welcome)
            .unwrap()
            .with_ratchet_tree(tree(&world))
            .build()
            .unwrap();
        let group = staged.into_group(&provider).unwrap();
        Self { world, provider, keys: own, group }
    }

    fn data(&mut self) -> Vec<u8> {
        self.world.binding().encode_to_vec()
    }

    /// Commits with what `with` puts into the builder, under a good binding.
    fn commit(
        &mut self,
        path: bool,
        with: impl for<'a> FnOnce(Building<'a>) -> Building<'a>,
    ) -> (bytes::Bytes, CommitExtras) {
        let data = self.data();
        self.group.set_aad(data);
        let builder = with(self.group.commit_builder().force_self_update(path));
        let bundle = builder
            .load_psks(self.provider.storage())
            .unwrap()
            .create_group_info(true)
            .build(self.provider.rand(), self.provider.crypto(), &Key(self.keys.secret.clone()), |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        let (commit, welcome, info) = bundle.into_messages();
        let extras = CommitExtras {
            welcome: welcome.map(|welcome| bytes(&welcome)).unwrap_or_default(),
            group_info: info.map(|info| bytes(&info)).unwrap_or_default(),
        };
        (bytes(&commit), extras)
    }

    /// Hub and members refuse it by the same name.
    fn refused(&mut self, commit: &[u8], extras: &CommitExtras) -> ErrorCode {
        let hub = self.world.observer.check_commit(commit, extras).unwrap_err();
        for name in [ALICE, BOB] {
            let member = self.world.device(name).member.process(EventKind::Commit, commit);
            assert_eq!(member.unwrap_err(), hub, "{name}");
        }
        self.group.clear_pending_commit(self.provider.storage()).unwrap();
        hub
    }
}

fn tree(world: &World) -> RatchetTreeIn {
    RatchetTreeIn::tls_deserialize_exact(world.observer.ratchet_tree().unwrap()).unwrap()
}

fn group_info(world: &World) -> VerifiableGroupInfo {
    let message = MlsMessageIn::tls_deserialize_exact(world.observer.group_info()).unwrap();
    let MlsMessageBodyIn::GroupInfo(info) = message.extract() else { panic!("no GroupInfo") };
    info
}

#[test]
fn a_good_commit_of_the_rogue_is_followed() {
    let mut rogue = Rogue::new(61);
    let (commit, extras) = rogue.commit(true, |builder| builder);
    let seen = rogue.world.observer.check_commit(&commit, &extras).unwrap();
    assert_eq!(seen.committer.account.as_str(), MALLORY);
    let processed = rogue.world.device(BOB).member.process(EventKind::Commit, &commit).unwrap();
    assert!(matches!(processed, Processed::Commit(_)));
}

// [MLS-13]
#[test]
fn a_commit_without_a_path() {
    let mut rogue = Rogue::new(62);
    let provider = OpenMlsRustCrypto::default();
    let package = Package::good().make(&provider, &keys("new@acme.test", 1));
    let (commit, extras) = rogue.commit(false, |builder| builder.propose_adds([parse(&package)]));
    assert_eq!(rogue.refused(&commit, &extras), ErrorCode::Malformed);
}

// [MLS-14]
#[test]
fn a_proposal_that_a_room_does_not_know() {
    let mut rogue = Rogue::new(63);
    let psk = PreSharedKeyId::external(b"id".to_vec(), vec![3; 32]);
    psk.store(&rogue.provider, b"secret").unwrap();
    let psk = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk)));
    let (commit, extras) = rogue.commit(true, |builder| builder.add_proposal(psk));
    let hub = rogue.world.observer.check_commit(&commit, &extras);
    assert_eq!(hub.unwrap_err(), ErrorCode::Unsupported);
    // A member has no such secret, and needs no rule to refuse it.
    let member = rogue.world.device(BOB).member.process(EventKind::Commit, &commit);
    assert_eq!(member.unwrap_err(), ErrorCode::Malformed);
}

// [MLS-15]
#[test]
fn proposals_for_others_and_of_other_kinds() {
    let mut rogue = Rogue::new(64);
    let signer = Key(rogue.keys.secret.clone());
    let data = rogue.data();
    rogue.group.set_aad(data);
    let (remove, _) = rogue
        .group
        .propose_remove_member(&rogue.provider, &signer, openmls::prelude::LeafNodeIndex::new(0))
        .unwrap();
    let data = rogue.data();
    rogue.group.set_aad(data);
    let (update, _) =
        rogue.group.propose_self_update(&rogue.provider, &signer, LeafNodeParameters::default()).unwrap();
    for proposal in [bytes(&remove), bytes(&update)] {
        let hub = rogue.world.observer.check_proposal(&proposal).unwrap_err();
        let member = rogue.world.device(BOB).member.process(EventKind::Proposal, &proposal).unwrap_err();
        assert_eq!((hub, member), (ErrorCode::Forbidden, ErrorCode::Forbidden));
    }
}

// [MLS-15]
#[test]
fn a_leave_whose_membership_tag_is_wrong_is_carried_out_like_any_other() {
    let mut rogue = Rogue::new(76);
    let signer = Key(rogue.keys.secret.clone());
    let data = rogue.data();
    rogue.group.set_aad(data);
    let leave = rogue.group.leave_group_via_self_remove(&rogue.provider, &signer).unwrap();
    let good = bytes(&leave);
    let mut unsigned = good.to_vec();
    // At the end: the length of the membership tag (1 byte), and the tag (32). Before it the signature.
    let (tag, signature) = (unsigned.len() - 1, unsigned.len() - 40);
    unsigned[signature] ^= 1;
    assert_eq!(rogue.world.observer.check_proposal(&unsigned).unwrap_err(), ErrorCode::BadSignature);
    for name in [ALICE, BOB] {
        let refused = rogue.world.device(name).member.process(EventKind::Proposal, &unsigned);
        assert_eq!(refused.unwrap_err(), ErrorCode::BadSignature);
    }
    let mut untagged = good.to_vec();
    untagged[tag] ^= 1;
    rogue.world.observer.check_proposal(&untagged).unwrap();
    rogue.world.observer.merge().unwrap();
    for name in [ALICE, BOB] {
        let processed = rogue.world.device(name).member.process(EventKind::Proposal, &untagged).unwrap();
        assert!(
            matches!(processed, Processed::Proposal { sender, .. } if sender.account.as_str() == MALLORY)
        );
    }
    rogue.world.run(BOB, &Change::default()).unwrap();
    rogue.world.agree();
    assert_eq!(rogue.world.observer.leaves().len(), 2);
}

// [MLS-8]
#[test]
fn a_second_leaf_of_a_device() {
    let mut rogue = Rogue::new(65);
    // Another key, the same device: to OpenMLS they are two.
    let mut twin = keys(BOB, 1);
    twin.secret = keys("other@acme.test", 9).secret;
    let package = Package::good().make(&OpenMlsRustCrypto::default(), &twin);
    let (commit, extras) = rogue.commit(true, |builder| builder.propose_adds([parse(&package)]));
    assert_eq!(rogue.refused(&commit, &extras), ErrorCode::Conflict);
}

// [MLS-9]
#[test]
fn a_leaf_renewed_into_another_s_name() {
    let mut rogue = Rogue::new(66);
    let victim = keys("victim@acme.test", 1);
    let leaf = CredentialWithKey {
        credential: BasicCredential::new(victim.identity().encode_to_vec()).into(),
        signature_key: rogue.keys.secret.public().as_bytes().as_slice().into(),
    };
    let parameters = LeafNodeParameters::builder().with_credential_with_key(leaf).build();
    let (commit, extras) = rogue.commit(true, |builder| builder.leaf_node_parameters(parameters));
    assert_eq!(rogue.refused(&commit, &extras), ErrorCode::Forbidden);
}

// [MLS-6], [MLS-7]
#[test]
fn a_leaf_whose_identity_is_none() {
    let mut rogue = Rogue::new(67);
    for identity in [Vec::new(), b"mallory".to_vec(), vec![0; 3_000]] {
        let leaf = CredentialWithKey {
            credential: BasicCredential::new(identity).into(),
            signature_key: rogue.keys.secret.public().as_bytes().as_slice().into(),
        };
        let parameters = LeafNodeParameters::builder().with_credential_with_key(leaf).build();
        let (commit, extras) = rogue.commit(true, |builder| builder.leaf_node_parameters(parameters));
        let refused = rogue.refused(&commit, &extras);
        assert!(matches!(refused, ErrorCode::Malformed | ErrorCode::TooLarge), "{refused}");
    }
}

// [MLS-5]
#[test]
fn a_leaf_that_cannot_do_what_a_room_needs() {
    let mut rogue = Rogue::new(68);
    let few = capabilities(&[ExtensionType::Unknown(ROOM_STATE)]);
    let parameters = LeafNodeParameters::builder().with_capabilities(few.clone()).build();
    let (commit, extras) = rogue.commit(true, |builder| builder.leaf_node_parameters(parameters));
    assert_eq!(rogue.refused(&commit, &extras), ErrorCode::Unsupported);
    let weak = KeyPackage::builder()
        .key_package_lifetime(Lifetime::init(0, u64::MAX))
        .leaf_node_capabilities(few)
        .build(SUITE, &rogue.provider, &Key(rogue.keys.secret.clone()), credential(&rogue.keys))
        .unwrap();
    let weak = bytes(&MlsMessageOut::from(weak.key_package().clone()));
    // It has no validity either, for it could not carry the extension.
    assert_eq!(check_key_package(&weak, NOW).unwrap_err(), ErrorCode::Malformed);
}

// [MLS-5]
#[test]
fn a_leaf_that_takes_up_the_space_of_the_others() {
    let mut rogue = Rogue::new(75);
    let renewed = |leaf| LeafNodeParameters::builder().with_capabilities(leaf);
    let types: Vec<ExtensionType> = (0xF100..0xFE00).map(ExtensionType::Unknown).collect();
    let wide = capabilities(&[all().extensions(), &types].concat());
    let leaves = [
        (renewed(all()).with_extensions(baggage(1)), ErrorCode::Unsupported),
        (renewed(all()).with_extensions(baggage(400_000)), ErrorCode::Unsupported),
        (renewed(wide.clone()), ErrorCode::TooLarge),
    ];
    for (leaf, error) in leaves {
        let (commit, extras) = rogue.commit(true, |builder| builder.leaf_node_parameters(leaf.build()));
        assert_eq!(rogue.refused(&commit, &extras), error);
    }
    // Nor does an admin bring one in, whose package no node has seen.
    let provider = OpenMlsRustCrypto::default();
    let other = keys("new@acme.test", 1);
    let long = [0_u64.to_be_bytes(), u64::MAX.to_be_bytes()].concat();
    let packages = [
        (Package { baggage: Some(1), ..Package::good() }, ErrorCode::Unsupported),
        (Package { baggage: Some(400_000), ..Package::good() }, ErrorCode::TooLarge),
        (Package { capabilities: wide, ..Package::good() }, ErrorCode::TooLarge),
        (Package { validity: long, ..Package::good() }, ErrorCode::Malformed),
        (Package { lifetime: Lifetime::init(0, NOW.as_s() + 60), ..Package::good() }, ErrorCode::Malformed),
    ];
    for (package, error) in packages {
        let package = parse(&package.make(&provider, &other));
        let (commit, extras) = rogue.commit(true, |builder| builder.propose_adds([package]));
        assert_eq!(rogue.refused(&commit, &extras), error);
    }
}

// [MLS-10], [MLS-11]
#[test]
fn a_group_context_with_more_or_less_than_a_room_has() {
    let mut rogue = Rogue::new(69);
    let room = rogue.world.room;
    let good = state(room, &[ALICE]);
    let moved = RoomState { room: vec![1; 32].into(), ..good.clone() };
    let usual = || required(&[ProposalType::SelfRemove]);
    let other = || Extension::Unknown(0xF0CE, UnknownExtension(vec![1]));
    let sets = [
        (vec![usual()], ErrorCode::Unsupported),
        (vec![required(&[]), room_state(&good)], ErrorCode::Unsupported),
        (vec![usual(), room_state(&moved)], ErrorCode::Malformed),
        (vec![usual(), Extension::Unknown(ROOM_STATE, UnknownExtension(vec![0xff]))], ErrorCode::Malformed),
    ];
    for (extensions, error) in sets {
        let extensions: Extensions<GroupContext> = Extensions::from_vec(extensions).unwrap();
        let (commit, extras) =
            rogue.commit(true, |builder| builder.propose_group_context_extensions(extensions).unwrap());
        assert_eq!(rogue.refused(&commit, &extras), error);
    }
    let provider = OpenMlsRustCrypto::default();
    for extensions in [vec![usual(), room_state(&good), other()], vec![room_state(&good)]] {
        let extensions: Extensions<GroupContext> = Extensions::from_vec(extensions).unwrap();
        let signer = Key(rogue.keys.secret.clone());
        let group = MlsGroup::builder()
            .with_group_id(GroupId::from_slice(room.as_bytes()))
            .ciphersuite(SUITE)
            .with_capabilities(all())
            .replace_old_group()
            .with_group_context_extensions(extensions)
            .build(&provider, &signer, credential(&rogue.keys))
            .unwrap();
        let info = group.export_group_info(provider.crypto(), &signer, false).unwrap();
        let founding = RoomFounding {
            group_info: bytes(&info),
            ratchet_tree: group.export_ratchet_tree().tls_serialize_detached().unwrap().into(),
        };
        let refused = Observer::found(&founding).map(|_| ()).unwrap_err();
        assert_eq!(refused, ErrorCode::Unsupported);
    }
}

// [MLS-16]
#[test]
fn an_external_commit_of_somebody_who_was_never_there() {
    let mut rogue = Rogue::new(70);
    let provider = OpenMlsRustCrypto::default();
    let stranger = keys("stranger@acme.test", 1);
    let data = rogue.data();
    let parameters = LeafNodeParameters::builder().with_capabilities(all()).build();
    let (_, bundle) = MlsGroup::external_commit_builder()
        .with_ratchet_tree(tree(&rogue.world))
        .with_aad(data)
        .build_group(&provider, group_info(&rogue.world), credential(&stranger))
        .unwrap()
        .leaf_node_parameters(parameters)
        .load_psks(provider.storage())
        .unwrap()
        .create_group_info(true)
        .build(provider.rand(), provider.crypto(), &Key(stranger.secret.clone()), |_| true)
        .unwrap()
        .finalize(&provider)
        .unwrap();
    let (commit, _, info) = bundle.into_messages();
    let extras = CommitExtras { group_info: bytes(&info.unwrap()), ..CommitExtras::default() };
    assert_eq!(rogue.refused(&bytes(&commit), &extras), ErrorCode::Forbidden);
}

// [MLS-9]
#[test]
fn a_leaf_renewed_with_another_key() {
    let mut rogue = Rogue::new(74);
    let mut other = rogue.keys.clone();
    other.secret = keys("other@acme.test", 9).secret;
    let data = rogue.data();
    rogue.group.set_aad(data);
    let old = Key(rogue.keys.secret.clone());
    let new = Key(other.secret.clone());
    let new = NewSignerBundle { signer: &new, credential_with_key: credential(&other) };
    let (commit, _, info) = rogue
        .group
        .commit_builder()
        .load_psks(rogue.provider.storage())
        .unwrap()
        .create_group_info(true)
        .build_with_new_signer(rogue.provider.rand(), rogue.provider.crypto(), &old, new, |_| true)
        .unwrap()
        .stage_commit(&rogue.provider)
        .unwrap()
        .into_messages();
    let extras = CommitExtras { group_info: bytes(&info.unwrap()), ..CommitExtras::default() };
    assert_eq!(rogue.refused(&bytes(&commit), &extras), ErrorCode::Forbidden);
}

// [MLS-12]
#[test]
fn a_commit_bound_to_nothing_or_to_another_room() {
    let mut rogue = Rogue::new(71);
    let other = wire::proto::MessageBinding {
        room: vec![5; 32].into(),
        message_id: vec![1; 16].into(),
        ephemeral: false,
    };
    for data in [Vec::new(), other.encode_to_vec(), vec![1; 40]] {
        rogue.group.set_aad(data);
        let bundle = rogue
            .group
            .self_update(&rogue.provider, &Key(rogue.keys.secret.clone()), LeafNodeParameters::default())
            .unwrap();
        let commit = bytes(bundle.commit());
        assert_eq!(rogue.refused(&commit, &CommitExtras::default()), ErrorCode::Malformed);
    }
}

// [MLS-19]
#[test]
fn a_group_info_that_names_another_signer_than_the_one_who_signed() {
    let mut rogue = Rogue::new(72);
    let (commit, extras) = rogue.commit(true, |builder| builder);
    let good = extras.group_info.to_vec();
    // At the end: the signer (4 bytes), the length of the signature (2), the signature (64).
    let signer = good.len() - 70;
    for index in [0u32, 2] {
        let mut signed = good[..signer].to_vec();
        signed.extend_from_slice(&index.to_be_bytes());
        let mut input = Vec::new();
        for part in [b"MLS 1.0 GroupInfoTBS".as_slice(), &signed[4..]] {
            tls_codec::VLByteSlice(part).tls_serialize(&mut input).unwrap();
        }
        let signature = rogue.keys.secret.sign(&input);
        let forged = [signed.as_slice(), &[0x40, 64], &signature].concat();
        let same = forged == good;
        let extras = CommitExtras { group_info: forged.into(), ..extras.clone() };
        let checked = rogue.world.observer.check_commit(&commit, &extras).map(|_| ());
        // Index 2 is the rogue's own: then these are the bytes that it made in the first place.
        assert_eq!(
            (checked, same),
            if index == 2 { (Ok(()), true) } else { (Err(ErrorCode::Malformed), false) }
        );
    }
}

// [MLS-1], [MLS-21], [MLS-22]
#[test]
fn key_packages_that_are_valid_mls_and_not_ours() {
    let provider = OpenMlsRustCrypto::default();
    let own = keys(MALLORY, 1);
    let now = NOW.as_s();
    let span = |from: u64, to: u64| [from.to_be_bytes(), to.to_be_bytes()].concat();
    let other_suite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    let both = Capabilities::new(
        None,
        Some(&[SUITE, other_suite]),
        Some(&[ExtensionType::Unknown(VALIDITY)]),
        None,
        None,
    );
    let rows = [
        (Package { lifetime: Lifetime::init(0, now + 60), ..Package::good() }, ErrorCode::Malformed),
        (Package { lifetime: Lifetime::init(1, u64::MAX), ..Package::good() }, ErrorCode::Malformed),
        (Package { validity: span(now + 1, now), ..Package::good() }, ErrorCode::Malformed),
        (Package { validity: span(now, now), ..Package::good() }, ErrorCode::Malformed),
        (Package { validity: span(0, u64::MAX), ..Package::good() }, ErrorCode::Malformed),
        (Package { validity: vec![1; 15], ..Package::good() }, ErrorCode::Malformed),
        (Package { validity: span(now - 60, now), ..Package::good() }, ErrorCode::Expired),
        (Package { validity: span(now + 1, now + 60), ..Package::good() }, ErrorCode::ClockSkew),
        (Package { suite: other_suite, capabilities: both, ..Package::good() }, ErrorCode::Unsupported),
    ];
    for (row, (package, error)) in rows.into_iter().enumerate() {
        let package = package.make(&provider, &own);
        assert_eq!(check_key_package(&package, NOW).unwrap_err(), error, "row {row}");
    }
}

fn parse(package: &[u8]) -> KeyPackage {
    let message = MlsMessageIn::tls_deserialize_exact(package).unwrap();
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else { panic!("no key package") };
    let crypto = openmls_rust_crypto::RustCrypto::default();
    package.validate(&crypto, openmls::prelude::ProtocolVersion::Mls10).unwrap()
}
