//! Orders what a device of a peer submitted.

use machine::Entropy;
use room::{Request, hub};
use store::Store;
use wire::{DomainName, WireError, proto::Submission};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_submission(
        &mut self,
        peer: &DomainName,
        submission: &Submission,
    ) -> Result<(), WireError> {
        let request = Request::parse(submission)?;
        // [ROOM-12]
        hub::origin(peer, &request.account)?;
        self.order(&request)
    }
}
