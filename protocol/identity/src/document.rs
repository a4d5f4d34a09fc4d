//! A domain document: the signed statement of a domain's keys and endpoints, checked.

use bytes::Bytes;
use machine::Timestamp;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use wire::name::Endpoint;
use wire::proto::{self, KeyUse, Signed};
use wire::{DomainName, ErrorCode, PublicKey, SecretKey, limits, signed};

use crate::validity;

/// [ID-1] SHA-256 of a root key: what an administrator compares and pins.
#[must_use]
pub fn fingerprint(root_key: &PublicKey) -> [u8; 32] {
    Sha256::digest(root_key.as_bytes()).into()
}

/// An operational key in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainKey {
    /// The key.
    pub key: PublicKey,
    /// The one thing that it may be used for.
    pub key_use: KeyUse,
    /// From this second since 1970.
    pub not_before: u64,
    /// Up to and including this second since 1970.
    pub not_after: u64,
}

/// What a document says, without its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentFields {
    /// Whose document it is.
    pub domain: DomainName,
    /// 1, 2, 3 ...
    pub seq: u64,
    /// Hash of the document before it; `None` for the first.
    pub prev_hash: Option<[u8; 32]>,
    /// [`fingerprint`] of the next root key (pre-rotation).
    pub next_root_hash: [u8; 32],
    /// [`fingerprint`] of the recovery key.
    pub recovery_hash: [u8; 32],
    /// Operational keys, at most `DOMAIN_KEYS_MAX`.
    pub keys: Vec<DomainKey>,
    /// Where the domain's nodes listen, in order of preference, 1 to `ENDPOINTS_MAX`.
    pub endpoints: Vec<Endpoint>,
    /// Seconds since 1970.
    pub issued: u64,
    /// The last second since 1970 in which the document is in force.
    pub expires: u64,
}

/// A well-formed document whose signature by its own root key verifies. That the root key is the
/// domain's is decided by [`crate::Chain`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainDocument {
    fields: DocumentFields,
    root_key: PublicKey,
    signed: Signed,
}

impl DomainDocument {
    /// Signs a document.
    ///
    /// # Errors
    /// As [`Self::parse`], if the fields break a rule.
    pub fn issue(fields: &DocumentFields, root: &SecretKey) -> Result<Self, ErrorCode> {
        let body = encode(fields, &root.public()).encode_to_vec();
        let signature = signed::sign::<proto::DomainDocument>(root, &body);
        Self::parse(&Signed {
            body: body.into(),
            signature: Bytes::copy_from_slice(&signature),
            account_signature: Bytes::new(),
        })
    }

    /// [ID-2] Checks form and signature.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed` or `BadSignature`.
    pub fn parse(signed: &Signed) -> Result<Self, ErrorCode> {
        Self::read(signed)?.verified()
    }

    /// The first half of [`Self::parse`]: its form. What it says is not to be believed yet.
    pub(crate) fn read(signed: &Signed) -> Result<Self, ErrorCode> {
        let document = signed::decode::<proto::DomainDocument>(&signed.body)?;
        let root_key = PublicKey::try_from(document.root_key.as_ref())?;
        let fields = fields(document)?;
        if !signed.account_signature.is_empty() || !one_use_each(&fields.keys, &root_key) {
            return Err(ErrorCode::Malformed);
        }
        Ok(Self { fields, root_key, signed: signed.clone() })
    }

    /// The second half of [`Self::parse`]: its signature.
    pub(crate) fn verified(self) -> Result<Self, ErrorCode> {
        let Signed { body, signature, .. } = &self.signed;
        signed::verify::<proto::DomainDocument>(&self.root_key, body, signature)?;
        Ok(self)
    }

    /// What it says.
    #[must_use]
    pub const fn fields(&self) -> &DocumentFields {
        &self.fields
    }

    /// Whose it is.
    #[must_use]
    pub const fn domain(&self) -> &DomainName {
        &self.fields.domain
    }

