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
    /// The documents of a domain. Which domains are pinned here is nobody's business who has not said
    /// who it is.
    ///
    /// # Errors
    /// `AuthFailed` for another domain than this without a session; `NotFound` for one that is not
    /// pinned; `Unavailable` for one that was never reached.
    pub(crate) fn get_domain(
        &self,
        request: &GetDomain,
        has_session: bool,
    ) -> Result<DomainDocuments, ErrorCode> {
        let domain: DomainName = request.domain.parse()?;
        if domain == self.config.domain {
            return Ok(self.own_documents(request.after_seq));
        }
        // [SYNC-4]
        if !has_session {
            return Err(ErrorCode::AuthFailed);
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
