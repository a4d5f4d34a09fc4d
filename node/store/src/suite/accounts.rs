//! Accounts and what is kept for them.

use super::{Backend, sample::*};
use crate::{
    Store as _, Write,
    row::{AccountRow, ClaimRow, EntryRow, InvitationRow, KeyPackageRow, PasswordRow},
};
use wire::proto::{AccountStanding, ContactPolicy};

/// A row replaces the one before; the list goes on after an account.
pub fn accounts_are_replaced_and_listed(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&batch((1..=5).map(|number| Write::PutAccount(account_row(number))))).unwrap();
    let enrolled = AccountRow {
        code_hash: None,
        code_expires_ms: 0,
        keys: Some("keys".into()),
        policy: ContactPolicy::Deny,
        standing: AccountStanding::Suspended,
        standing_since_ms: u64::MAX,
        ..account_row(3)
    };
    store.commit(&batch([Write::PutAccount(enrolled.clone())])).unwrap();
    assert_eq!(store.account(&account(3)).unwrap(), Some(enrolled));
    assert_eq!(store.account_count().unwrap(), (5, 1), "all, and those that are suspended");
    let deleted = AccountRow { standing: AccountStanding::Deleted, ..account_row(2) };
    store.commit(&batch([Write::PutAccount(deleted)])).unwrap();
    assert_eq!(store.account_count().unwrap(), (4, 1), "nobody has an account that was deleted");
    assert_eq!(store.account(&account(1)).unwrap(), Some(account_row(1)));
    assert_eq!(store.account(&account(6)).unwrap(), None);
    let listed = store.accounts(Some(&account(2)), 2).unwrap();
    assert_eq!(listed.iter().map(|row| row.account.clone()).collect::<Vec<_>>(), [account(3), account(4)]);
    assert_eq!(store.accounts(None, 100).unwrap().len(), 5);
}

/// A password is replaced and dropped with its own account's only; a slot has its last value.
pub fn passwords_and_tries(backend: &mut impl Backend) {
    let store = backend.open();
    let row = |number, kept: &str| PasswordRow { account: account(number), kept: kept.to_owned() };
    store.commit(&batch([row(1, "a"), row(2, "b"), row(1, "c")].map(Write::PutPassword))).unwrap();
    assert_eq!(store.password(&account(1)).unwrap(), Some(row(1, "c")));
    assert_eq!(store.password(&account(3)).unwrap(), None);
    store.commit(&batch([Write::DropPassword(account(1)), Write::DropPassword(account(3))])).unwrap();
    assert_eq!(store.password(&account(1)).unwrap(), None);
    assert_eq!(store.password(&account(2)).unwrap(), Some(row(2, "b")));
    let tries = [(7, 5), (3, 9), (7, 1), (u32::MAX, u64::MAX / 2)];
    store.commit(&batch(tries.map(|(slot, full_ms)| Write::PutTries(slot, full_ms)))).unwrap();
    assert_eq!(store.tries().unwrap(), [(3, 9), (7, 1), (u32::MAX, u64::MAX / 2)]);
}

/// A cursor moves forward only, and only while its device is there.
pub fn devices_and_cursors(backend: &mut impl Backend) {
    let store = backend.open();
    store.commit(&batch([2, 1].map(|number| Write::PutDevice(device_row(1, number, 5))))).unwrap();
    store
        .commit(&batch([
            Write::Cursor(account(1), device(1), 9),
            Write::Cursor(account(1), device(1), 7),
            Write::Cursor(account(1), device(2), 4),
            Write::Cursor(account(1), device(3), 4),
            Write::Cursor(account(2), device(1), 99),
        ]))
        .unwrap();
    assert_eq!(store.devices(&account(1)).unwrap(), [device_row(1, 1, 9), device_row(1, 2, 5)]);
    assert_eq!(store.devices(&account(2)).unwrap(), []);
    store
        .commit(&batch([
            Write::Cursor(account(1), device(1), 20),
            Write::DropDevice(account(1), device(1)),
            Write::PutDevice(device_row(1, 2, 1)),
            Write::Cursor(account(1), device(2), 3),
        ]))
        .unwrap();
    assert_eq!(store.devices(&account(1)).unwrap(), [device_row(1, 2, 3)]);
}

