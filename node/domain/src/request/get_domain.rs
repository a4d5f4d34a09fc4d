//! A device asks for the documents of a domain: this one's, or those that are pinned here of a peer.

use machine::Entropy;
use prost::Message as _;
use store::Store;
use wire::{
    DomainName, ErrorCode,
    proto::{DomainDocuments, GetDomain, Signed},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn get_domain(&self, request: &GetDomain) -> Result<DomainDocuments, ErrorCode> {
        let domain: DomainName = request.domain.parse()?;
        if domain == self.config.domain {
            return Ok(self.own_documents(request.after_seq));
        }
        // [SYNC-11] Only what chains to the administrator's pin is passed on.
        let peer = self.links.get(&domain).ok_or(ErrorCode::NotFound)?;
        let newest = peer.chain.as_ref().ok_or(ErrorCode::Unavailable)?.newest().seq();
        let rows = self.store.documents(&domain, request.after_seq).map_err(|error| error.code())?;
        let surplus = rows.len().saturating_sub(wire::limits::DOCUMENT_CHAIN_MAX);
        let documents = rows.into_iter().skip(surplus).filter(|row| row.seq <= newest);
        let documents = documents.map(|row| Signed::decode(row.signed).map_err(|_| ErrorCode::Internal));
        Ok(DomainDocuments { documents: documents.collect::<Result<_, _>>()? })
    }
}
