//! How often a password may be tried, for one account and from one network. What is remembered is
//! bounded whatever is asked for, treats names that exist and names that do not alike, and is kept
//! over restarts.

use std::collections::BTreeMap;

use machine::Timestamp;
use sha2::{Digest as _, Sha256};
use wire::{Account, limits};

/// Who shares a bound of the transport: an IPv4 address, or the /56 of IPv6 that one subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// An address of IPv4.
    V4([u8; 4]),
    /// The first 56 bits of an address of IPv6.
    V6([u8; 7]),
}

impl std::fmt::Display for Network {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::V4([a, b, c, d]) => write!(out, "{a}.{b}.{c}.{d}"),
            Self::V6([a, b, c, d, e, f, g]) => {
                write!(out, "{a:02x}{b:02x}:{c:02x}{d:02x}:{e:02x}{f:02x}:{g:02x}00::/56")
            }
        }
    }
}

/// Whom a try counts against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// The account that was named, whether it exists or not.
    Account(&'a Account),
    /// Where it came from.
    Network(Network),
}

impl Whose<'_> {
    const fn pace(self) -> (u64, u64) {
        match self {
            Self::Account(_) => (limits::ACCOUNT_TRY_EVERY_MS, limits::ACCOUNT_TRIES_BURST as u64),
            Self::Network(_) => (limits::NETWORK_TRY_EVERY_MS, limits::NETWORK_TRIES_BURST as u64),
        }
    }
}

/// Buckets by a keyed hash: nobody can choose whose he shares, and there are `TRY_SLOTS` for accounts
/// and as many for networks, however many are named.
pub(crate) struct Tries {
    key: [u8; 32],
    /// From when on the bucket of a slot is full again. One that is not here is full.
    full_ms: BTreeMap<u32, u64>,
}

impl Tries {
    /// With the key and the slots of the store.
    pub(crate) fn new(key: [u8; 32], slots: impl IntoIterator<Item = (u32, u64)>) -> Self {
        Self { key, full_ms: slots.into_iter().collect() }
    }

    /// How long to wait until one more may be tried; 0 if now.
    pub(crate) fn wait_ms(&self, whose: Whose<'_>, now: Timestamp) -> u64 {
        let (every, burst) = whose.pace();
        let full = self.full(self.slot(whose), (every, burst), now);
        full.saturating_add(every).saturating_sub(every.saturating_mul(burst)).saturating_sub(now.as_ms())
    }

    /// Counts one try. The slot and its new value, to be written.
    pub(crate) fn take(&mut self, whose: Whose<'_>, now: Timestamp) -> (u32, u64) {
        let (every, burst) = whose.pace();
        let slot = self.slot(whose);
        let full = self.full(slot, (every, burst), now).saturating_add(every);
        self.full_ms.insert(slot, full);
        (slot, full)
    }

    /// One try was none: it proved what it was to prove. To be written as well.
    pub(crate) fn give_back(&mut self, whose: Whose<'_>, now: Timestamp) -> (u32, u64) {
        let (every, burst) = whose.pace();
        let slot = self.slot(whose);
        let full = self.full(slot, (every, burst), now).saturating_sub(every);
        self.full_ms.insert(slot, full);
        (slot, full)
    }

    /// The account may be tried as often as one that never was.
    pub(crate) fn forgive(&mut self, account: &Account) -> (u32, u64) {
        let slot = self.slot(Whose::Account(account));
        self.full_ms.remove(&slot);
        (slot, 0)
    }

    // Not before now, and not later than an empty bucket takes: a clock that was set back must shut
    // nobody out.
    fn full(&self, slot: u32, (every, burst): (u64, u64), now: Timestamp) -> u64 {
        let latest = now.as_ms().saturating_add(every.saturating_mul(burst));
        self.full_ms.get(&slot).copied().unwrap_or(0).clamp(now.as_ms(), latest)
    }

