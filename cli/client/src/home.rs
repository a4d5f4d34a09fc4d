//! Where an account's home is, and how its node is recognised: by the newest document of its domain
//! that this device has seen, which is kept over restarts.

use identity::{Chain, DomainDocument, KeyUse, Ticket, fingerprint};
use machine::Timestamp;
use prost::Message as _;
use wire::{Account, ErrorCode, PublicKey, limits, name::Endpoint, proto::Signed};

use crate::{ClientError, seal::SealedDir};

const ENDPOINTS: &str = "endpoints";
const DOCUMENT: &str = "domain";

/// Where an account's home is and how it is recognised.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// Whose home.
    pub(crate) account: Account,
    /// SHA-256 of its root key, as the ticket says.
    pub(crate) fingerprint: [u8; 32],
    /// `host:port`, in order of preference.
    pub(crate) endpoints: Vec<String>,
    /// The newest document of its domain that was seen; `None` before the first connection.
    pub(crate) newest: Option<DomainDocument>,
}

/// How a node is found and recognised by somebody who has no invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// SHA-256 of the root key of its domain, from a source that is trusted.
    pub fingerprint: [u8; 32],
    /// Where it listens, in order of preference.
    pub endpoints: Vec<Endpoint>,
}

impl Home {
    /// Of an account without an invitation.
    pub(crate) fn introduced(account: &Account, introduction: &Introduction) -> Self {
        Self {
            account: account.clone(),
            fingerprint: introduction.fingerprint,
            endpoints: introduction.endpoints.iter().map(ToString::to_string).collect(),
            newest: None,
        }
    }

    /// What an invitation says.
    pub(crate) fn of_ticket(ticket: &Ticket) -> Self {
        Self {
            account: ticket.account.clone(),
            fingerprint: ticket.fingerprint,
            endpoints: ticket.endpoints.iter().map(ToString::to_string).collect(),
            newest: None,
        }
    }

    /// What earlier connections have left in the device's directory.
    ///
    /// # Errors
    /// `Storage`, also if it is damaged: without it an older document would pass for the newest.
    pub(crate) fn recall(&mut self, dir: &SealedDir) -> Result<(), ClientError> {
        if let Some(learnt) = dir.read(ENDPOINTS)? {
            let learnt = String::from_utf8_lossy(&learnt);
            self.learn(learnt.lines().filter(|line| line.parse::<Endpoint>().is_ok()).map(str::to_owned));
        }
        if let Some(bytes) = dir.read(DOCUMENT)? {
            let document = Signed::decode(bytes.as_slice())
                .map_err(|_| ErrorCode::Malformed)
                .and_then(|signed| DomainDocument::parse(&signed))
                .ok()
                .filter(|document| document.domain() == self.account.domain())
                .ok_or_else(|| ClientError::storage(dir.path(DOCUMENT), "it is damaged"))?;
            self.newest = Some(document);
        }
        Ok(())
    }

    /// Removes what another login, which was given up, has left in the directory.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn forget(dir: &SealedDir) -> Result<(), ClientError> {
        dir.remove(DOCUMENT)?;
        dir.remove(ENDPOINTS)
    }

    /// The number of the newest document that was seen, 0 for none.
    pub(crate) fn seq(&self) -> u64 {
        self.newest.as_ref().map_or(0, DomainDocument::seq)
    }

    /// [ID-18] [ID-21] The newest document, if these continue the chain from the newest that was
    /// seen (from the ticket's fingerprint before that), and it lists the key that the node proved.
    ///
    /// # Errors
    /// `KeyUnverified` or `ForkedLog` if they do not continue it, `AuthFailed` if the key is not
    /// listed or not in force, else as `identity::Chain`.
    pub(crate) fn recognise(
        &self,
        documents: &[Signed],
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<DomainDocument, ErrorCode> {
        let chain = match &self.newest {
            None => Chain::verify_all(self.account.domain(), documents, &self.fingerprint)?,
            Some(_) if documents.len() > limits::DOCUMENT_CHAIN_MAX => return Err(ErrorCode::TooLarge),
            Some(newest) => {
                let mut chain = Chain::verify_first(newest.signed(), &fingerprint(newest.root_key()))?;
                for document in documents {
                    chain.extend(document)?;
                }
                chain
            }
        };
        chain.newest().check_key(KeyUse::Tls, key, now)?;
        Ok(chain.newest().clone())
    }

    /// Why a node is not recognised: at a first connection with what it showed instead, if that is a
    /// domain's document at all.
    pub(crate) fn unrecognised(&self, code: ErrorCode, documents: &[Signed]) -> ClientError {
        let shown = documents.last().and_then(|signed| DomainDocument::parse(signed).ok());
        match shown {
            Some(shown) if code == ErrorCode::KeyUnverified && self.newest.is_none() => {
                ClientError::OtherFingerprint {
                    wanted: self.fingerprint,
                    shown: fingerprint(shown.root_key()),
                }
            }
            _ => code.into(),
        }
    }

    /// Keeps the document of a node that was recognised, before anything that the node says counts,
    /// and where its domain is reached from now on.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn remember(&mut self, dir: &SealedDir, document: &DomainDocument) -> Result<(), ClientError> {
        if document.seq() > self.seq() {
            dir.write(DOCUMENT, &document.signed().encode_to_vec())?;
            self.newest = Some(document.clone());
        }
        if self.learn(document.endpoints().iter().map(ToString::to_string)) {
            dir.write(ENDPOINTS, self.endpoints.join("\n").as_bytes())?;
        }
        Ok(())
    }

    /// Takes in where a recognised node says that its domain is reached; those known before stay,
    /// behind them. Whether that is news.
    fn learn(&mut self, endpoints: impl Iterator<Item = String>) -> bool {
        let mut learnt: Vec<String> = endpoints.collect();
        for known in &self.endpoints {
            if learnt.len() < limits::ENDPOINTS_MAX && !learnt.contains(known) {
                learnt.push(known.clone());
            }
        }
        let news = learnt != self.endpoints;
        self.endpoints = learnt;
        news
    }
}

#[cfg(test)]
mod tests;
