//! An account binding: this address has this account key. Signed by the domain and by the account.

use bytes::Bytes;
use machine::Timestamp;
use prost::Message as _;
use wire::proto::{self, AccountMode, KeyUse, Signed};
use wire::{Account, ErrorCode, PublicKey, SecretKey, signed};

use crate::document::DomainDocument;
use crate::validity;

/// A well-formed binding with a good signature of the account key. The domain's signature is
/// checked by [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBinding {
    account: Account,
    account_key: PublicKey,
    mode: AccountMode,
    seq: u64,
    prev_hash: Option<[u8; 32]>,
    not_before: u64,
    signed: Signed,
}

impl AccountBinding {
    /// The first binding of an account, signed by the account key only: what a device sends when
    /// it enrols.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn propose(
        account: &Account,
        account_key: &SecretKey,
        mode: AccountMode,
        now: Timestamp,
    ) -> Result<Self, ErrorCode> {
        let body = proto::AccountBinding {
            account: account.to_string(),
            account_key: Bytes::copy_from_slice(account_key.public().as_bytes()),
            mode: mode.into(),
            seq: 1,
            prev_hash: Bytes::new(),
            not_before: now.as_s(),
        }
        .encode_to_vec();
        let signature = signed::sign::<proto::AccountBinding>(account_key, &body);
        Self::parse(&Signed {
            body: body.into(),
            signature: Bytes::new(),
            account_signature: Bytes::copy_from_slice(&signature),
        })
    }

    /// The same binding with the domain's signature.
    #[must_use]
    pub fn countersign(&self, binding_key: &SecretKey) -> Self {
        let signature = signed::sign::<proto::AccountBinding>(binding_key, &self.signed.body);
        let signed = Signed { signature: Bytes::copy_from_slice(&signature), ..self.signed.clone() };
        Self { signed, ..self.clone() }
    }

    /// [ID-9] Checks form and the account's signature.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed` or `BadSignature`.
    pub fn parse(signed: &Signed) -> Result<Self, ErrorCode> {
        let binding = signed::decode::<proto::AccountBinding>(&signed.body)?;
        let mode = AccountMode::try_from(binding.mode).map_err(|_| ErrorCode::Malformed)?;
        let prev_hash = match (binding.seq, binding.prev_hash.len()) {
            (0, _) => return Err(ErrorCode::Malformed),
            (1, 0) => None,
            (1, _) => return Err(ErrorCode::Malformed),
            _ => Some(<[u8; 32]>::try_from(binding.prev_hash.as_ref()).map_err(|_| ErrorCode::Malformed)?),
        };
        if mode == AccountMode::Unspecified {
            return Err(ErrorCode::Malformed);
        }
        let account_key = PublicKey::try_from(binding.account_key.as_ref())?;
        signed::verify::<proto::AccountBinding>(&account_key, &signed.body, &signed.account_signature)?;
        Ok(Self {
            account: binding.account.parse()?,
            account_key,
            mode,
            seq: binding.seq,
            prev_hash,
            not_before: binding.not_before,
            signed: signed.clone(),
        })
    }

    /// [ID-10] Checks the domain's signature against its newest document: a listed binding key that
    /// was in force when the binding began.
    ///
    /// # Errors
    /// `OriginMismatch` if the document is of another domain, `BadSignature` if no listed binding
    /// key signed it, `AuthFailed` if that key was not in force or the binding is not yet.
    pub fn verify(&self, document: &DomainDocument, now: Timestamp) -> Result<(), ErrorCode> {
        if self.account.domain() != document.domain() {
            return Err(ErrorCode::OriginMismatch);
        }
        let input = signed::input(<proto::AccountBinding as signed::Statement>::LABEL, &self.signed.body);
        let key = document
            .keys(KeyUse::Binding)
            .find(|listed| listed.key.verify(&input, &self.signed.signature).is_ok())
            .ok_or(ErrorCode::BadSignature)?;
        validity::begun(self.not_before, now)?;
        if (key.not_before..=key.not_after).contains(&self.not_before) {
            Ok(())
        } else {
            Err(ErrorCode::AuthFailed)
        }
    }

    /// Whose key it states.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The key that signs the account's device lists and certificates.
    #[must_use]
    pub const fn account_key(&self) -> &PublicKey {
        &self.account_key
    }

    /// Who holds the account key.
    #[must_use]
    pub const fn mode(&self) -> AccountMode {
        self.mode
    }

    /// Its number among the account's bindings.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Hash of the binding before it.
    #[must_use]
    pub const fn prev_hash(&self) -> Option<&[u8; 32]> {
        self.prev_hash.as_ref()
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn not_before(&self) -> u64 {
        self.not_before
    }

    /// The statement as it was signed.
    #[must_use]
    pub const fn signed(&self) -> &Signed {
        &self.signed
    }

    /// What the next binding's `prev_hash` holds.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        signed::hash::<proto::AccountBinding>(&self.signed.body)
    }
}
