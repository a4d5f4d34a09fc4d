//! The documents of domains: one's own pinned by fingerprint at login, others as one's own node
//! shows them first, and from then on only what chains to that.

use std::collections::BTreeMap;

use identity::{Chain, DomainDocument};
use machine::Timestamp;
use wire::{DomainName, ErrorCode, PublicKey, limits, proto::Signed};

use crate::record::DomainRow;

struct Known {
    row: DomainRow,
    chain: Chain,
    event_keys: Vec<PublicKey>,
}

/// The documents that are known.
#[derive(Default)]
pub(crate) struct Domains {
    known: BTreeMap<DomainName, Known>,
    pins: BTreeMap<DomainName, [u8; 32]>,
}

impl Domains {
    /// Those that were stored, and the fingerprints that others must begin with.
    pub(crate) fn load(
        rows: BTreeMap<String, DomainRow>,
        pins: BTreeMap<DomainName, [u8; 32]>,
    ) -> Result<Self, ErrorCode> {
        let mut domains = Self { pins, ..Self::default() };
        for row in rows.into_values() {
            let domain = row.domain.parse()?;
            domains.known.insert(domain, Known::new(row)?);
        }
        Ok(domains)
    }

    /// The newest document of a domain.
    pub(crate) fn newest(&self, domain: &DomainName) -> Option<&DomainDocument> {
        self.known.get(domain).map(|known| known.chain.newest())
    }

    /// The keys with which a domain signs events: those that its newest document lists ([ID-6]).
    pub(crate) fn event_keys(&self, domain: &DomainName) -> Option<&[PublicKey]> {
        self.known.get(domain).map(|known| known.event_keys.as_slice())
    }

    /// The seq of the newest document; 0 if none is known.
    pub(crate) fn seq(&self, domain: &DomainName) -> u64 {
        self.newest(domain).map_or(0, DomainDocument::seq)
    }

    /// When a domain's documents were last asked for, in milliseconds since 1970.
    pub(crate) fn fetched_ms(&self, domain: &DomainName) -> u64 {
        self.known.get(domain).map_or(0, |known| known.row.fetched_ms)
    }

    /// Takes in documents that the node shows, oldest first; gives the row to store.
    ///
    /// # Errors
    /// As `identity::Chain`: `KeyUnverified` and `ForkedLog` if they do not chain to what is known.
    pub(crate) fn learn(
        &mut self,
        now: Timestamp,
        domain: &DomainName,
        documents: &[Signed],
    ) -> Result<&DomainRow, ErrorCode> {
        let mut row = match self.known.get(domain) {
            Some(known) => known.row.clone(),
            None => {
                let first = documents.first().ok_or(ErrorCode::NotFound)?;
                let print = match self.pins.get(domain) {
                    Some(pinned) => *pinned,
                    None => identity::fingerprint(DomainDocument::parse(first)?.root_key()),
                };
                DomainRow {
                    domain: domain.to_string(),
                    fingerprint: bytes::Bytes::copy_from_slice(&print),
                    ..DomainRow::default()
                }
            }
        };
        for document in documents {
            if !row.documents.iter().any(|known| known.body == document.body) {
                row.documents.push(document.clone());
            }
        }
        row.fetched_ms = now.as_ms();
        let known = Known::new(row)?;
        Ok(&self.known.entry(domain.clone()).insert_entry(known).into_mut().row)
    }
}

impl Known {
    fn new(mut row: DomainRow) -> Result<Self, ErrorCode> {
        let domain: DomainName = row.domain.parse()?;
        let pinned: [u8; 32] = row.fingerprint.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?;
        let chain = Chain::verify_all(&domain, &row.documents, &pinned)?;
        let event_keys = chain.newest().keys(identity::KeyUse::Event).map(|listed| listed.key).collect();
        if row.documents.len() > limits::DOCUMENT_CHAIN_MAX / 2 {
            let newest = chain.newest();
            row.fingerprint = bytes::Bytes::copy_from_slice(&identity::fingerprint(newest.root_key()));
            row.documents = vec![newest.signed().clone()];
        }
        Ok(Self { row, chain, event_keys })
    }
}
