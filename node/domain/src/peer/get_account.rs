//! A peer asks for the keys of an account of this domain.

use machine::Entropy;
use prost::Message as _;
use store::Store;
use wire::{
    Account, ErrorCode,
    proto::{AccountKeys, AccountStanding, GetAccount, peer_response},
};

use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn peer_get_account(
        &self,
        request: &GetAccount,
    ) -> Result<peer_response::Response, ErrorCode> {
        self.account_keys(&request.account.parse()?).map(peer_response::Response::Account)
    }

    /// The keys of an account of this domain.
    ///
    /// # Errors
    /// `NotFound`, the same for an account that does not exist and one that has not enrolled.
    pub(crate) fn account_keys(&self, account: &Account) -> Result<AccountKeys, ErrorCode> {
        let row = self.store.account(account).map_err(|error| error.code())?;
        let row = row.filter(|row| row.standing != AccountStanding::Deleted);
        let keys = row.and_then(|row| row.keys).ok_or(ErrorCode::NotFound)?;
        AccountKeys::decode(keys).map_err(|_| ErrorCode::Internal)
    }
}
