//! Decides whether a leaf is the device of the account that it says it is (rule R7).

use identity::AccountBinding;
use machine::Timestamp;
use wire::{Account, ErrorCode, PublicKey, limits, proto};

use super::{Contacts, Domains, Want, Wants, contacts::lists};
use crate::record::{ContactRow, Record, Row as _};

/// A device list that was fetched longer ago than this is fetched again before a leaf is accepted.
const LIST_FRESH_MS: u64 = 24 * 3_600_000;
/// Documents that were fetched longer ago than this may lack a key that is in use by now.
const DOCUMENTS_FRESH_MS: u64 = 30_000;

/// What is known about a leaf, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It is whose it says.
    Good,
    /// What is needed to judge it was asked for.
    Unknown,
    /// What is needed to judge it cannot be had at the moment.
    Unavailable(ErrorCode),
    /// It is not whose it says.
    Bad(ErrorCode),
}

/// Everything that is known about who is who.
#[derive(Default)]
pub(crate) struct Trust {
    /// This account and its key: nobody's word about it counts but the device's own.
    pub(crate) own: Option<(Account, PublicKey)>,
    pub(crate) domains: Domains,
    pub(crate) contacts: Contacts,
    pub(crate) wants: Wants,
    /// Rows that changed.
    pub(crate) changed: Vec<Record>,
    /// Accounts that showed another key than the trusted one.
    pub(crate) changed_keys: Vec<Account>,
}

/// [ID-23] Whether a leaf's statements are its own by themselves: what the hub and every member find
/// alike, whatever their clocks say and whichever documents they have.
///
/// # Errors
/// As `identity::check_leaf_form`.
pub(crate) fn form(leaf: &mls::Leaf) -> Result<(), ErrorCode> {
    let names = identity::check_leaf_form(&leaf.identity, &leaf.key)?;
    let same = names == (leaf.account.clone(), leaf.device);
    same.then_some(()).ok_or(ErrorCode::AuthFailed)
}

impl Trust {
    /// Checks binding and certificate against the documents of the account's domain as of `at`, and
    /// the account key against the one that is trusted.
    pub(crate) fn chain(&mut self, now: Timestamp, at: Timestamp, leaf: &mls::Leaf) -> Verdict {
        let domain = leaf.account.domain();
        let Some(document) = self.domains.newest(domain) else {
            return self.want(now, Want::Domain(domain.clone()));
        };
        let checked = identity::check_leaf(&leaf.identity, &leaf.key, document, at);
        match checked {
            Ok(names) if names == (leaf.account.clone(), leaf.device) => {}
            Ok(_) => return Verdict::Bad(ErrorCode::AuthFailed),
            Err(error @ (ErrorCode::BadSignature | ErrorCode::AuthFailed)) => {
                if is_fresh(now, self.domains.fetched_ms(domain), DOCUMENTS_FRESH_MS) {
                    return Verdict::Bad(error);
                }
                return match self.wants.want(now, Want::Domain(domain.clone())) {
                    None => Verdict::Unknown,
                    Some(_) => Verdict::Bad(error),
                };
            }
            Err(error) => return Verdict::Bad(error),
        }
        let binding = leaf.identity.binding.as_ref().ok_or(ErrorCode::Malformed);
        match binding.and_then(AccountBinding::parse) {
            Ok(binding) => self.see(&binding),
            Err(error) => Verdict::Bad(error),
        }
    }

    /// As [`Trust::chain`], and the account's current device list must hold the device. What a leaf
    /// must pass that is being added.
    pub(crate) fn listed(&mut self, now: Timestamp, at: Timestamp, leaf: &mls::Leaf) -> Verdict {
        let chained = self.chain(now, at, leaf);
        if chained != Verdict::Good {
            return chained;
        }
        let fresh = self
            .contacts
            .get(&leaf.account)
            .filter(|row| !row.list_hash.is_empty() && is_fresh(now, row.fetched_ms, LIST_FRESH_MS));
        match fresh {
            Some(row) if lists(row, leaf.device, &leaf.key) => Verdict::Good,
            Some(row) if is_fresh(now, row.fetched_ms, DOCUMENTS_FRESH_MS) => {
                Verdict::Bad(ErrorCode::AuthFailed)
            }
            Some(_) | None => self.want(now, Want::Account(leaf.account.clone())),
        }
    }

