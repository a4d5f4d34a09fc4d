//! This domain's own documents and its default policy.

use bytes::Bytes;
use identity::{DomainDocument, KeyUse};
use machine::Entropy;
use prost::Message as _;
use store::{Store, Write, row::DocumentRow};
use wire::{
    ErrorCode,
    proto::{ContactPolicy, DomainView, Done, SetDefaultPolicy, TakeDocument},
};

use super::Act;
use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(super) fn show_domain(&self) -> DomainView {
        DomainView { document: Some(self.chain.newest().signed().clone()), fingerprint: self.fingerprint() }
    }

    pub(super) fn fingerprint(&self) -> Bytes {
        Bytes::copy_from_slice(&identity::fingerprint(self.chain.newest().root_key()))
    }

    /// [ADMIN-8] The next document takes effect at once, unless it follows from nothing or would make
    /// this node a stranger: the keys that it works with must be in it.
    pub(super) fn take_document(&mut self, asked: &TakeDocument, by: &str) -> Result<DomainView, ErrorCode> {
        let signed = asked.document.as_ref().ok_or(ErrorCode::Malformed)?;
        let next = DomainDocument::parse(signed)?;
        let before = self.chain.newest().keys(KeyUse::Tls).map(|listed| listed.key);
        let keys = [
            (KeyUse::Binding, self.config.binding_key.public()),
            (KeyUse::Event, self.config.event_key.public()),
        ];
        let keys = before.map(|key| (KeyUse::Tls, key)).chain(keys);
        for (key_use, key) in keys {
            next.check_key(key_use, &key, self.now)?;
        }
        if self.chain.extend(signed)? {
            self.config.documents.push(signed.clone());
            self.drain.batch.push(Write::PutDocument(DocumentRow {
                domain: self.config.domain.clone(),
                seq: next.seq(),
                signed: signed.encode_to_vec().into(),
            }));
            let domain = self.config.domain.to_string();
            self.record(Act::DomainPublish, by, &domain, &format!("document {}", next.seq()));
        }
        Ok(self.show_domain())
    }

    /// Whether passwords enrol, until the node ends.
    pub(super) fn set_password_sign_in(&mut self, allowed: bool, by: &str) {
        if self.config.passwords != allowed {
            self.config.passwords = allowed;
            let domain = self.config.domain.to_string();
            self.record(Act::DomainPasswords, by, &domain, if allowed { "on" } else { "off" });
        }
    }

    pub(super) fn set_default_policy(
        &mut self,
        asked: &SetDefaultPolicy,
        by: &str,
    ) -> Result<Done, ErrorCode> {
        let policy = match ContactPolicy::try_from(asked.policy) {
            Ok(ContactPolicy::Unspecified) | Err(_) => return Err(ErrorCode::Malformed),
            Ok(policy) => policy,
        };
        if self.config.policy != policy {
            self.config.policy = policy;
            let domain = self.config.domain.to_string();
            self.record(Act::DomainPolicy, by, &domain, policy.as_str_name());
        }
        Ok(Done {})
    }
}
