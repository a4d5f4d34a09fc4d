//! A device claims key packages of accounts of one or several domains.

use std::collections::BTreeMap;

use machine::Entropy;
use store::Store;
use wire::{
    Account, DomainName, ErrorCode, limits,
    proto::{ClaimKeyPackages, client_response, peer_request},
};

use crate::{Core, SessionId, waiting::Asker};

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-15] The answer has one part for each account, in the order of the request. A domain that
    /// cannot be asked fails its own accounts only.
    pub(crate) fn claim_key_packages(
        &mut self,
        session: SessionId,
        id: u64,
        account: &Account,
        request: ClaimKeyPackages,
    ) {
        let domains = match self.split(account, &request) {
            Ok(domains) => domains,
            Err(error) => return self.respond(session, id, Err(error.into())),
        };
        let own = self.config.domain.clone();
        if domains.keys().eq([&own]) {
            let claimed = self.claim(&own, &request).map(client_response::Response::Claimed);
            return self.respond(session, id, claimed.map_err(Into::into));
        }
        if !self.may_ask(session) {
            return self.respond(session, id, Err(ErrorCode::Quota.into()));
        }
        let gather = self.gathers.begin(session, id, request.accounts.clone());
        for (domain, accounts) in domains {
            let part = ClaimKeyPackages { accounts: accounts.clone(), ..request.clone() };
            if domain != own {
                let body = peer_request::Request::ClaimKeyPackages(part);
                self.ask(&domain, Asker::Gather(gather, accounts), body);
                continue;
            }
            match self.claim(&own, &part) {
                Ok(claimed) => self.gathered(gather, &accounts, claimed.accounts),
                Err(error) => self.gather_failed(gather, &accounts, error),
            }
        }
    }

    fn split(
        &self,
        account: &Account,
        request: &ClaimKeyPackages,
    ) -> Result<BTreeMap<DomainName, Vec<String>>, ErrorCode> {
        if request.requester != account.as_str() {
            return Err(ErrorCode::OriginMismatch);
        }
        if request.accounts.len() > limits::ADDS_PER_COMMIT_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let mut domains: BTreeMap<DomainName, Vec<String>> = BTreeMap::new();
        for name in &request.accounts {
            let of_domain = domains.entry(name.parse::<Account>()?.domain().clone()).or_default();
            if of_domain.contains(name) {
                return Err(ErrorCode::Malformed);
            }
            of_domain.push(name.clone());
        }
        if domains.is_empty() { Err(ErrorCode::Malformed) } else { Ok(domains) }
    }
}