    /// As [`Trust::chain`], and a device list of the account that is known must hold the device. What
    /// those who are present already must pass.
    pub(crate) fn present(&mut self, now: Timestamp, leaf: &mls::Leaf) -> Verdict {
        let mut chained = self.chain(now, now, leaf);
        if chained == Verdict::Bad(ErrorCode::AuthFailed) {
            // It was ordered by a clock that may be ahead of this one.
            chained = self.chain(now, now.plus_ms(limits::CLOCK_SKEW_MS), leaf);
        }
        if chained == Verdict::Good { self.revoked(now, leaf) } else { chained }
    }

    /// Whether a device list that is known lacks the device of a leaf that passes otherwise.
    pub(crate) fn revoked(&mut self, now: Timestamp, leaf: &mls::Leaf) -> Verdict {
        let known = self.contacts.get(&leaf.account).filter(|row| !row.list_hash.is_empty());
        let Some(row) = known else { return Verdict::Good };
        if lists(row, leaf.device, &leaf.key) {
            // A newer list may lack it; until then this one holds.
            if !is_fresh(now, row.fetched_ms, LIST_FRESH_MS) {
                self.wants.want(now, Want::Account(leaf.account.clone()));
            }
            return Verdict::Good;
        }
        if is_fresh(now, row.fetched_ms, DOCUMENTS_FRESH_MS) {
            return Verdict::Bad(ErrorCode::AuthFailed);
        }
        self.want(now, Want::Account(leaf.account.clone()))
    }

    /// Takes in what an account's domain states about it.
    ///
    /// # Errors
    /// `Unavailable` if the domain's documents are to be fetched first; else as
    /// `identity::check_account_keys` and `AccountView::follows`.
    pub(crate) fn learn_account(
        &mut self,
        now: Timestamp,
        account: &Account,
        keys: &proto::AccountKeys,
    ) -> Result<ContactRow, ErrorCode> {
        let Some(document) = self.domains.newest(account.domain()) else {
            self.wants.want(now, Want::Domain(account.domain().clone()));
            return Err(ErrorCode::Unavailable);
        };
        let view = identity::check_account_keys(keys, document, now)?;
        if view.account != *account {
            return Err(ErrorCode::AuthFailed);
        }
        self.not_another_self(account, &view.account_key)?;
        let learnt = self.contacts.learn(now, &view).cloned();
        self.note(account, learnt.as_ref().err().copied());
        let row = learnt?;
        self.changed.push(row.put());
        Ok(row)
    }

    fn not_another_self(&self, account: &Account, key: &PublicKey) -> Result<(), ErrorCode> {
        let another = self.own.as_ref().is_some_and(|(own, own_key)| own == account && own_key != key);
        if another { Err(ErrorCode::KeyUnverified) } else { Ok(()) }
    }

    fn see(&mut self, binding: &AccountBinding) -> Verdict {
        if let Err(error) = self.not_another_self(binding.account(), binding.account_key()) {
            return Verdict::Bad(error);
        }
        match self.contacts.see(binding) {
            Ok(None) => Verdict::Good,
            Ok(Some(row)) => {
                let record = row.put();
                self.changed.push(record);
                Verdict::Good
            }
            Err(error) => {
                self.note(binding.account(), Some(error));
                Verdict::Bad(error)
            }
        }
    }

    fn note(&mut self, account: &Account, error: Option<ErrorCode>) {
        if error == Some(ErrorCode::KeyUnverified) {
            self.changed_keys.push(account.clone());
            let record = self.contacts.get(account).map(|row| row.put());
            self.changed.extend(record);
        }
    }

    fn want(&mut self, now: Timestamp, want: Want) -> Verdict {
        match self.wants.want(now, want) {
            None => Verdict::Unknown,
            Some(error) => Verdict::Unavailable(error),
        }
    }
}

/// Whether something was fetched less than this long ago. What was fetched in the future was fetched
/// before the clock was set back, nobody knows when.
pub(crate) fn is_fresh(now: Timestamp, fetched_ms: u64, within_ms: u64) -> bool {
    now.as_ms().checked_sub(fetched_ms).is_some_and(|age| age < within_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_in_the_future_is_stale() {
        let now = Timestamp::from_ms(100_000);
        assert!(is_fresh(now, 100_000, 1));
        assert!(is_fresh(now, 99_001, 1_000));
        assert!(!is_fresh(now, 99_000, 1_000));
        assert!(!is_fresh(now, 100_001, 1_000));
        assert!(!is_fresh(now, u64::MAX, u64::MAX));
    }
}