/// Oldest upload first whatever its hash, expired ones too, the last-resort package at the end.
pub fn key_packages_in_order(backend: &mut impl Backend) {
    let store = backend.open();
    let uploads = [(9, true), (8, false), (3, false), (5, false)];
    for (number, last_resort) in uploads {
        store.commit(&batch([Write::PutKeyPackage(key_package(1, number, last_resort))])).unwrap();
    }
    store.commit(&batch([Write::PutKeyPackage(key_package(2, 1, false))])).unwrap();
    let numbers = |limit| -> Vec<_> {
        let rows = store.key_packages(&account(1), &device(1), limit).unwrap();
        rows.iter().map(|row| row.not_after_s).collect()
    };
    assert_eq!(numbers(100), [8, 3, 5, 9]);
    assert_eq!(numbers(2), [8, 3]);
    assert_eq!(store.key_package_count(&account(1), &device(1)).unwrap(), (3, true));
    assert_eq!(store.key_package_count(&account(2), &device(1)).unwrap(), (1, false));
    assert_eq!(store.key_package_count(&account(1), &device(2)).unwrap(), (0, false));
    store.commit(&batch([Write::DropKeyPackage(account(1), device(1), hash(3))])).unwrap();
    assert_eq!(numbers(100), [8, 5, 9]);
    let again = KeyPackageRow { package: "other".into(), ..key_package(1, 8, false) };
    store.commit(&batch([Write::PutKeyPackage(again)])).unwrap();
    assert_eq!(store.key_packages(&account(1), &device(1), 1).unwrap(), [key_package(1, 8, false)]);
}

/// A claimed package is not given again, not even when it is uploaded again.
pub fn a_package_is_claimed_once(backend: &mut impl Backend) {
    let store = backend.open();
    let put = |number| Write::PutKeyPackage(key_package(1, number, false));
    store.commit(&batch([put(1), put(2)])).unwrap();
    store.commit(&batch([Write::ClaimKeyPackage(account(1), device(1), hash(1)), put(1)])).unwrap();
    assert_eq!(store.key_packages(&account(1), &device(1), 9).unwrap(), [key_package(1, 2, false)]);
    assert_eq!(store.key_package_count(&account(1), &device(1)).unwrap(), (1, false));
}

/// The answer to a claim is found by its peer and id; the same id again is refused.
pub fn claims_are_remembered(backend: &mut impl Backend) {
    let store = backend.open();
    let row =
        |peer| ClaimRow { peer: domain(peer), claim: [1; 16], time_ms: 7, answer: peer.to_string().into() };
    store.commit(&batch([Write::PutClaim(row(1)), Write::PutClaim(row(2))])).unwrap();
    assert_eq!(store.claim(&domain(2), &[1; 16]).unwrap(), Some(row(2)));
    assert_eq!(store.claim(&domain(2), &[2; 16]).unwrap(), None);
    assert!(store.commit(&batch([Write::PutClaim(row(2))])).is_err());
}

/// Entries of all devices and of this one, of no other device or account, after the position.
pub fn entries_for_whom_they_are(backend: &mut impl Backend) {
    let store = backend.open();
    let only = |position, number| EntryRow { device: Some(device(number)), ..entry(position, 1) };
    let rows = [entry(1, 1), only(2, 1), only(3, 2), entry(4, 2), entry(5, 1), only(6, 1)];
    store.commit(&batch(rows.iter().cloned().map(Write::PutEntry))).unwrap();
    let read = |after, limit| store.account_entries(&account(1), &device(1), after, limit).unwrap();
    assert_eq!(read(0, 9), [entry(1, 1), only(2, 1), entry(5, 1), only(6, 1)]);
    assert_eq!(read(1, 2), [only(2, 1), entry(5, 1)]);
    assert_eq!(read(6, 9), []);
}

/// An invitation stays until it is answered.
pub fn invitations_until_answered(backend: &mut impl Backend) {
    let store = backend.open();
    let row =
        |number| InvitationRow { account: account(1), room: room(number), join: "join".into(), time_ms: 5 };
    store.commit(&batch([2, 1].map(|number| Write::PutInvitation(row(number))))).unwrap();
    assert_eq!(store.invitations(&account(1)).unwrap(), [row(1), row(2)]);
    store.commit(&batch([Write::DropInvitation(account(1), room(1))])).unwrap();
    assert_eq!(store.invitations(&account(1)).unwrap(), [row(2)]);
    assert_eq!(store.invitations(&account(2)).unwrap(), []);
}

