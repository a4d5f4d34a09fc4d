//! A device asks how the links to peers are doing.

use machine::Entropy;
use store::Store;
use wire::{
    DomainName, ErrorCode,
    proto::{PeerStates, PeerStatesRequest},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    /// Those that were named and are peers; if none was named, all with a backlog.
    pub(crate) fn peer_states(&self, request: &PeerStatesRequest) -> Result<PeerStates, ErrorCode> {
        if request.domains.is_empty() {
            let peers = self.links.peers.values().filter(|peer| peer.queued.0 > 0);
            return Ok(PeerStates { peers: peers.map(|peer| peer.state()).collect() });
        }
        if request.domains.len() > wire::limits::ADDS_PER_COMMIT_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let mut peers = Vec::new();
        for name in &request.domains {
            let domain: DomainName = name.parse()?;
            peers.extend(self.links.get(&domain).map(crate::link_table::Peer::state));
        }
        Ok(PeerStates { peers })
    }
}
