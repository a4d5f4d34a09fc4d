//! The accounts of this domain: invited, suspended, restored, deleted.

use bytes::Bytes;
use machine::Entropy;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use store::{Store, StoreError, Write, row::AccountRow};
use wire::{
    Account, DeviceId, ErrorCode, limits,
    proto::{
        AccountKeys, AccountStanding, ContactPolicy, CreateUser, InviteUser, Left, SetStanding, ShowUser,
        User, UserInvite, Users, entry,
    },
};

use super::{Act, LIST_MAX, hex};
use crate::Core;

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn all_accounts(&self) -> Result<Vec<AccountRow>, ErrorCode> {
        let mut all: Vec<AccountRow> = Vec::new();
        loop {
            let after = all.last().map(|row| row.account.clone());
            let page = self.store.accounts(after.as_ref(), LIST_MAX).map_err(|error| error.code())?;
            let last = page.len() < LIST_MAX;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }

    /// An account of this domain, by its name.
    pub(crate) fn own_account(&self, name: &str) -> Result<Account, ErrorCode> {
        let account: Account = name.parse()?;
        if *account.domain() == self.config.domain { Ok(account) } else { Err(ErrorCode::Misdirected) }
    }

    pub(super) fn known_account(&self, account: &Account) -> Result<AccountRow, ErrorCode> {
        self.store.account(account).map_err(|error| error.code())?.ok_or(ErrorCode::NotFound)
    }

    /// An account that is not there yet, or, with `reuse`, was deleted.
    pub(super) fn create_user(&mut self, asked: &CreateUser, by: &str) -> Result<UserInvite, ErrorCode> {
        let account = self.own_account(&asked.account)?;
        let known = self.store.account(&account).map_err(|error| error.code())?;
        match &known {
            None => {}
            // [ADMIN-7] Who gets an address that was somebody's gets it knowingly.
            Some(row) if row.standing == AccountStanding::Deleted && asked.reuse => {}
            Some(_) => return Err(ErrorCode::Conflict),
        }
        Ok(self.write_invitation(&account, known, by))
    }

    /// An account that is not there yet or has not enrolled.
    pub(super) fn invite_user(&mut self, asked: &InviteUser, by: &str) -> Result<UserInvite, ErrorCode> {
        let account = self.own_account(&asked.account)?;
        let known = self.store.account(&account).map_err(|error| error.code())?;
        match &known {
            Some(row) if row.standing == AccountStanding::Suspended => return Err(ErrorCode::Blocked),
            Some(row) if row.keys.is_some() || row.standing == AccountStanding::Deleted => {
                return Err(ErrorCode::Conflict);
            }
            _ => {}
        }
        Ok(self.write_invitation(&account, known, by))
    }

    fn write_invitation(&mut self, account: &Account, known: Option<AccountRow>, by: &str) -> UserInvite {
        let code: [u8; 16] = self.entropy.array();
        let expires = self.now.as_s().saturating_add(limits::INVITE_CODE_VALID_S);
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutAccount(AccountRow {
            account: account.clone(),
            code_hash: Some(Sha256::digest(code).into()),
            code_expires_ms: expires.saturating_mul(1000),
            keys: None,
            policy: ContactPolicy::Unspecified,
            standing: AccountStanding::Active,
            standing_since_ms: 0,
        }));
        if known.as_ref().is_some_and(|row| row.standing == AccountStanding::Deleted) {
            // Whoever had the address before knows nothing that proves it now.
            self.drain.batch.push(Write::DropPassword(account.clone()));
        }
        let before = known.and_then(|row| row.keys).map(fingerprint);
        let detail = before
            .map_or_else(String::new, |before| format!("the address had the account key {}", hex(&before)));
        self.record(Act::UserInvite, by, account.as_str(), &detail);
        UserInvite {
            account: account.as_str().to_owned(),
            code: Bytes::copy_from_slice(&code),
            expires,
            fingerprint: self.fingerprint(),
            endpoints: self.chain.newest().endpoints().iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn list_users(&self) -> Result<Users, ErrorCode> {
        let rows = self.all_accounts()?;
        Ok(Users { users: rows.iter().map(|row| self.user(row)).collect::<Result<_, _>>()? })
    }

    pub(super) fn show_user(&self, asked: &ShowUser) -> Result<User, ErrorCode> {
        let account = self.own_account(&asked.account)?;
        let row = self.known_account(&account)?;
        self.user_in_full(&row)
    }

    fn user(&self, row: &AccountRow) -> Result<User, ErrorCode> {
        let failed = |error: StoreError| error.code();
        let devices = self.store.devices(&row.account).map_err(failed)?;
        let mut key_packages = 0;
        for device in &devices {
            let count = self.store.key_package_count(&row.account, &device.device).map_err(failed)?;
            key_packages += u64::from(count.0);
        }
        let sessions = self.sessions.of(&row.account).len();
        Ok(User {
            account: row.account.as_str().to_owned(),
            devices: u32::try_from(devices.len()).unwrap_or(u32::MAX),
            enrolled: row.keys.is_some(),
            key_packages,
            standing: row.standing.into(),
            standing_since_ms: row.standing_since_ms,
            invitation_expires: row.code_hash.map_or(0, |_| row.code_expires_ms / 1000),
            sessions: u32::try_from(sessions).unwrap_or(u32::MAX),
            password: self.store.password(&row.account).map_err(failed)?.is_some(),
            ..User::default()
        })
    }

    fn user_in_full(&self, row: &AccountRow) -> Result<User, ErrorCode> {
        let memberships = self.store.memberships(&row.account).map_err(|error| error.code())?;
        let rooms = memberships.iter().filter(|member| member.to_seq.is_none()).count();
        Ok(User {
            rooms: u32::try_from(rooms).unwrap_or(u32::MAX),
            fingerprint: row.keys.clone().map(fingerprint).unwrap_or_default(),
            ..self.user(row)?
        })
    }

    /// [ADMIN-7] Suspends, restores or deletes an account. What it is already changes nothing.
    pub(super) fn set_standing(&mut self, asked: &SetStanding, by: &str) -> Result<User, ErrorCode> {
        let account = self.own_account(&asked.account)?;
        let standing = AccountStanding::try_from(asked.standing).map_err(|_| ErrorCode::Malformed)?;
        let row = self.known_account(&account)?;
        let act = match (row.standing, standing) {
            (_, AccountStanding::Unspecified) => return Err(ErrorCode::Malformed),
            (before, after) if before == after => return self.user_in_full(&row),
            // Its devices are gone: there is nothing to come back to.
            (AccountStanding::Deleted, _) => return Err(ErrorCode::Conflict),
            (_, AccountStanding::Suspended) => Act::UserSuspend,
            (_, AccountStanding::Active) => Act::UserRestore,
            (_, AccountStanding::Deleted) => Act::UserDelete,
        };
        let mut row = AccountRow { standing, standing_since_ms: self.now.as_ms(), ..row };
        match standing {
            AccountStanding::Suspended => self.end_all_sessions(&account, ErrorCode::Blocked),
            AccountStanding::Deleted => {
                self.end_all_sessions(&account, ErrorCode::AuthFailed);
                self.free(&account)?;
                row = AccountRow { code_hash: None, policy: ContactPolicy::Unspecified, ..row };
            }
            AccountStanding::Active | AccountStanding::Unspecified => {}
        }
        let key = row.keys.clone().map(fingerprint).unwrap_or_default();
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutAccount(row.clone()));
        let detail = match key.is_empty() {
            true => "it had not enrolled".to_owned(),
            false => format!("account key {}", hex(&key)),
        };
        self.record(act, by, account.as_str(), &detail);
        let shown = self.user_in_full(&row)?;
        Ok(match standing {
            AccountStanding::Deleted => {
                User { devices: 0, key_packages: 0, rooms: 0, password: false, ..shown }
            }
            _ => shown,
        })
    }

    fn end_all_sessions(&mut self, account: &Account, error: ErrorCode) {
        for (_, id) in self.sessions.of(account) {
            self.goodbye(id, error.into());
        }
    }

    /// The account leaves its rooms, answers its invitations, and what was kept for it goes. Its keys
    /// stay as they were seen, so that another key for the address is a change that shows.
    fn free(&mut self, account: &Account) -> Result<(), ErrorCode> {
        let failed = |error: StoreError| error.code();
        for row in self.store.invitations(account).map_err(failed)? {
            self.drain.batch.push(Write::DropInvitation(account.clone(), row.room));
            if let Some(mut room) = self.take_room(&row.room)? {
                self.decline(&mut room, account);
                self.rooms.put(room);
            }
        }
        for member in self.store.memberships(account).map_err(failed)? {
            let Some(mut room) = self.take_room(&member.room)? else { continue };
            if member.to_seq.is_none() {
                self.decline(&mut room, account);
            }
            room.forget(account, &self.config.domain);
            self.rooms.put(room);
        }
        self.drain.batch.push(Write::DropMemberships(account.clone()));
        for device in self.store.devices(account).map_err(failed)? {
            self.drain.batch.push(Write::DropDevice(account.clone(), device.device));
        }
        self.drain.batch.push(Write::DropKeyPackages(account.clone()));
        self.drain.batch.push(Write::DropPassword(account.clone()));
        // The newest of all entries is never removed: one that no device will fetch becomes that.
        let up_to = self.position;
        let nobody = DeviceId::new(self.entropy.array());
        self.add_entry(account, Some(nobody), entry::Entry::Left(Left::default()));
        self.drain.batch.push(Write::PruneEntries(account.clone(), up_to));
        Ok(())
    }
}

/// Whether an account of this domain may do anything.
///
/// # Errors
/// `Blocked` if it is suspended, `NotFound` if it was deleted.
pub(crate) const fn may_act(row: &AccountRow) -> Result<(), ErrorCode> {
    match row.standing {
        AccountStanding::Suspended => Err(ErrorCode::Blocked),
        AccountStanding::Deleted => Err(ErrorCode::NotFound),
        AccountStanding::Active | AccountStanding::Unspecified => Ok(()),
    }
}

/// SHA-256 of the account key in stored keys, empty if they hold none.
fn fingerprint(keys: Bytes) -> Bytes {
    let binding = AccountKeys::decode(keys).ok().and_then(|keys| keys.binding);
    let binding = binding.and_then(|signed| identity::AccountBinding::parse(&signed).ok());
    binding.map_or_else(Bytes::new, |binding| {
        Bytes::copy_from_slice(&identity::fingerprint(binding.account_key()))
    })
}
