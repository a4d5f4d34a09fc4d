//! Adding accounts: a key package of each of their devices is claimed, every one is checked as hard
//! as a leaf can be (rule R7), and those that pass come in with one commit.

use std::collections::BTreeSet;

use bytes::Bytes;
use machine::Entropy;
use wire::{
    Account, ErrorCode, MessageId, WireError, limits,
    proto::{self, ClaimKeyPackages, ClaimedAccount, ClaimedKeyPackages, RoomKind, client_request::Request},
};

use super::worker::Step;
use crate::{
    Engine, Outcome,
    record::{IntentKind, IntentRow, RoomPhase},
    request::Purpose,
    room::Room,
    trust::Verdict,
};

/// A claim that failed is repeated after this many milliseconds, then after twice as many, and so
/// on.
const REST_MS: u64 = 2_000;
const REST_MAX_MS: u64 = 60_000;

/// What claimed packages are good for.
#[derive(Default)]
struct Sifted {
    packages: Vec<Bytes>,
    added: Vec<String>,
    refused: Vec<(String, ErrorCode)>,
    wait: bool,
}

impl<E: Entropy> Engine<E> {
    pub(super) fn add(&mut self, room: &mut Room, intent: MessageId) -> Step {
        let Some(row) = self.intents.get(intent).cloned() else { return Step::Next };
        if self.take_out_declined(room, &row) {
            return Step::Again;
        }
        let missing = missing(&row, room);
        if missing.is_empty() {
            self.finish_add(room, intent);
            return Step::Next;
        }
        let Some(claimed) = self.intents.claimed.get(&intent).cloned() else {
            return self.claim(room, intent, missing);
        };
        let sifted = self.sift(&claimed, &missing);
        if sifted.wait {
            return Step::Wait;
        }
        let unavailable = sifted.refused.iter().any(|(_, error)| error.retryable());
        if room.kind == RoomKind::Direct && sifted.packages.is_empty() && unavailable {
            self.intents.claimed.remove(&intent);
            self.rest(room, intent);
            return Step::Wait;
        }
        if !sifted.refused.is_empty() {
            self.change_intent(intent, |row| {
                row.refused.extend(sifted.refused.iter().map(|(account, error)| ClaimedAccount {
                    account: account.clone(),
                    error: Some((*error).into()),
                    ..ClaimedAccount::default()
                }));
            });
        }
        if sifted.packages.is_empty() {
            self.intents.claimed.remove(&intent);
            return Step::Again;
        }
        if room.phase == RoomPhase::Wanted {
            return self.found_direct(room);
        }
        let change = mls::Change { add: sifted.packages, ..mls::Change::default() };
        self.commit(room, intent, change)
    }

    /// Whoever declined still has a leaf. Who invites it again wants the old one gone first; if that
    /// fails, the mark is gone and the account stays as it is.
    fn take_out_declined(&mut self, room: &mut Room, row: &IntentRow) -> bool {
        let own = room.members.get(&self.keys.account).is_some_and(|own| own.admin);
        let declined =
            |name: &&String| name.parse().is_ok_and(|account: Account| own && room.has_declined(&account));
        let accounts: Vec<String> = row.accounts.iter().filter(declined).cloned().collect();
        if accounts.is_empty() {
            return false;
        }
        let mut removal = IntentRow { accounts: accounts.clone(), quiet: true, ..IntentRow::default() };
        removal.set_kind(IntentKind::Remove);
        if let Err(error) = self.push_intent(room, removal, None, true) {
            self.passed(error);
            return false;
        }
        for (account, member) in &mut room.members {
            member.declined &= !accounts.iter().any(|name| *name == account.as_str());
        }
        self.stage.rosters.insert(room.id);
        true
    }

    fn claim(&mut self, room: &Room, intent: MessageId, mut accounts: Vec<String>) -> Step {
        if self.session.is_none() || !self.intents.claiming.insert(intent) {
            return Step::Wait;
        }
        accounts.truncate(limits::ADDS_PER_COMMIT_MAX);
        let claim_id = match self.intents.get(intent).map(|row| row.claim.clone()) {
            Some(claim) if !claim.is_empty() => claim,
            _ => {
                let claim = self.new_id().to_bytes();
                self.change_intent(intent, |row| row.claim = claim.clone());
                claim
            }
        };
        let request = ClaimKeyPackages {
            room: room.id.to_bytes(),
            claim_id,
            accounts,
            requester: self.keys.account.to_string(),
        };
        self.request(Purpose::Claim(intent), Request::ClaimKeyPackages(request));
        Step::Wait
    }

    pub(crate) fn claimed(&mut self, intent: MessageId, claimed: ClaimedKeyPackages) {
        self.intents.claiming.remove(&intent);
        let room = self.intents.get(intent).and_then(|row| row.room.as_ref().try_into().ok());
        if let Some(room) = room {
            self.intents.claimed.insert(intent, claimed);
            self.touched.insert(room);
        }
    }

    pub(crate) fn claim_failed(&mut self, intent: MessageId, error: WireError) {
        self.intents.claiming.remove(&intent);
        let room = self.intents.get(intent).and_then(|row| row.room.as_ref().try_into().ok());
        let Some(room) = room else { return };
        self.with_room(room, |engine, room| {
            if error.code.retryable() {
                engine.rest(room, intent);
            } else {
                room.waiting.retain(|waiting| *waiting != intent);
                engine.give_up(room, intent, error);
            }
        });
        self.touched.insert(room);
    }