    /// Its number in the chain.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.fields.seq
    }

    /// The key that signed it.
    #[must_use]
    pub const fn root_key(&self) -> &PublicKey {
        &self.root_key
    }

    /// Where the domain's nodes listen, in order of preference.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.fields.endpoints
    }

    /// The last second since 1970 in which it is in force.
    #[must_use]
    pub const fn expires(&self) -> u64 {
        self.fields.expires
    }

    /// The statement as it was signed.
    #[must_use]
    pub const fn signed(&self) -> &Signed {
        &self.signed
    }

    /// What the next document's `prev_hash` holds.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        signed::hash::<proto::DomainDocument>(&self.signed.body)
    }

    /// The keys that are listed for a use, in force or not.
    pub fn keys(&self, key_use: KeyUse) -> impl Iterator<Item = &DomainKey> {
        self.fields.keys.iter().filter(move |key| key.key_use == key_use)
    }

    /// [ID-5] Whether a key speaks for the domain now, for this use.
    ///
    /// # Errors
    /// `AuthFailed` if the key is not listed for the use, not in force yet or no more, or if the
    /// document itself is not in force.
    pub fn check_key(&self, key_use: KeyUse, key: &PublicKey, now: Timestamp) -> Result<(), ErrorCode> {
        if validity::over(self.fields.expires, now) {
            return Err(ErrorCode::AuthFailed);
        }
        let listed = self.keys(key_use).find(|listed| listed.key == *key).ok_or(ErrorCode::AuthFailed)?;
        validity::begun(listed.not_before, now)?;
        if validity::over(listed.not_after, now) { Err(ErrorCode::AuthFailed) } else { Ok(()) }
    }

    /// [ID-6] Verifies the hub's signature over an event head. Every listed event key counts: a
    /// domain leaves a retired key in its documents for as long as what it signed is to be believed.
    ///
    /// # Errors
    /// `BadSignature`.
    pub fn verify_event(&self, head: &[u8], signature: &[u8]) -> Result<(), ErrorCode> {
        let input = signed::input(<proto::EventHead as signed::Statement>::LABEL, head);
        let mut keys = self.keys(KeyUse::Event);
        if keys.any(|listed| listed.key.verify(&input, signature).is_ok()) {
            Ok(())
        } else {
            Err(ErrorCode::BadSignature)
        }
    }

    /// The fields of a document that follows this one and says the same, to be changed and issued.
    #[must_use]
    pub fn successor(&self, now: Timestamp) -> DocumentFields {
        DocumentFields {
            seq: self.fields.seq.saturating_add(1),
            prev_hash: Some(self.hash()),
            issued: now.as_s().max(self.fields.issued),
            expires: now.as_s().saturating_add(limits::DOCUMENT_VALID_S),
            ..self.fields.clone()
        }
    }
}

fn encode(fields: &DocumentFields, root_key: &PublicKey) -> proto::DomainDocument {
    proto::DomainDocument {
        domain: fields.domain.to_string(),
        seq: fields.seq,
        prev_hash: fields.prev_hash.map(|hash| Bytes::copy_from_slice(&hash)).unwrap_or_default(),
        root_key: Bytes::copy_from_slice(root_key.as_bytes()),
        next_root_hash: Bytes::copy_from_slice(&fields.next_root_hash),
        recovery_hash: Bytes::copy_from_slice(&fields.recovery_hash),
        keys: fields
            .keys
            .iter()
            .map(|key| proto::DomainKey {
                key: Bytes::copy_from_slice(key.key.as_bytes()),
                r#use: key.key_use.into(),
                not_before: key.not_before,
                not_after: key.not_after,
            })
            .collect(),
        endpoints: fields.endpoints.iter().map(ToString::to_string).collect(),
        issued: fields.issued,
        expires: fields.expires,
    }
}

/// [ID-3] Every field of a document within its bounds.
fn fields(document: proto::DomainDocument) -> Result<DocumentFields, ErrorCode> {
    let hash = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| ErrorCode::Malformed);
    let prev_hash = match document.seq {
        0 => return Err(ErrorCode::Malformed),
        1 if document.prev_hash.is_empty() => None,
        1 => return Err(ErrorCode::Malformed),
        _ => Some(hash(&document.prev_hash)?),
    };
    let bounded = document.seq <= limits::SEQ_MAX
        && document.keys.len() <= limits::DOMAIN_KEYS_MAX
        && (1..=limits::ENDPOINTS_MAX).contains(&document.endpoints.len())
        && document.issued < document.expires
        && document.expires - document.issued <= limits::DOCUMENT_VALID_S;
    if !bounded {
        return Err(ErrorCode::Malformed);
    }
    Ok(DocumentFields {
        domain: document.domain.parse()?,
        seq: document.seq,
        prev_hash,
        next_root_hash: hash(&document.next_root_hash)?,
        recovery_hash: hash(&document.recovery_hash)?,
        keys: document.keys.iter().map(domain_key).collect::<Result<_, _>>()?,
        endpoints: document.endpoints.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        issued: document.issued,
        expires: document.expires,
    })
}

fn domain_key(key: &proto::DomainKey) -> Result<DomainKey, ErrorCode> {
    let key_use = KeyUse::try_from(key.r#use).map_err(|_| ErrorCode::Malformed)?;
    if key_use == KeyUse::Unspecified || key.not_before >= key.not_after {
        return Err(ErrorCode::Malformed);
    }
    Ok(DomainKey {
        key: PublicKey::try_from(key.key.as_ref())?,
        key_use,
        not_before: key.not_before,
        not_after: key.not_after,
    })
}

/// [ID-3] A key has one use: none is listed twice, and the root key is not listed.
fn one_use_each(keys: &[DomainKey], root_key: &PublicKey) -> bool {
    let mut seen: Vec<PublicKey> = keys.iter().map(|key| key.key).chain([*root_key]).collect();
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    seen.len() == count
}

#[cfg(test)]
mod tests;
