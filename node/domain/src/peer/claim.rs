//! Hands out key packages of this domain's devices, each at most once ([SYNC-17]).

use std::collections::{BTreeMap, BTreeSet};

use machine::{Entropy, Timestamp};
use prost::Message as _;
use store::{
    Store, Write,
    row::{ClaimRow, KeyPackageRow},
};
use wire::{
    Account, DeviceId, DomainName, ErrorCode, RoomId, limits,
    proto::{
        ClaimKeyPackages, ClaimedAccount, ClaimedKeyPackages, ClaimedPackage, ContactPolicy, peer_response,
    },
};

use crate::{Core, admin::may_act, claim_gather::refused};

const HOUR_MS: u64 = 3_600_000;

/// How often which domain has claimed packages of which account in this hour.
#[derive(Default)]
pub(crate) struct ClaimRate {
    hour: u64,
    counts: BTreeMap<(DomainName, Account), usize>,
}

impl ClaimRate {
    // [SYNC-18] Beyond the rate only last-resort packages are given: nobody can drain a device.
    fn is_within(&mut self, now: Timestamp, peer: &DomainName, account: &Account) -> bool {
        let hour = now.as_ms() / HOUR_MS;
        if hour != self.hour {
            *self = Self { hour, counts: BTreeMap::new() };
        }
        let count = self.counts.entry((peer.clone(), account.clone())).or_insert(0);
        *count += 1;
        *count <= limits::CLAIMS_PER_HOUR_MAX
    }
}

/// How many rooms the accounts of which domain have founded here in this hour.
#[derive(Default)]
pub(crate) struct FoundingRate {
    hour: u64,
    counts: BTreeMap<DomainName, usize>,
}

impl FoundingRate {
    /// Counts one more.
    pub(crate) fn is_within(&mut self, now: Timestamp, peer: &DomainName) -> bool {
        let hour = now.as_ms() / HOUR_MS;
        if hour != self.hour {
            *self = Self { hour, counts: BTreeMap::new() };
        }
        let count = self.counts.entry(peer.clone()).or_insert(0);
        *count += 1;
        *count <= limits::FOUNDINGS_PER_HOUR_MAX
    }
}

impl<S: Store, E: Entropy> Core<S, E> {
    pub(crate) fn peer_claim(
        &mut self,
        peer: &DomainName,
        claim: &ClaimKeyPackages,
    ) -> Result<peer_response::Response, ErrorCode> {
        let requester: Account = claim.requester.parse()?;
        room::hub::origin(peer, &requester)?;
        self.claim(peer, claim).map(peer_response::Response::Claimed)
    }

    /// Claims packages of accounts of this domain for `peer`, which may be this domain itself.
    ///
    /// # Errors
    /// `Malformed`, `TooLarge`, `OriginMismatch` for an account of another domain, and those of the
    /// store. What concerns one account stands in its part of the answer.
    pub(crate) fn claim(
        &mut self,
        peer: &DomainName,
        claim: &ClaimKeyPackages,
    ) -> Result<ClaimedKeyPackages, ErrorCode> {
        let room = RoomId::try_from(claim.room.as_ref())?;
        let id: [u8; 16] = claim.claim_id.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?;
        if claim.accounts.len() > limits::ADDS_PER_COMMIT_MAX {
            return Err(ErrorCode::TooLarge);
        }
        // [SYNC-16] The same claim again gets the first answer.
        if let Some(row) = self.store.claim(peer, &id).map_err(|error| error.code())? {
            let first = ClaimedKeyPackages::decode(row.answer).map_err(|_| ErrorCode::Internal)?;
            let same = first.accounts.iter().map(|claimed| &claimed.account).eq(&claim.accounts);
            return if same { Ok(first) } else { Err(ErrorCode::Conflict) };
        }
        let names: BTreeSet<&String> = claim.accounts.iter().collect();
        if names.len() < claim.accounts.len() {
            return Err(ErrorCode::Malformed);
        }
        let mut accounts = Vec::with_capacity(claim.accounts.len());
        for name in &claim.accounts {
            let account: Account = name.parse()?;
            room::hub::origin(&self.config.domain, &account)?;
            accounts.push(self.claim_of(peer, (&room, &claim.requester), &account).or_else(|error| {
                match error {
                    ErrorCode::NotFound | ErrorCode::Policy | ErrorCode::Unavailable | ErrorCode::Blocked => {
                        Ok(refused(name, error))
                    }
                    other => Err(other),
                }
            })?);
        }
        let answer = ClaimedKeyPackages { accounts };
        // [SYNC-16] What took nothing away may be asked again without being remembered.
        let mut packages = answer.accounts.iter().flat_map(|account| &account.packages);
        if packages.all(|package| package.last_resort) {
            return Ok(answer);
        }
        self.forget_claims();
        self.drain.settle_first = true;
        self.drain.batch.push(Write::PutClaim(ClaimRow {
            peer: peer.clone(),
            claim: id,
            time_ms: self.now.as_ms(),
            answer: answer.encode_to_vec().into(),
        }));
        Ok(answer)
    }

