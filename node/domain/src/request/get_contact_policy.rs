//! An account asks whom it hears from in other domains.

use machine::Entropy;
use store::Store;
use wire::{
    Account, ErrorCode,
    proto::{ContactPolicy, ContactPolicyState},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-34] What holds, and whose word it is.
    pub(crate) fn get_contact_policy(&self, account: &Account) -> Result<ContactPolicyState, ErrorCode> {
        let row = self.store.account(account).map_err(|error| error.code())?.ok_or(ErrorCode::NotFound)?;
        Ok(ContactPolicyState {
            policy: self.policy(row.policy).into(),
            own: row.policy != ContactPolicy::Unspecified,
        })
    }
}
