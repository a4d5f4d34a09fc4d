//! What a peer answered to a request of this node.

use machine::Entropy;
use store::Store;
use wire::{
    DomainName, ErrorCode, WireError,
    proto::{AccountKeys, GetAccount, PeerResponse, client_response, peer_request, peer_response},
};

use super::get_group::fits;
use crate::{Core, RequestId, waiting::Asker};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn take_answer(&mut self, id: RequestId, answer: Result<PeerResponse, ErrorCode>) {
        let response = match answer {
            Ok(PeerResponse { response: Some(response) }) => response,
            Ok(PeerResponse { response: None }) => return self.ask_failed(id, ErrorCode::Malformed),
            Err(error) => return self.ask_failed(id, error),
        };
        if let peer_response::Response::Error(error) = &response {
            return self.ask_failed(id, WireError::from(error).code);
        }
        let Some((peer, asker, asked)) = self.answered(id) else { return };
        match (asker, asked, response) {
            (
                Asker::Device(session, request),
                peer_request::Request::GetAccount(asked),
                peer_response::Response::Account(keys),
            ) => {
                let checked = self.check_foreign(&peer, &asked, &keys);
                let response = checked.map(|()| client_response::Response::Account(keys));
                self.respond(session, request, response.map_err(WireError::from));
            }
            (
                Asker::Device(session, request),
                peer_request::Request::GetGroup(_),
                peer_response::Response::Group(state),
            ) => {
                let response = fits(&state).map(|()| client_response::Response::Group(state));
                self.respond(session, request, response.map_err(WireError::from));
            }
            (Asker::Gather(gather, accounts), _, peer_response::Response::Claimed(claimed)) => {
                self.gathered(gather, &accounts, claimed.accounts);
            }
            (Asker::Pull(room), _, peer_response::Response::Pulled(pulled)) => {
                self.take_pulled(&peer, room, pulled);
            }
            (Asker::Permit(id, domain, room), _, peer_response::Response::Done(_)) => {
                self.permitted(id, domain, room);
            }
            (Asker::Device(session, request), ..) => {
                self.respond(session, request, Err(ErrorCode::Malformed.into()));
            }
            (Asker::Gather(gather, accounts), ..) => {
                self.gather_failed(gather, &accounts, ErrorCode::Malformed);
            }
            (Asker::Permit(id, domain, room), ..) => {
                self.not_permitted(id, domain, room, ErrorCode::Malformed);
            }
            (Asker::Fetch(id), ..) => self.media_answer(id, Err(ErrorCode::Malformed.into())),
            (Asker::Pull(_), ..) => {}
        }
    }

    // The device checks again; a node that passed on what it can see is wrong would be a poor witness.
    fn check_foreign(
        &self,
        peer: &DomainName,
        asked: &GetAccount,
        keys: &AccountKeys,
    ) -> Result<(), ErrorCode> {
        let document = self.document(peer).ok_or(ErrorCode::KeyUnverified)?;
        let view = identity::check_account_keys(keys, document, self.now)?;
        if view.account.as_str() == asked.account { Ok(()) } else { Err(ErrorCode::OriginMismatch) }
    }
}
