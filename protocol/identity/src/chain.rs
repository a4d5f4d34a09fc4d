//! The chain of a domain's documents: from the fingerprint that was pinned to the newest document.

use std::collections::BTreeMap;

use wire::proto::Signed;
use wire::{DomainName, ErrorCode, limits};

use crate::document::{DomainDocument, fingerprint};

/// The newest document that chains to the pin, and the hashes of those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    newest: DomainDocument,
    hashes: BTreeMap<u64, [u8; 32]>,
}

impl Chain {
    /// [ID-7] Begins with a document whose root key has the pinned fingerprint.
    ///
    /// # Errors
    /// `KeyUnverified` if it has another fingerprint, else as [`DomainDocument::parse`].
    pub fn verify_first(signed: &Signed, pinned: &[u8; 32]) -> Result<Self, ErrorCode> {
        let document = DomainDocument::read(signed)?;
        if fingerprint(document.root_key()) != *pinned {
            return Err(ErrorCode::KeyUnverified);
        }
        let document = document.verified()?;
        Ok(Self { hashes: BTreeMap::from([(document.seq(), document.hash())]), newest: document })
    }

    /// [ID-7] The chain of `domain` in a list of documents, oldest first: begins with the first
    /// one whose root key has the pinned fingerprint; those before it prove nothing and are passed
    /// over.
    ///
    /// # Errors
    /// `TooLarge` beyond `DOCUMENT_CHAIN_MAX`, `KeyUnverified` if none has the fingerprint,
    /// `OriginMismatch` if they are of another domain, else as [`Self::extend`].
    pub fn verify_all(
        domain: &DomainName,
        documents: &[Signed],
        pinned: &[u8; 32],
    ) -> Result<Self, ErrorCode> {
        if documents.len() > limits::DOCUMENT_CHAIN_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let mut chain = None::<Self>;
        for signed in documents {
            match &mut chain {
                Some(chain) => {
                    chain.extend(signed)?;
                }
                None => match Self::verify_first(signed, pinned) {
                    Ok(first) if first.newest.domain() != domain => return Err(ErrorCode::OriginMismatch),
                    Ok(first) => chain = Some(first),
                    Err(ErrorCode::KeyUnverified) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        chain.ok_or(ErrorCode::KeyUnverified)
    }

    /// Adds the next document; `true` if it was new, `false` if it is known already. A signature is
    /// verified only where something follows from it, so that strangers who show what everybody knows
    /// make no work.
    ///
    /// # Errors
    /// `OriginMismatch`: of another domain. `KeyUnverified`: its root key does not follow from the
    /// newest document, or documents between are missing. `ForkedLog`: another document has this
    /// place. Else as [`DomainDocument::parse`]. The chain is unchanged after an error.
    pub fn extend(&mut self, signed: &Signed) -> Result<bool, ErrorCode> {
        let next = DomainDocument::read(signed)?;
        if next.domain() != self.newest.domain() {
            return Err(ErrorCode::OriginMismatch);
        }
        // Documents before the pinned one prove nothing and are passed over.
        if self.hashes.keys().next().is_some_and(|first| next.seq() < *first) {
            return Ok(false);
        }
        if let Some(known) = self.hashes.get(&next.seq()) {
            return match *known == next.hash() {
                true => Ok(false),
                // [LINK-3] Evidence against the domain, if the domain has signed it.
                false if next.root_key() == self.newest.root_key() => {
                    next.verified().and(Err(ErrorCode::ForkedLog))
                }
                false => Err(ErrorCode::KeyUnverified),
            };
        }
        if Some(next.seq()) != self.newest.seq().checked_add(1) {
            return Err(ErrorCode::KeyUnverified);
        }
        let next = next.verified()?;
        follows(&self.newest, &next)?;
        self.hashes.insert(next.seq(), next.hash());
        self.newest = next;
        Ok(true)
    }

    /// The newest document.
    #[must_use]
    pub const fn newest(&self) -> &DomainDocument {
        &self.newest
    }
}

/// [ID-8] The root key may stay, and then its promises stay too; or it gives way to the promised
/// next root key or to the recovery key.
fn follows(newest: &DomainDocument, next: &DomainDocument) -> Result<(), ErrorCode> {
    let (before, after) = (newest.fields(), next.fields());
    let same_root = next.root_key() == newest.root_key();
    let print = fingerprint(next.root_key());
    let root_follows = if same_root {
        after.next_root_hash == before.next_root_hash && after.recovery_hash == before.recovery_hash
    } else {
        print == before.next_root_hash || print == before.recovery_hash
    };
    if !root_follows {
        return Err(ErrorCode::KeyUnverified);
    }
    if after.prev_hash != Some(newest.hash()) {
        return Err(ErrorCode::ForkedLog);
    }
    if after.issued < before.issued { Err(ErrorCode::Malformed) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