    /// Waits before another claim, longer each time. A new claim gets a new id: the answer to the
    /// old one may be that nobody was there.
    fn rest(&mut self, room: &mut Room, intent: MessageId) {
        let mut tries = 0;
        self.change_intent(intent, |row| {
            row.claim = Bytes::new();
            row.tries += 1;
            tries = row.tries;
        });
        let whole = REST_MS.saturating_mul(1 << tries.min(16)).min(REST_MAX_MS);
        let at = self.now.plus_ms(whole / 2 + self.jitter_ms(whole / 2));
        room.rest_until = at;
        self.wake_for(at, room.id);
    }

    fn sift(&mut self, claimed: &ClaimedKeyPackages, missing: &[String]) -> Sifted {
        let mut sifted = Sifted::default();
        let mut answered = BTreeSet::new();
        for account in &claimed.accounts {
            if !missing.contains(&account.account) || !answered.insert(account.account.clone()) {
                continue;
            }
            match self.check_claimed(account) {
                Ok(Some(packages)) => {
                    if sifted.packages.len() + packages.len() <= limits::ADDS_PER_COMMIT_MAX {
                        sifted.packages.extend(packages);
                        sifted.added.push(account.account.clone());
                    }
                }
                Ok(None) => sifted.wait = true,
                Err(error) => sifted.refused.push((account.account.clone(), error)),
            }
        }
        if answered.is_empty() {
            let unanswered = missing.iter().take(limits::ADDS_PER_COMMIT_MAX);
            sifted.refused.extend(unanswered.map(|name| (name.clone(), ErrorCode::NotFound)));
        }
        sifted
    }

    /// The packages of an account, or `None` if they cannot be judged yet.
    fn check_claimed(&mut self, claimed: &ClaimedAccount) -> Result<Option<Vec<Bytes>>, ErrorCode> {
        if let Some(error) = &claimed.error {
            return Err(ErrorCode::from_code(error.code));
        }
        let account: Account = claimed.account.parse()?;
        let keys = claimed.keys.as_ref().ok_or(ErrorCode::Malformed)?;
        if self.trust.domains.newest(account.domain()).is_none() {
            let domain = crate::trust::Want::Domain(account.domain().clone());
            return match self.trust.wants.want(self.now, domain) {
                None => Ok(None),
                Some(error) => Err(error),
            };
        }
        self.trust.learn_account(self.now, &account, keys)?;
        if claimed.packages.is_empty() || claimed.packages.len() > limits::DEVICES_PER_ACCOUNT_MAX {
            return Err(ErrorCode::NotFound);
        }
        let mut packages = Vec::new();
        let mut devices = BTreeSet::new();
        for package in &claimed.packages {
            match self.check_package(&account, package)? {
                Some(device) if devices.insert(device) => packages.push(package.key_package.clone()),
                Some(_) => return Err(ErrorCode::Conflict),
                None => return Ok(None),
            }
        }
        Ok(Some(packages))
    }

    fn check_package(
        &mut self,
        account: &Account,
        package: &proto::ClaimedPackage,
    ) -> Result<Option<wire::DeviceId>, ErrorCode> {
        let info = mls::check_key_package(&package.key_package, self.now)?;
        let leaf = info.leaf;
        if leaf.account != *account || leaf.device.as_bytes().as_slice() != package.device_id {
            return Err(ErrorCode::AuthFailed);
        }
        match self.trust.listed(self.now, self.now, &leaf) {
            Verdict::Good => Ok(Some(leaf.device)),
            Verdict::Unknown => Ok(None),
            Verdict::Unavailable(error) | Verdict::Bad(error) => Err(error),
        }
    }

    /// Everybody who can be added is in.
    pub(super) fn finish_add(&mut self, room: &mut Room, intent: MessageId) {
        let Some(row) = self.intents.get(intent).cloned() else { return };
        let names =
            |list: &[String]| -> Vec<Account> { list.iter().filter_map(|name| name.parse().ok()).collect() };
        let added: Vec<Account> =
            names(&row.accounts).into_iter().filter(|account| room.members.contains_key(account)).collect();
        let refused: Vec<(Account, ErrorCode)> = row
            .refused
            .iter()
            .filter_map(|refused| {
                let code = refused.error.as_ref().map_or(ErrorCode::Internal.code(), |error| error.code);
                Some((refused.account.parse().ok()?, ErrorCode::from_code(code)))
            })
            .collect();
        let nobody = added.is_empty().then(|| refused.first().map(|(_, error)| *error)).flatten();
        match nobody {
            Some(error) if room.kind == RoomKind::Direct || row.accounts.len() == refused.len() => {
                self.give_up(room, intent, error.into());
            }
            _ => {
                self.finish(intent, Ok(Outcome::Room { room: room.id, added, refused }));
                self.tell_name(room);
            }
        }
    }
}

/// The accounts of an intent to add that are neither in the room nor refused.
fn missing(row: &IntentRow, room: &Room) -> Vec<String> {
    let here =
        |name: &String| name.parse::<Account>().is_ok_and(|account| room.members.contains_key(&account));
    let refused = |name: &String| row.refused.iter().any(|refused| refused.account == *name);
    row.accounts.iter().filter(|name| !here(name) && !refused(name)).cloned().collect()
}
