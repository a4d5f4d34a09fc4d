//! The secret keys of a domain, and the documents that a node makes with them.

use machine::{Entropy, Timestamp};
use wire::name::Endpoint;
use wire::proto::KeyUse;
use wire::{DomainName, ErrorCode, SecretKey, limits};
use zeroize::Zeroizing;

use crate::document::{DocumentFields, DomainDocument, DomainKey, fingerprint};

/// The secret keys of a domain. Wiped when dropped.
#[derive(Clone, Debug)]
pub struct DomainKeys {
    /// Signs documents.
    pub root: SecretKey,
    /// Signs documents after a rotation; best kept offline.
    pub next_root: SecretKey,
    /// Takes the domain back when both root keys are lost; best kept offline.
    pub recovery: SecretKey,
    /// Proves in TLS that a process is this domain's node.
    pub tls: SecretKey,
    /// Signs account bindings.
    pub binding: SecretKey,
    /// Signs room events.
    pub event: SecretKey,
}

impl DomainKeys {
    /// Fresh keys.
    #[must_use]
    pub fn generate(entropy: &mut impl Entropy) -> Self {
        let mut key = || generate(entropy);
        Self { root: key(), next_root: key(), recovery: key(), tls: key(), binding: key(), event: key() }
    }

    /// The first document of a domain.
    ///
    /// # Errors
    /// `Malformed` if there is no endpoint or there are too many.
    pub fn first_document(
        &self,
        domain: &DomainName,
        endpoints: &[Endpoint],
        now: Timestamp,
    ) -> Result<DomainDocument, ErrorCode> {
        let fields = DocumentFields {
            domain: domain.clone(),
            seq: 1,
            prev_hash: None,
            next_root_hash: fingerprint(&self.next_root.public()),
            recovery_hash: fingerprint(&self.recovery.public()),
            keys: self.operational(now),
            endpoints: endpoints.to_vec(),
            issued: now.as_s(),
            expires: now.as_s().saturating_add(limits::DOCUMENT_VALID_S),
        };
        DomainDocument::issue(&fields, &self.root)
    }

    /// The operational keys as a document lists them. They begin one allowed clock difference
    /// early, so that a peer whose clock is behind can use them at once.
    #[must_use]
    pub fn operational(&self, now: Timestamp) -> Vec<DomainKey> {
        let not_before = now.as_s().saturating_sub(limits::CLOCK_SKEW_MS / 1000);
        let not_after = now.as_s().saturating_add(limits::DOMAIN_KEY_VALID_S);
        [(&self.tls, KeyUse::Tls), (&self.binding, KeyUse::Binding), (&self.event, KeyUse::Event)]
            .map(|(key, key_use)| DomainKey { key: key.public(), key_use, not_before, not_after })
            .to_vec()
    }
}

/// A fresh secret key.
#[must_use]
pub fn generate(entropy: &mut impl Entropy) -> SecretKey {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut());
    SecretKey::from_seed(&seed)
}
