//! Puts together the answer to a claim for accounts of several domains.

use std::collections::BTreeMap;

use machine::Entropy;
use store::Store;
use wire::{
    ErrorCode,
    proto::{ClaimedAccount, ClaimedKeyPackages, client_response},
};

use crate::{Core, SessionId};

struct Gather {
    session: SessionId,
    request: u64,
    /// In the order in which they were asked for.
    accounts: Vec<String>,
    claimed: BTreeMap<String, ClaimedAccount>,
}

/// The claims that wait for peers; each has an entry in the table of unanswered requests, which is
/// bounded.
#[derive(Default)]
pub(crate) struct Gathers {
    open: BTreeMap<u64, Gather>,
    last: u64,
}

impl Gathers {
    /// Begins to gather the answers for these accounts.
    pub(crate) fn begin(&mut self, session: SessionId, request: u64, accounts: Vec<String>) -> u64 {
        self.last += 1;
        self.open.insert(self.last, Gather { session, request, accounts, claimed: BTreeMap::new() });
        self.last
    }

    /// How many claims wait for a session's sake.
    pub(crate) fn of_session(&self, session: SessionId) -> usize {
        self.open.values().filter(|gather| gather.session == session).count()
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// Adds answers, and answers the device when the last is there. Accounts that were not asked for
    /// are passed over; only `of` may be answered.
    pub(crate) fn gathered(&mut self, gather: u64, of: &[String], answers: Vec<ClaimedAccount>) {
        let Some(open) = self.gathers.open.get_mut(&gather) else { return };
        for answer in answers {
            if of.contains(&answer.account) {
                open.claimed.insert(answer.account.clone(), answer);
            }
        }
        for name in of {
            open.claimed.entry(name.clone()).or_insert_with(|| refused(name, ErrorCode::NotFound));
        }
        if open.accounts.iter().any(|name| !open.claimed.contains_key(name)) {
            return;
        }
        let Some(mut done) = self.gathers.open.remove(&gather) else { return };
        let accounts = done.accounts.iter().filter_map(|name| done.claimed.remove(name)).collect();
        let claimed = ClaimedKeyPackages { accounts };
        self.respond(done.session, done.request, Ok(client_response::Response::Claimed(claimed)));
    }

    /// These accounts cannot be answered for.
    pub(crate) fn gather_failed(&mut self, gather: u64, of: &[String], error: ErrorCode) {
        let answers = of.iter().map(|name| refused(name, error)).collect();
        self.gathered(gather, of, answers);
    }
}

/// An account for which nothing was claimed.
pub(crate) fn refused(account: &str, error: ErrorCode) -> ClaimedAccount {
    ClaimedAccount {
        account: account.to_owned(),
        error: Some(error.into()),
        keys: None,
        packages: Vec::new(),
    }
}