/// Claims go by their age, packages that were handed out by their validity, and until then a package
/// is not taken in again.
pub fn claims_and_packages_go_in_time(backend: &mut impl Backend) {
    let store = backend.open();
    let claim = |id, time_ms| ClaimRow { peer: domain(1), claim: [id; 16], time_ms, answer: "".into() };
    let packages = [1, 2, 3].map(|number| Write::PutKeyPackage(key_package(1, number, false)));
    store.commit(&batch(packages)).unwrap();
    let take = |number| Write::ClaimKeyPackage(account(1), device(1), hash(number));
    let again = |number| Write::PutKeyPackage(key_package(1, number, false));
    store.commit(&batch([take(1), take(2), again(1), again(2)])).unwrap();
    assert_eq!(store.key_package_count(&account(1), &device(1)).unwrap().0, 1);
    // A package is valid until the second of its number.
    store.commit(&batch([Write::PrunePackages(1), again(1), again(2)])).unwrap();
    assert_eq!(store.key_package_count(&account(1), &device(1)).unwrap().0, 2);
    store.commit(&batch([claim(1, 5), claim(2, 6)].map(Write::PutClaim))).unwrap();
    store.commit(&batch([Write::PruneClaims(6)])).unwrap();
    assert_eq!(store.claim(&domain(1), &[1; 16]).unwrap(), None);
    assert_eq!(store.claim(&domain(1), &[2; 16]).unwrap(), Some(claim(2, 6)));
}

/// Entries of one account go up to a position.
pub fn entries_go_when_they_were_fetched(backend: &mut impl Backend) {
    let store = backend.open();
    let only = EntryRow { device: Some(device(1)), ..entry(3, 1) };
    let rows = [entry(1, 1), entry(2, 2), only, entry(4, 1)];
    store.commit(&batch(rows.map(Write::PutEntry))).unwrap();
    store.commit(&batch([Write::PruneEntries(account(1), 3)])).unwrap();
    assert_eq!(store.account_entries(&account(1), &device(1), 0, 9).unwrap(), [entry(4, 1)]);
    assert_eq!(store.account_entries(&account(2), &device(1), 0, 9).unwrap(), [entry(2, 2)]);
    store.commit(&batch([Write::PruneEntries(account(1), 9)])).unwrap();
    assert_eq!(store.head().unwrap(), 4, "no position is given out twice");
}

/// What an account held goes, and nothing of its neighbours; the newest position is not given out
/// again.
pub fn what_an_account_held_goes(backend: &mut impl Backend) {
    let store = backend.open();
    let puts = (1..=2).flat_map(|of| {
        [
            Write::PutKeyPackage(key_package(of, 1, false)),
            Write::PutKeyPackage(key_package(of, 2, true)),
            Write::PutMember(member(1, of, 0, None)),
            Write::PutMember(member(2, of, 3, Some(9))),
        ]
    });
    store.commit(&batch(puts.chain([Write::ClaimKeyPackage(account(1), device(1), hash(1))]))).unwrap();
    store.commit(&batch([Write::DropKeyPackages(account(1)), Write::DropMemberships(account(1))])).unwrap();
    assert_eq!(store.key_package_count(&account(1), &device(1)).unwrap(), (0, false));
    assert_eq!(store.memberships(&account(1)).unwrap(), []);
    assert_eq!(store.key_package_count(&account(2), &device(1)).unwrap(), (1, true));
    assert_eq!(store.memberships(&account(2)).unwrap().len(), 2);
    assert_eq!(store.members(&room(1)).unwrap(), [member(1, 2, 0, None)]);
    // A package that was handed out is forgotten too: the same bytes may come again.
    store.commit(&batch([Write::PutKeyPackage(key_package(1, 1, false))])).unwrap();
    assert_eq!(store.key_package_count(&account(1), &device(1)).unwrap(), (1, false));
}
