//! What a password may do: let whoever knows it enrol the first device of an account, once, as an
//! invite code does. It proves nothing about keys: those are made on the device, and an account that
//! has some keeps them, whatever the password.
//!
//! Whether a password is the right one is asked outside (`ports`); here it is decided who may ask,
//! how often, and what follows from the answer.

use std::collections::BTreeMap;

use bytes::Bytes;
use machine::Entropy;
use store::{
    Batch, Store, StoreError, Write,
    row::{AccountRow, PasswordRow},
};
use wire::{
    Account, ErrorCode, WireError, limits,
    proto::{
        AccountKeys, AccountStanding, ContactPolicy, Done, SetPassword, SignIns, admin_response,
        client_response,
    },
};

use crate::{
    AdminId, Core, Kept, Network, ProofId, Question, Secret, SessionId, Verdict,
    admin::{Act, may_act},
    quiet::Quiet,
    request::repeated,
    send::Send,
    tries::{Tries, Whose},
};

const KEY: &str = "tries_key";
/// When somebody should come again who was one too many.
const BUSY_MS: u64 = 1_000;

/// Questions that are open, and how often was tried.
pub(crate) struct Passwords {
    open: BTreeMap<ProofId, Waiting>,
    tries: Tries,
    last: u64,
    counts: SignIns,
    refusals: Quiet,
}

/// Who waits for an answer.
enum Waiting {
    Device(Attempt),
    /// The account is to have the password, by the word of whom.
    Admin(AdminId, Account, String),
}

/// A device that has given a password.
struct Attempt {
    session: SessionId,
    number: u64,
    account: Account,
    keys: AccountKeys,
    network: Network,
    /// What was kept when it was asked.
    kept: Option<Kept>,
}

impl Passwords {
    /// With what the store remembers of earlier tries.
    pub(crate) fn load(
        store: &impl Store,
        entropy: &mut impl Entropy,
        batch: &mut Batch,
    ) -> Result<Self, StoreError> {
        let key = match store.meta(KEY)? {
            Some(bytes) => <[u8; 32]>::try_from(bytes.as_ref())
                .map_err(|_| StoreError::Damaged("the key of the tries has a wrong length".into()))?,
            None => {
                let key = entropy.array::<32>();
                batch.push(Write::PutMeta(KEY, Bytes::copy_from_slice(&key)));
                key
            }
        };
        Ok(Self {
            open: BTreeMap::new(),
            tries: Tries::new(key, store.tries()?),
            last: 0,
            counts: SignIns::default(),
            refusals: Quiet::default(),
        })
    }

    /// What came of attempts so far.
    pub(crate) const fn counts(&self) -> SignIns {
        self.counts
    }

    fn ask(&mut self, waiting: Waiting) -> ProofId {
        self.last += 1;
        let proof = ProofId(self.last);
        self.open.insert(proof, waiting);
        proof
    }

