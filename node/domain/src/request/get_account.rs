//! A device asks for the keys of an account, here or at a peer.

use machine::Entropy;
use store::Store;
use wire::{
    Account, ErrorCode,
    proto::{GetAccount, client_response, peer_request},
};

use crate::{Core, SessionId, waiting::Asker};

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn get_account(&mut self, session: SessionId, id: u64, request: GetAccount) {
        let account: Account = match request.account.parse() {
            Ok(account) => account,
            Err(error) => return self.respond(session, id, Err(ErrorCode::into(error))),
        };
        if *account.domain() == self.config.domain {
            let keys = self.account_keys(&account).map(client_response::Response::Account);
            return self.respond(session, id, keys.map_err(Into::into));
        }
        if !self.may_ask(session) {
            return self.respond(session, id, Err(ErrorCode::Quota.into()));
        }
        let domain = account.domain().clone();
        self.ask(&domain, Asker::Device(session, id), peer_request::Request::GetAccount(request));
    }
}
