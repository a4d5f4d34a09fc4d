//! How much an account may ask of its node.

use std::collections::BTreeMap;

use machine::{Entropy, Timestamp};
use store::Store;
use wire::{
    Account, ErrorCode, WireError, limits,
    proto::{EventKind, client_request::Request},
};

use crate::{Core, token_bucket::TokenBucket};

/// From this many buckets on, those that are full again are looked for.
const SWEEP_FROM: usize = 1_024;

/// One bucket for each account that has asked for something lately, whatever became of the session:
/// connecting anew fills none. A full bucket is as good as none and is dropped in time.
#[derive(Default)]
pub(crate) struct Paces {
    of: BTreeMap<Account, TokenBucket>,
    sweep_at: usize,
}

impl Paces {
    /// Takes what a request costs, or says how many milliseconds to wait.
    fn take(&mut self, account: &Account, cost: usize, now: Timestamp) -> Result<(), u64> {
        let (rate, burst) = (limits::TOKENS_PER_SECOND, limits::TOKENS_BURST);
        if let Some(bucket) = self.of.get_mut(account) {
            return bucket.take(cost, now, rate, burst);
        }
        if self.of.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.of.retain(|_, bucket| !bucket.is_full(now, rate, burst));
            self.sweep_at = 2 * self.of.len();
        }
        let mut bucket = TokenBucket::new(burst, now);
        let taken = bucket.take(cost, now, rate, burst);
        self.of.insert(account.clone(), bucket);
        taken
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-9] Has the account pay for a request, or says when it can.
    pub(crate) fn pace(&mut self, account: &Account, cost: usize) -> Result<(), WireError> {
        self.paces.take(account, cost, self.now).map_err(|retry_after_ms| WireError {
            code: ErrorCode::RateLimited,
            retry_after_ms,
            value: 0,
        })
    }
}

/// What a request costs, by the work that it may make.
pub(crate) fn cost(request: Option<&Request>) -> usize {
    match request {
        Some(Request::Submit(submission)) => match submission.kind() {
            EventKind::Commit | EventKind::Founding | EventKind::Proposal => limits::COST_COMMIT,
            EventKind::Message | EventKind::Notice | EventKind::Unspecified => limits::COST_MESSAGE,
        },
        Some(Request::PullEvents(_)) => limits::COST_PULL,
        Some(Request::GetGroup(_)) => limits::COST_GROUP,
        Some(Request::UploadKeyPackages(asked)) => {
            // More than these are refused by their number.
            asked.packages.len().clamp(1, limits::KEY_PACKAGES_PER_DEVICE_MAX) * limits::COST_KEY_PACKAGE
        }
        Some(Request::ClaimKeyPackages(asked)) => {
            asked.accounts.len().clamp(1, limits::ADDS_PER_COMMIT_MAX) * limits::COST_KEY_PACKAGE
        }
        // Either looks through the rooms of the account.
        Some(Request::Subscribe(_) | Request::ShowPresence(_)) => limits::COST_SUBSCRIBE,
        Some(Request::AnswerInvitation(_) | Request::SetContactPolicy(_) | Request::Enrol(_)) => {
            limits::COST_WRITE
        }
        Some(
            Request::GetDomain(_)
            | Request::GetAccount(_)
            | Request::PeerStates(_)
            | Request::GetContactPolicy(_),
        )
        | None => limits::COST_LOOK_UP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> Account {
        format!("a{number}@acme.test").parse().expect("an account")
    }

    #[test]
    fn a_bucket_that_is_full_again_is_forgotten_and_no_other() {
        let mut paces = Paces::default();
        let now = Timestamp::from_ms(1_000_000);
        for number in 0..SWEEP_FROM {
            assert_eq!(paces.take(&account(number), 1, now), Ok(()));
        }
        let later = now.plus_ms(1_000);
        assert_eq!(paces.take(&account(0), limits::TOKENS_BURST, later), Ok(()));
        assert_eq!(paces.take(&account(SWEEP_FROM), 1, later), Ok(()));
        assert_eq!(paces.of.len(), 2, "those that asked just now");
        assert!(paces.take(&account(0), 1, later).is_err());
    }

    #[test]
    fn everything_that_may_be_asked_costs_something_that_can_be_paid() {
        let request = |kind: EventKind| {
            Request::Submit(wire::proto::Submission {
                kind: kind.into(),
                ..wire::proto::Submission::default()
            })
        };
        let packages = vec![wire::proto::KeyPackageUpload::default(); 10_000];
        for request in [
            None,
            Some(request(EventKind::Message)),
            Some(request(EventKind::Commit)),
            Some(Request::UploadKeyPackages(wire::proto::UploadKeyPackages { packages: packages.clone() })),
            Some(Request::UploadKeyPackages(wire::proto::UploadKeyPackages::default())),
            Some(Request::Subscribe(wire::proto::Subscribe::default())),
        ] {
            let cost = cost(request.as_ref());
            assert!((1..=limits::TOKENS_BURST).contains(&cost), "{cost} for {request:?}");
        }
    }
}