    fn devices_waiting(&self) -> usize {
        self.open.values().filter(|waiting| matches!(waiting, Waiting::Device(_))).count()
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    /// [SYNC-30] Has a password judged, if it may be tried now. What can be seen to be wrong without
    /// knowing the account is refused before anything is looked up or counted.
    pub(crate) fn try_password(
        &mut self,
        (session, number): (SessionId, u64),
        account: Account,
        keys: AccountKeys,
        password: &[u8],
    ) -> Result<(), WireError> {
        if !self.config.passwords {
            return Err(ErrorCode::Policy.into());
        }
        if password.is_empty() {
            return Err(ErrorCode::Malformed.into());
        }
        if password.len() > limits::PASSWORD_BYTES_MAX {
            return Err(ErrorCode::TooLarge.into());
        }
        if *account.domain() != self.config.domain {
            return Err(ErrorCode::AuthFailed.into());
        }
        let network = self.sessions.get(session).ok_or(ErrorCode::Internal)?.network;
        self.count_try(&account, network)?;
        let kept = self.kept(&account)?;
        let question =
            Question::Prove { account: account.clone(), secret: Secret::new(password), kept: kept.clone() };
        let attempt = Attempt { session, number, account, keys, network, kept };
        let proof = self.passwords.ask(Waiting::Device(attempt));
        self.stage(Send::Prove(proof, question));
        Ok(())
    }

    /// Counts a try against the account and the network, or says when there may be another. It is on
    /// disk before the password is judged, so that ending the process gives no try back.
    fn count_try(&mut self, account: &Account, network: Network) -> Result<(), WireError> {
        let passwords = &mut self.passwords;
        let limited = |retry_after_ms| WireError { code: ErrorCode::RateLimited, retry_after_ms, value: 0 };
        let both = [Whose::Account(account), Whose::Network(network)];
        let wait = both.map(|whose| passwords.tries.wait_ms(whose, self.now)).into_iter().max().unwrap_or(0);
        if wait > 0 {
            passwords.counts.limited += 1;
            return Err(limited(wait));
        }
        if passwords.devices_waiting() >= limits::PASSWORDS_WAITING_MAX {
            passwords.counts.busy += 1;
            return Err(limited(BUSY_MS));
        }
        for whose in both {
            let (slot, full_ms) = passwords.tries.take(whose, self.now);
            self.drain.batch.push(Write::PutTries(slot, full_ms));
        }
        Ok(())
    }

    fn give_back(&mut self, account: &Account, network: Network) {
        for whose in [Whose::Account(account), Whose::Network(network)] {
            let (slot, full_ms) = self.passwords.tries.give_back(whose, self.now);
            self.drain.batch.push(Write::PutTries(slot, full_ms));
        }
    }

    fn kept(&self, account: &Account) -> Result<Option<Kept>, ErrorCode> {
        let row = self.store.password(account).map_err(|error| error.code())?;
        Ok(row.map(|row| Kept(row.kept)))
    }

    /// The answer to a question.
    pub(crate) fn proved(&mut self, proof: ProofId, verdict: Verdict) {
        match self.passwords.open.remove(&proof) {
            Some(Waiting::Device(attempt)) => {
                let (session, number) = (attempt.session, attempt.number);
                let response = self.signed_in(attempt, verdict);
                let response = response.map(client_response::Response::Account).map_err(Into::into);
                self.respond(session, number, response);
            }
            Some(Waiting::Admin(id, account, by)) => {
                let response = match self.password_kept(account, verdict, &by) {
                    Ok(done) => admin_response::Response::Done(done),
                    Err(error) => admin_response::Response::Error(error.into()),
                };
                self.stage(Send::Admin(id, response));
            }
            None => {}
        }
    }

    /// [ID-30] The right password enrols an account that has no keys, and does nothing to one that has.
    fn signed_in(&mut self, attempt: Attempt, verdict: Verdict) -> Result<AccountKeys, ErrorCode> {
        let Attempt { account, keys, network, kept, .. } = attempt;
        let renewed = match verdict {
            // Another password was set meanwhile, or none is any more: then this one proves nothing.
            Verdict::Proved { renewed } if self.kept(&account)? == kept => renewed,
            Verdict::Proved { .. } | Verdict::NotProved => {
                self.passwords.counts.refused += 1;
                if let Some(others) = self.passwords.refusals.may_say(self.now) {
                    tracing::warn!(%account, %network, others, "a password was refused");
                }
                return Err(ErrorCode::AuthFailed);
            }
            Verdict::Refused(code) => {
                self.passwords.counts.failed += 1;
                self.give_back(&account, network);
                return Err(code);
            }
            Verdict::Kept(_) => return Err(ErrorCode::Internal),
        };
        if let Some(Kept(kept)) = renewed {
            self.drain.settle_first = true;
            self.drain.batch.push(Write::PutPassword(PasswordRow { account: account.clone(), kept }));
        }
        let row = self.store.account(&account).map_err(|error| error.code())?.ok_or(ErrorCode::AuthFailed)?;
        // [ADMIN-7] What somebody else would learn of an account by it is what its person knows.
        if let Err(error) = may_act(&row) {
            self.give_back(&account, network);
            return Err(error);
        }
        if let Some(known) = &row.keys {
            self.give_back(&account, network);
            return repeated(known, &keys).ok_or(ErrorCode::Conflict);
        }
        let keys = self.give_keys(row, &keys)?;
        self.give_back(&account, network);
        self.passwords.counts.accepted += 1;
        tracing::info!(%account, %network, "a password has enrolled the account");
        Ok(keys)
    }

    /// Has made of a password what is kept of it. The answer comes later.
    pub(crate) fn set_password(
        &mut self,
        id: AdminId,
        asked: &SetPassword,
        by: &str,
    ) -> Result<(), ErrorCode> {
        let account = self.own_account(&asked.account)?;
        // [ADMIN-7] An address is given to somebody else by no way but one.
        let known = self.store.account(&account).map_err(|error| error.code())?;
        if known.is_some_and(|row| row.standing == AccountStanding::Deleted) {
            return Err(ErrorCode::Conflict);
        }
        if !self.config.passwords {
            return Err(ErrorCode::Policy);
        }
        if asked.password.len() < limits::PASSWORD_BYTES_MIN {
            return Err(ErrorCode::Malformed);
        }
        if asked.password.len() > limits::PASSWORD_BYTES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        let question = Question::Keep { secret: Secret::new(&asked.password) };
        let proof = self.passwords.ask(Waiting::Admin(id, account, by.to_owned()));
        self.stage(Send::Prove(proof, question));
        Ok(())
    }

    fn password_kept(&mut self, account: Account, verdict: Verdict, by: &str) -> Result<Done, ErrorCode> {
        let kept = match verdict {
            Verdict::Kept(Kept(kept)) => kept,
            Verdict::Refused(code) => return Err(code),
            Verdict::Proved { .. } | Verdict::NotProved => return Err(ErrorCode::Internal),
        };
        let known = self.store.account(&account).map_err(|error| error.code())?;
        // [ADMIN-7] It may have been deleted while the hash was made.
        if known.as_ref().is_some_and(|row| row.standing == AccountStanding::Deleted) {
            return Err(ErrorCode::Conflict);
        }
        self.drain.settle_first = true;
        if known.is_none() {
            self.drain.batch.push(Write::PutAccount(AccountRow {
                account: account.clone(),
                code_hash: None,
                code_expires_ms: 0,
                keys: None,
                policy: ContactPolicy::Unspecified,
                standing: AccountStanding::Active,
                standing_since_ms: 0,
            }));
        }
        // Guesses at the earlier password say nothing about this one.
        let (slot, full_ms) = self.passwords.tries.forgive(&account);
        self.drain.batch.push(Write::PutTries(slot, full_ms));
        tracing::info!(%account, "a password was set");
        self.record(Act::UserPassword, by, account.as_str(), "set");
        self.drain.batch.push(Write::PutPassword(PasswordRow { account, kept }));
        Ok(Done {})
    }

    /// The account's password proves nothing from now on.
    pub(crate) fn unset_password(&mut self, name: &str, by: &str) -> Result<Done, ErrorCode> {
        let account = self.own_account(name)?;
        self.kept(&account)?.ok_or(ErrorCode::NotFound)?;
        self.drain.settle_first = true;
        tracing::info!(%account, "the password was unset");
        self.record(Act::UserPassword, by, account.as_str(), "unset");
        self.drain.batch.push(Write::DropPassword(account));
        Ok(Done {})
    }
}
