//! A number that two people compare: it stands for both of their account keys, and is the same on
//! both sides.

use sha2::{Digest as _, Sha256};
use wire::Account;

/// Separates these hashes from every other use of SHA-256.
const LABEL: &[u8] = b"comity/v1/SafetyNumber\0";
/// Decimal digits of each of the two halves.
const GROUPS: usize = 6;

/// [ID-50] The safety number of two accounts, each with the fingerprint of its account key: 60
/// decimal digits, in the same order whoever asks.
#[must_use]
pub fn safety_number(one: (&Account, &[u8; 32]), other: (&Account, &[u8; 32])) -> String {
    let (first, second) = if one.0 <= other.0 { (one, other) } else { (other, one) };
    half(first.0, first.1) + &half(second.0, second.1)
}

fn half(account: &Account, fingerprint: &[u8; 32]) -> String {
    let mut hash = Sha256::new();
    hash.update(LABEL);
    hash.update(fingerprint);
    hash.update(account.as_str().as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let groups = digest.chunks_exact(5).take(GROUPS).map(|bytes| {
        let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Account {
        name.parse().unwrap()
    }

    // [ID-50]
    #[test]
    fn both_sides_see_one_number_and_any_other_key_or_name_gives_another() {
        let (alice, bob) = (account("alice@acme.test"), account("bob@umbrella.test"));
        let number = safety_number((&alice, &[1; 32]), (&bob, &[2; 32]));
        assert_eq!(number, safety_number((&bob, &[2; 32]), (&alice, &[1; 32])));
        assert_eq!(number.len(), 60);
        assert!(number.bytes().all(|byte| byte.is_ascii_digit()));
        let mut close = [2; 32];
        close[31] ^= 1;
        for other in [
            safety_number((&alice, &[1; 32]), (&bob, &close)),
            safety_number((&alice, &close), (&bob, &[2; 32])),
            safety_number((&alice, &[2; 32]), (&bob, &[1; 32])),
            safety_number((&alice, &[1; 32]), (&account("bob@umbrella.example"), &[2; 32])),
        ] {
            assert_ne!(number, other);
        }
    }

    /// So that two programs agree: the numbers of the specification.
    #[test]
    fn the_number_of_the_specification() {
        let (alice, bob) = (account("alice@acme.test"), account("bob@umbrella.test"));
        let number = safety_number((&alice, &[1; 32]), (&bob, &[2; 32]));
        assert_eq!(number, "667910042751663186287276857203571941696640280933391155682981");
    }
}
