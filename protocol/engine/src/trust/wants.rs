//! What has to be fetched before something can be judged, and what could not be fetched.

use std::collections::{BTreeMap, BTreeSet};

use machine::Timestamp;
use wire::{Account, DomainName, ErrorCode, limits};

/// A failed fetch is not repeated before this many milliseconds have passed.
const REST_MS: u64 = 30_000;
/// A fetch without an answer has failed after this many milliseconds.
const GIVEN_UP_MS: u64 = limits::REQUEST_DEADLINE_MS;

/// Something to fetch through one's own node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Want {
    Domain(DomainName),
    Account(Account),
}

/// What is wanted, what is on its way, and what failed. Bounded by the names in the rooms.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    wanted: BTreeSet<Want>,
    on_its_way: BTreeMap<Want, Timestamp>,
    failed: BTreeMap<Want, (ErrorCode, Timestamp)>,
}

impl Wants {
    /// Asks for something; says why not if it failed a moment ago.
    pub(crate) fn want(&mut self, now: Timestamp, want: Want) -> Option<ErrorCode> {
        if let Some((error, at)) = self.failed.get(&want) {
            if now.since_ms(*at) < REST_MS {
                return Some(*error);
            }
            self.failed.remove(&want);
        }
        match self.on_its_way.get(&want) {
            Some(since) if now.since_ms(*since) < GIVEN_UP_MS => None,
            Some(_) => {
                self.settled(now, want, Some(ErrorCode::Timeout));
                Some(ErrorCode::Timeout)
            }
            None => {
                self.wanted.insert(want);
                None
            }
        }
    }

    /// What is to be asked meanwhile; it is on its way then.
    pub(crate) fn take(&mut self, now: Timestamp) -> Vec<Want> {
        let wanted: Vec<Want> = std::mem::take(&mut self.wanted).into_iter().collect();
        self.on_its_way.extend(wanted.iter().map(|want| (want.clone(), now)));
        wanted
    }

    /// It is here, or failed.
    pub(crate) fn settled(&mut self, now: Timestamp, want: Want, error: Option<ErrorCode>) {
        self.on_its_way.remove(&want);
        match error {
            Some(error) => self.failed.insert(want, (error, now)),
            None => self.failed.remove(&want),
        };
    }

    /// The session is over, or a new one begins: everything may be asked for again.
    pub(crate) fn reset(&mut self) {
        self.wanted.extend(std::mem::take(&mut self.on_its_way).into_keys());
        self.failed.clear();
    }
}
