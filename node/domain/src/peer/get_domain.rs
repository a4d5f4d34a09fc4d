//! A peer asks for this domain's documents.

use machine::Entropy;
use store::Store;
use wire::{
    DomainName, ErrorCode,
    proto::{DomainDocuments, GetDomain, peer_response},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn peer_get_domain(&self, request: &GetDomain) -> Result<peer_response::Response, ErrorCode> {
        if request.domain.parse::<DomainName>()? != self.config.domain {
            return Err(ErrorCode::NotFound);
        }
        Ok(peer_response::Response::Domain(self.own_documents(request.after_seq)))
    }

    /// This domain's documents after a seq, at most `DOCUMENT_CHAIN_MAX` of the newest.
    pub(crate) fn own_documents(&self, after_seq: u64) -> DomainDocuments {
        let skip = usize::try_from(after_seq).unwrap_or(usize::MAX);
        let documents: Vec<_> = self.config.documents.iter().skip(skip).cloned().collect();
        let surplus = documents.len().saturating_sub(wire::limits::DOCUMENT_CHAIN_MAX);
        DomainDocuments { documents: documents.into_iter().skip(surplus).collect() }
    }
}
