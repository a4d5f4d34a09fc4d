//! A member that is mls-rs, set up by the letter of `spec/08-encryption.md`.

use anyhow::{Context as _, Result, bail};
use mls::DeviceKeys;
use mls_rs::{
    CipherSuite, Client, Extension, ExtensionList, Group, MlsMessage,
    client_builder::MlsConfig,
    crypto::SignatureSecretKey,
    extension::{ExtensionType, built_in::RequiredCapabilitiesExt},
    group::{CommitEffect, ExportedTree, ReceivedMessage, proposal::ProposalType},
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
    time::MlsTime,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use prost::Message as _;
use wire::proto::{CommitExtras, RoomState};

const SUITE: CipherSuite = CipherSuite::CURVE25519_CHACHA;
const ROOM_STATE: ExtensionType = ExtensionType::new(0xF0C0);
const KEY_PACKAGE_VALIDITY: ExtensionType = ExtensionType::new(0xF0C1);
const LAST_RESORT: ExtensionType = ExtensionType::new(0x000A);
/// mls-rs 0.57 gives SelfRemove a number of its own (0xF003) and cannot read the registered one. It
/// declares it, so that it may be a member, and must not be in a room while one is proposed.
const SELF_REMOVE: ProposalType = ProposalType::new(0x000A);

/// One device that runs mls-rs.
pub struct Stranger<C: MlsConfig> {
    keys: DeviceKeys,
    client: Client<C>,
    group: Option<Group<C>>,
}

/// A commit in the parts that a submission has.
pub struct Made {
    /// The body.
    pub commit: Vec<u8>,
    /// The rest.
    pub extras: CommitExtras,
}

/// A device with these keys.
///
/// # Errors
/// If mls-rs refuses the set-up.
pub fn stranger(keys: DeviceKeys) -> Result<Stranger<impl MlsConfig>> {
    let crypto = RustCryptoProvider::default();
    let public = keys.secret.public().as_bytes().to_vec();
    // RFC 9420 implementations keep an Ed25519 secret as seed and public key.
    let secret = SignatureSecretKey::from([keys.secret.seed().as_slice(), &public].concat());
    let identity = keys.identity().encode_to_vec();
    let signing = SigningIdentity::new(BasicCredential::new(identity).into_credential(), public.into());
    let rules = DefaultMlsRules::new()
        .with_commit_options(
            CommitOptions::new()
                .with_path_required(true)
                .with_ratchet_tree_extension(false)
                .with_single_welcome_message(true)
                .with_allow_external_commit(true),
        )
        .with_encryption_options(EncryptionOptions::new(false, mls_rs::client_builder::PaddingMode::None));
    let client = Client::builder()
        .crypto_provider(crypto)
        .identity_provider(BasicIdentityProvider::new())
        .mls_rules(rules)
        .extension_types([ROOM_STATE, KEY_PACKAGE_VALIDITY, LAST_RESORT])
        .custom_proposal_type(SELF_REMOVE)
        .key_package_lifetime(std::time::Duration::from_secs(u64::MAX))
        .signing_identity(signing, secret, SUITE)
        .build();
    Ok(Stranger { keys, client, group: None })
}

impl<C: MlsConfig> Stranger<C> {
    /// Whose device it is.
    #[must_use]
    pub const fn keys(&self) -> &DeviceKeys {
        &self.keys
    }

    /// A key package that is valid for an hour from this second on.
    ///
    /// # Errors
    /// If mls-rs refuses.
    pub fn key_package(&self, now_s: u64) -> Result<Vec<u8>> {
        let valid = [now_s.to_be_bytes(), (now_s + 3_600).to_be_bytes()].concat();
        let mut extensions = ExtensionList::new();
        extensions.set(Extension::new(KEY_PACKAGE_VALIDITY, valid));
        let always = Some(MlsTime::from(0));
        let package = self.client.generate_key_package_message(extensions, ExtensionList::new(), always)?;
        Ok(package.to_bytes()?)
    }

    /// Joins by a Welcome.
    ///
    /// # Errors
    /// If mls-rs refuses.
    pub fn join(&mut self, welcome: &[u8], tree: &[u8]) -> Result<()> {
        let tree = ExportedTree::from_bytes(tree)?;
        let (group, _) = self.client.join_group(Some(tree), &MlsMessage::from_bytes(welcome)?, None)?;
        self.group = Some(group);
        Ok(())
    }

    /// Makes an external commit that replaces the leaf at `own`, and is in the next epoch at once.
    ///
    /// # Errors
    /// If mls-rs refuses.
    pub fn rejoin(&mut self, group_info: &[u8], tree: &[u8], own: u32, data: Vec<u8>) -> Result<Made> {
        let (group, commit) = self
            .client
            .external_commit_builder()?
            .with_tree_data(ExportedTree::from_bytes(tree)?.into_owned())
            .commit_time(MlsTime::from(0))
            .with_removal(own)
            .with_authenticated_data(data)
            .build(MlsMessage::from_bytes(group_info)?)?;
        let info = group.group_info_message_allowing_ext_commit(false)?;
        self.group = Some(group);
        Ok(Made {
            commit: commit.to_bytes()?,
            extras: CommitExtras { welcome: bytes::Bytes::new(), group_info: info.to_bytes()?.into() },
        })
    }

    /// Makes a commit that adds packages, removes leaves and sets the state.
    ///
    /// # Errors
    /// If mls-rs refuses.
    pub fn commit(
        &mut self,
        add: &[Vec<u8>],
        remove: &[u32],
        state: Option<&RoomState>,
        data: Vec<u8>,
    ) -> Result<Made> {
        let mut builder = self.group()?.commit_builder().authenticated_data(data);
        for package in add {
            builder = builder.add_member(MlsMessage::from_bytes(package)?)?;
        }
        for leaf in remove {
            builder = builder.remove_member(*leaf)?;
        }
        if let Some(state) = state {
            let mut extensions = ExtensionList::new();
            extensions.set_from(RequiredCapabilitiesExt {
                extensions: vec![ROOM_STATE],
                proposals: vec![SELF_REMOVE],
                credentials: vec![BasicCredential::credential_type()],
            })?;
            extensions.set(Extension::new(ROOM_STATE, state.encode_to_vec()));
            builder = builder.set_group_context_ext(extensions)?;
        }
        let output = builder.build()?;
        let welcome = match output.welcome_messages() {
            [] => Vec::new(),
            [one] => one.to_bytes()?,
            _ => bail!("more than one Welcome"),
        };
        let info = output.external_commit_group_info().context("no GroupInfo")?;
        Ok(Made {
            commit: output.commit_message().to_bytes()?,
            extras: CommitExtras { welcome: welcome.into(), group_info: info.to_bytes()?.into() },
        })
    }

    /// Applies an ordered commit, its own or another's. False if it removes this device.
    ///
    /// # Errors
    /// If mls-rs refuses.
    pub fn apply(&mut self, commit: &[u8], own: bool) -> Result<bool> {
        let group = self.group()?;
        let done = if own {
            group.apply_pending_commit()?
        } else {
            match group.process_incoming_message(MlsMessage::from_bytes(commit)?)? {
                ReceivedMessage::Commit(done) => done,
                other => bail!("not a commit: {other:?}"),
            }
        };
        Ok(!matches!(done.effect, CommitEffect::Removed { .. }))
    }

    /// Encrypts.
    ///
    /// # Errors
    /// If mls-rs refuses.
    pub fn encrypt(&mut self, content: &[u8], data: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self.group()?.encrypt_application_message(content, data)?.to_bytes()?)
    }

    /// Decrypts: the authenticated data and the content.
    ///
    /// # Errors
    /// If mls-rs refuses.
    pub fn decrypt(&mut self, message: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        match self.group()?.process_incoming_message(MlsMessage::from_bytes(message)?)? {
            ReceivedMessage::ApplicationMessage(read) => {
                Ok((read.authenticated_data.clone(), read.data().to_vec()))
            }
            other => bail!("not a message: {other:?}"),
        }
    }

    /// Forgets a commit of its own that another one came before.
    pub fn drop_pending(&mut self) {
        if let Some(group) = &mut self.group {
            group.clear_pending_commit();
        }
    }

    /// The group's epoch.
    ///
    /// # Errors
    /// If it is in no group.
    pub fn epoch(&mut self) -> Result<u64> {
        Ok(self.group()?.current_epoch())
    }

    /// What all members of an epoch share.
    ///
    /// # Errors
    /// If it is in no group.
    pub fn epoch_authenticator(&mut self) -> Result<Vec<u8>> {
        Ok(self.group()?.epoch_authenticator()?.as_bytes().to_vec())
    }

    /// The leaf that this device has.
    ///
    /// # Errors
    /// If it is in no group.
    pub fn own_leaf(&mut self) -> Result<u32> {
        Ok(self.group()?.current_member_index())
    }

    fn group(&mut self) -> Result<&mut Group<C>> {
        self.group.as_mut().context("in no group")
    }
}
