//! Puts together the answer to a claim for accounts of several domains.

use std::collections::BTreeMap;

use machine::Entropy;
use prost::Message as _;
use store::Store;
use wire::{
    ErrorCode, limits,
    proto::{ClaimedAccount, ClaimedKeyPackages, client_response},
};

use crate::{Core, SessionId};

/// What an answer to a claim may have; the rest of the frame is the envelope's.
const ANSWER_BYTES_MAX: usize = limits::FRAME_BYTES_MAX - 1_024;
/// The tag and the length in front of a part.
const FIELD_BYTES: usize = 8;

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
        let claimed = ClaimedKeyPackages { accounts: fitting(accounts) };
        self.respond(done.session, done.request, Ok(client_response::Response::Claimed(claimed)));
    }

    /// These accounts cannot be answered for.
    pub(crate) fn gather_failed(&mut self, gather: u64, of: &[String], error: ErrorCode) {
        let answers = of.iter().map(|name| refused(name, error)).collect();
        self.gathered(gather, of, answers);
    }
}

/// [SYNC-15] What a peer answers is as large as it likes: the largest parts are left out until the others
/// fit into a frame.
fn fitting(mut accounts: Vec<ClaimedAccount>) -> Vec<ClaimedAccount> {
    let size = |account: &ClaimedAccount| account.encoded_len() + FIELD_BYTES;
    loop {
        let total: usize = accounts.iter().map(size).sum();
        let largest = accounts.iter_mut().filter(|account| account.error.is_none()).max_by_key(|it| size(it));
        match largest {
            Some(largest) if total > ANSWER_BYTES_MAX => {
                *largest = refused(&largest.account, ErrorCode::TooLarge);
            }
            _ => return accounts,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use wire::proto::ClaimedPackage;

    fn claimed(name: &str, bytes: usize) -> ClaimedAccount {
        let package = ClaimedPackage { key_package: vec![0; bytes].into(), ..ClaimedPackage::default() };
        ClaimedAccount { account: name.to_owned(), packages: vec![package], ..ClaimedAccount::default() }
    }

    // [SYNC-15]
    #[test]
    fn one_part_that_is_too_large_does_not_fail_the_others() {
        let parts = vec![claimed("a", 2_000), claimed("b", limits::FRAME_BYTES_MAX), claimed("c", 600_000)];
        let errors: Vec<_> = fitting(parts).into_iter().map(|part| part.error.map(|it| it.code)).collect();
        assert_eq!(errors, [None, Some(ErrorCode::TooLarge.code()), None]);
        let many = (0..60).map(|n| claimed(&n.to_string(), 100_000)).collect();
        let kept = fitting(many).iter().filter(|part| part.error.is_none()).count();
        assert_eq!(kept, 11);
    }
}