    fn slot(&self, whose: Whose<'_>) -> u32 {
        let mut hash = Sha256::new_with_prefix(self.key);
        let half = match whose {
            Whose::Account(account) => {
                hash.update(account.as_str());
                0
            }
            Whose::Network(Network::V4(bytes)) => {
                hash.update(bytes);
                1
            }
            Whose::Network(Network::V6(bytes)) => {
                hash.update(bytes);
                1
            }
        };
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        let slots = limits::TRY_SLOTS as u32;
        u32::from_be_bytes([a, b, c, d]) % slots + half * slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    fn account(number: usize) -> Account {
        format!("a{number}@acme.test").parse().expect("an account")
    }

    fn exhaust(tries: &mut Tries, whose: Whose<'_>, now: Timestamp) -> usize {
        let mut taken = 0;
        while tries.wait_ms(whose, now) == 0 {
            tries.take(whose, now);
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_burst_then_one_now_and_then() {
        let mut tries = Tries::new([1; 32], []);
        let alice = account(1);
        let whose = Whose::Account(&alice);
        assert_eq!(exhaust(&mut tries, whose, NOW), limits::ACCOUNT_TRIES_BURST);
        let wait = tries.wait_ms(whose, NOW);
        assert_eq!(wait, limits::ACCOUNT_TRY_EVERY_MS);
        assert_eq!(tries.wait_ms(whose, NOW.plus_ms(wait - 1)), 1);
        assert_eq!(exhaust(&mut tries, whose, NOW.plus_ms(wait)), 1);
        let day = NOW.plus_ms(24 * 3_600_000);
        assert_eq!(exhaust(&mut tries, whose, day), limits::ACCOUNT_TRIES_BURST, "never more than the burst");
        assert_eq!(tries.wait_ms(Whose::Account(&account(2)), NOW), 0, "another account");
        assert_eq!(tries.wait_ms(Whose::Network(Network::V4([1; 4])), NOW), 0);
    }

    #[test]
    fn what_was_given_back_was_not_tried() {
        let mut tries = Tries::new([1; 32], []);
        let whose = Whose::Network(Network::V6([1; 7]));
        for _ in 0..1_000 {
            assert_eq!(tries.wait_ms(whose, NOW), 0);
            tries.take(whose, NOW);
            tries.give_back(whose, NOW);
        }
        assert_eq!(exhaust(&mut tries, whose, NOW), limits::NETWORK_TRIES_BURST);
    }

    #[test]
    fn a_new_start_knows_what_was_tried_before() {
        let mut tries = Tries::new([1; 32], []);
        let alice = account(1);
        let whose = Whose::Account(&alice);
        let written = (0..limits::ACCOUNT_TRIES_BURST).map(|_| tries.take(whose, NOW));
        let mut again = Tries::new([1; 32], written.collect::<Vec<_>>());
        assert!(again.wait_ms(whose, NOW) > 0);
        again.forgive(&alice);
        assert_eq!(again.wait_ms(whose, NOW), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_shuts_nobody_out() {
        let mut tries = Tries::new([1; 32], []);
        let alice = account(1);
        let whose = Whose::Account(&alice);
        exhaust(&mut tries, whose, NOW.plus_ms(1_000_000_000_000));
        assert!(tries.wait_ms(whose, NOW) <= limits::ACCOUNT_TRY_EVERY_MS);
    }

    #[test]
    fn many_names_take_a_bounded_place_and_leave_most_others_alone() {
        let mut tries = Tries::new([1; 32], []);
        for number in 0..3 * limits::TRY_SLOTS {
            let name = account(number);
            tries.take(Whose::Account(&name), NOW);
        }
        assert!(tries.full_ms.len() <= limits::TRY_SLOTS);
        let mut shut_out = 0;
        for number in 0..1_000 {
            let name = format!("b{number}@acme.test").parse().expect("an account");
            shut_out += usize::from(tries.wait_ms(Whose::Account(&name), NOW) > 0);
        }
        assert!(shut_out < 300, "{shut_out} of 1000 share a bucket that was emptied");
    }

    #[test]
    fn a_network_is_shown_as_an_address() {
        assert_eq!(Network::V4([192, 0, 2, 1]).to_string(), "192.0.2.1");
        let of_v6 = Network::V6([0x20, 1, 0x0d, 0xb8, 0, 1, 2]);
        assert_eq!(of_v6.to_string(), "2001:0db8:0001:0200::/56");
    }
}