    // [SYNC-16] Once an hour is often enough for what is kept for weeks.
    fn forget_claims(&mut self) {
        let hour = self.now.as_ms() / HOUR_MS;
        if std::mem::replace(&mut self.claims_pruned, hour) != hour {
            let kept_ms = limits::DEDUP_KEPT_S.saturating_mul(1000);
            let before = self.now.as_ms().saturating_sub(kept_ms);
            self.drain.batch.push(Write::PruneClaims(before));
            self.drain.batch.push(Write::PrunePackages(self.now.as_s()));
        }
    }

    fn claim_of(
        &mut self,
        peer: &DomainName,
        (room, requester): (&RoomId, &str),
        account: &Account,
    ) -> Result<ClaimedAccount, ErrorCode> {
        let row = self.store.account(account).map_err(|error| error.code())?;
        let row = row.filter(|row| row.keys.is_some()).ok_or(ErrorCode::NotFound)?;
        // [ADMIN-7]
        may_act(&row)?;
        let foreign = *peer != self.config.domain;
        // [SYNC-19] Nobody is added against the account's will, but to a room that it asked for itself.
        let denies = self.policy(row.policy) == ContactPolicy::Deny;
        if foreign && denies {
            let requester: Account = requester.parse()?;
            let is_theirs = room::direct_room(&requester, account).0 == *room;
            if !is_theirs || !self.has_asked_for(room, account)? {
                return Err(ErrorCode::Policy);
            }
        }
        let plenty = !foreign || self.claim_rate.is_within(self.now, peer, account);
        let mut packages = Vec::new();
        for device in self.store.devices(account).map_err(|error| error.code())? {
            if let Some(package) = self.take_package(account, &device.device, plenty)? {
                packages.push(ClaimedPackage {
                    device_id: device.device.to_bytes(),
                    key_package: package.package,
                    last_resort: package.last_resort,
                });
            }
        }
        if packages.is_empty() {
            return Err(ErrorCode::Unavailable);
        }
        let keys = Some(self.account_keys(account)?);
        Ok(ClaimedAccount { account: account.as_str().to_owned(), error: None, keys, packages })
    }

    fn take_package(
        &mut self,
        account: &Account,
        device: &DeviceId,
        plenty: bool,
    ) -> Result<Option<KeyPackageRow>, ErrorCode> {
        let most = limits::KEY_PACKAGES_PER_DEVICE_MAX + 1;
        let rows = self.store.key_packages(account, device, most).map_err(|error| error.code())?;
        let now = self.now.as_s();
        for row in rows.iter().filter(|row| !row.last_resort && row.not_after_s <= now) {
            self.drain.batch.push(Write::DropKeyPackage(account.clone(), *device, row.hash));
        }
        let fresh = |row: &&KeyPackageRow| row.not_after_s > now && (plenty || row.last_resort);
        let Some(row) = rows.iter().find(fresh) else { return Ok(None) };
        if !row.last_resort {
            self.drain.batch.push(Write::ClaimKeyPackage(account.clone(), *device, row.hash));
        }
        Ok(Some(row.clone()))
    }
}
