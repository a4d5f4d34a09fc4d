//! An account says whom it hears from in other domains.

use machine::Entropy;
use store::{Store, Write, row::AccountRow};
use wire::{
    Account, ErrorCode,
    proto::{ContactPolicy, Done, SetContactPolicy},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn set_contact_policy(
        &mut self,
        account: &Account,
        request: &SetContactPolicy,
    ) -> Result<Done, ErrorCode> {
        let policy = ContactPolicy::try_from(request.policy).map_err(|_| ErrorCode::Malformed)?;
        let row = self.store.account(account).map_err(|error| error.code())?.ok_or(ErrorCode::NotFound)?;
        if row.policy == policy {
            return Ok(Done {});
        }
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutAccount(AccountRow { policy, ..row }));
        Ok(Done {})
    }
}
