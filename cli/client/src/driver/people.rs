//! Whose keys are known, how far they are believed, and the user's word about them.

use std::collections::{BTreeMap, BTreeSet};

use engine::{
    Command,
    record::{ContactRow, DomainRow},
};
use identity::{AccountBinding, AccountMode, DomainDocument, fingerprint, safety_number};
use wire::{Account, ErrorCode, PublicKey};

use super::Driver;
use crate::{
    ClientError,
    profile::Profile,
    view::{Belief, Mode, Person},
};

/// No more are told at once; those that changed come first.
const PEOPLE_MAX: usize = 5_000;

/// The user's own account, to be read out to others.
///
/// # Errors
/// As `AccountBinding::parse`.
pub(super) fn own(profile: &Profile) -> Result<Person, ErrorCode> {
    let binding = AccountBinding::parse(&profile.keys.binding)?;
    Ok(Person {
        account: profile.keys.account.clone(),
        belief: Belief::Own,
        mode: mode(binding.mode()),
        fingerprint: digits(&fingerprint(binding.account_key())),
        changed: None,
        domain_fingerprint: None,
        safety_number: None,
        blocked: false,
    })
}

impl Driver {
    /// Everybody whose keys were seen.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn people(&mut self) -> Result<Vec<Person>, ClientError> {
        let domains: BTreeMap<String, String> = self
            .store
            .domains()
            .await?
            .iter()
            .filter_map(|row| Some((row.domain.clone(), domain_fingerprint(row)?)))
            .collect();
        let contacts = self.engine.contacts();
        let mut people: Vec<Person> = contacts.iter().filter_map(person).collect();
        people.retain(|person| person.account != self.account);
        let own: [u8; 32] = fingerprint_of(&self.own).ok_or(ErrorCode::Internal)?;
        for person in &mut people {
            person.safety_number = fingerprint_of(person)
                .map(|theirs| safety_number((&self.account, &own), (&person.account, &theirs)));
        }
        let blocked: BTreeSet<Account> = self.engine.blocked().into_iter().collect();
        for person in &mut people {
            person.blocked = blocked.contains(&person.account);
        }
        let unseen = blocked.into_iter().filter(|name| people.iter().all(|person| person.account != *name));
        let unseen: Vec<Person> = unseen.map(only_blocked).collect();
        people.extend(unseen);
        people.push(self.own.clone());
        people.sort_by(|a, b| a.belief.cmp(&b.belief).then_with(|| a.account.cmp(&b.account)));
        people.truncate(PEOPLE_MAX);
        for person in &mut people {
            person.domain_fingerprint = domains.get(person.account.domain().as_str()).cloned();
        }
        Ok(people)
    }

    /// The accounts whose organisation holds their key ([ID-10]).
    pub(super) fn managed(&self) -> BTreeSet<String> {
        let managed = self.engine.contacts().into_iter().filter(|row| row.mode() == AccountMode::Managed);
        managed.map(|row| row.account).collect()
    }

    /// The command that says that a key was compared. `changed`: it may be one that is not in use.
    ///
    /// # Errors
    /// `NotFound` if no key of the account was seen, `KeyUnverified` if none has this fingerprint.
    pub(super) fn trust(
        &self,
        account: &Account,
        compared: &[u8; 32],
        changed: bool,
    ) -> Result<Command, ErrorCode> {
        let contacts = self.engine.contacts();
        let row = contacts.iter().find(|row| row.account == account.as_str()).ok_or(ErrorCode::NotFound)?;
        compared_key(row, compared, changed).map(|key| Command::TrustKey { account: account.clone(), key })
    }
}

/// An account of which nothing is known but that the user wants to hear nothing of it.
const fn only_blocked(account: Account) -> Person {
    Person {
        account,
        belief: Belief::Unseen,
        mode: Mode::Unknown,
        fingerprint: String::new(),
        changed: None,
        domain_fingerprint: None,
        safety_number: None,
        blocked: true,
    }
}

/// The fingerprint that is shown, as bytes.
fn fingerprint_of(person: &Person) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if person.fingerprint.len() != 64 {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(person.fingerprint.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn compared_key(row: &ContactRow, compared: &[u8; 32], changed: bool) -> Result<PublicKey, ErrorCode> {
    let other = changed.then_some(&row.other_key);
    [Some(&row.key), other]
        .into_iter()
        .flatten()
        .filter_map(|key| PublicKey::try_from(key.as_ref()).ok())
        .find(|key| fingerprint(key) == *compared)
        .ok_or(ErrorCode::KeyUnverified)
}

fn person(row: &ContactRow) -> Option<Person> {
    let print = |key: &[u8]| PublicKey::try_from(key).ok().map(|key| digits(&fingerprint(&key)));
    let changed = print(&row.other_key).filter(|_| row.other_key != row.key);
    Some(Person {
        account: row.account.parse().ok()?,
        belief: match (&changed, row.verified) {
            (Some(_), _) => Belief::Changed,
            (None, true) => Belief::Verified,
            (None, false) => Belief::Seen,
        },
        mode: mode(row.mode()),
        fingerprint: print(&row.key)?,
        changed,
        domain_fingerprint: None,
        safety_number: None,
        blocked: row.blocked,
    })
}

fn domain_fingerprint(row: &DomainRow) -> Option<String> {
    let documents = row.documents.iter().filter_map(|signed| DomainDocument::parse(signed).ok());
    let newest = documents.max_by_key(DomainDocument::seq)?;
    Some(digits(&fingerprint(newest.root_key())))
}

const fn mode(mode: AccountMode) -> Mode {
    match mode {
        AccountMode::UserHeld => Mode::UserHeld,
        AccountMode::Managed => Mode::Managed,
        AccountMode::Unspecified => Mode::Unknown,
    }
}

fn digits(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u8, other: Option<u8>) -> ContactRow {
        let bytes = |fill: u8| bytes::Bytes::copy_from_slice(&[fill; 32]);
        ContactRow {
            account: "bob@umbrella.test".to_owned(),
            key: bytes(key),
            other_key: other.map(bytes).unwrap_or_default(),
            mode: AccountMode::Managed.into(),
            ..ContactRow::default()
        }
    }

    fn print(fill: u8) -> [u8; 32] {
        fingerprint(&PublicKey::try_from([fill; 32].as_slice()).expect("a key"))
    }

    #[test]
    fn a_key_is_compared_whole_and_a_changed_one_only_if_that_is_meant() {
        let row = row(1, Some(2));
        assert_eq!(compared_key(&row, &print(1), false).map(|key| fingerprint(&key)), Ok(print(1)));
        assert_eq!(compared_key(&row, &print(2), false), Err(ErrorCode::KeyUnverified));
        assert_eq!(compared_key(&row, &print(2), true).map(|key| fingerprint(&key)), Ok(print(2)));
        for changed in [false, true] {
            let mut close = print(1);
            close[31] ^= 1;
            for wrong in [close, print(3), [0; 32]] {
                assert_eq!(compared_key(&row, &wrong, changed), Err(ErrorCode::KeyUnverified));
            }
        }
    }

    // [ID-10]
    #[test]
    fn who_changed_and_who_is_managed_is_told() {
        let shown = person(&row(1, Some(2))).expect("shown");
        assert_eq!((shown.belief, shown.mode), (Belief::Changed, Mode::Managed));
        assert_eq!((shown.fingerprint, shown.changed), (digits(&print(1)), Some(digits(&print(2)))));
        let mut row = row(1, None);
        assert_eq!(person(&row).expect("shown").belief, Belief::Seen);
        row.verified = true;
        assert_eq!(person(&row).expect("shown").belief, Belief::Verified);
    }
}
