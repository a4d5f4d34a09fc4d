//! Decides the ids of rooms: a direct room has one that both sides compute, a group one that only
//! its founder can claim.

use sha2::{Digest as _, Sha256};
use wire::{Account, DomainName, ErrorCode, MessageId, RoomId};

const DIRECT: &str = "comity/v1/DirectRoom";
const GROUP: &str = "comity/v1/GroupRoom";

/// The id and the hub of the direct room of two accounts, in either order: SHA-256 over the label
/// and both names, lower first, each preceded by a zero byte; the hub is the domain of the lower
/// name ([ROOM-1]).
#[must_use]
pub fn direct_room(one: &Account, other: &Account) -> (RoomId, DomainName) {
    let (lower, higher) = if one <= other { (one, other) } else { (other, one) };
    let id = derive(DIRECT, &[lower.as_str().as_bytes(), higher.as_str().as_bytes()]);
    (id, lower.domain().clone())
}

/// The id of the group that this account founds with this message: no other account, and no second
/// founding, can take it ([ROOM-2]).
#[must_use]
pub fn group_room(founder: &Account, founding: &MessageId) -> RoomId {
    derive(GROUP, &[founder.as_str().as_bytes(), founding.as_bytes()])
}

/// Checks that a group is the one of this founding, and that it is ordered where its founder is at
/// home: what a `Join` shows to whoever has never seen the room ([ROOM-2]).
///
/// # Errors
/// `Malformed` if they are no account and no message id; `OriginMismatch` if the room is another.
pub fn check_group(room: &RoomId, hub: &DomainName, founder: &str, founding: &[u8]) -> Result<(), ErrorCode> {
    let founder: Account = founder.parse()?;
    let founding = MessageId::try_from(founding)?;
    let same = founder.domain() == hub && group_room(&founder, &founding) == *room;
    if same { Ok(()) } else { Err(ErrorCode::OriginMismatch) }
}

fn derive(label: &str, parts: &[&[u8]]) -> RoomId {
    let mut hash = Sha256::new();
    hash.update(label);
    for part in parts {
        hash.update([0]);
        hash.update(part);
    }
    RoomId::new(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> Account {
        text.parse().unwrap()
    }

    // [ROOM-1]
    #[test]
    fn both_sides_compute_the_same_room_and_hub() {
        let (alice, bob) = (account("alice@umbrella.test"), account("bob@acme.test"));
        let (room, hub) = direct_room(&alice, &bob);
        assert_eq!((room, hub.clone()), direct_room(&bob, &alice));
        assert_eq!(hub.as_str(), "umbrella.test", "alice is the lower account, whatever her domain");
        assert_ne!(room, direct_room(&alice, &account("bob@acme.example")).0);
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let (room, _) = direct_room(&account("alice@acme.test"), &account("bob@umbrella.test"));
        let bytes = b"comity/v1/DirectRoom\0alice@acme.test\0bob@umbrella.test";
        assert_eq!(room.as_bytes()[..], Sha256::digest(bytes)[..]);
    }

    // [ROOM-2]
    #[test]
    fn a_group_belongs_to_its_founder_and_founding() {
        let (alice, bob) = (account("alice@acme.test"), account("bob@umbrella.test"));
        let (one, two) = (MessageId::new([1; 16]), MessageId::new([2; 16]));
        assert_ne!(group_room(&alice, &one), group_room(&bob, &one));
        assert_ne!(group_room(&alice, &one), group_room(&alice, &two));
    }

    // [ROOM-2]
    #[test]
    fn nobody_shows_a_founding_for_a_direct_room_or_at_another_hub() {
        let (alice, bob) = (account("alice@acme.test"), account("bob@umbrella.test"));
        let founding = MessageId::new([1; 16]);
        let group = group_room(&alice, &founding);
        let check = |room, hub: &Account, founder: &str, founding: &[u8]| {
            check_group(room, hub.domain(), founder, founding)
        };
        assert_eq!(check(&group, &alice, alice.as_str(), founding.as_bytes()), Ok(()));
        assert_eq!(check(&group, &alice, alice.as_str(), &[2; 16]), Err(ErrorCode::OriginMismatch));
        assert_eq!(check(&group, &bob, alice.as_str(), &[1; 16]), Err(ErrorCode::OriginMismatch));
        let (direct, _) = direct_room(&alice, &bob);
        assert_eq!(check(&direct, &alice, alice.as_str(), &[1; 16]), Err(ErrorCode::OriginMismatch));
        assert_eq!(check(&group, &alice, "alice", &[1; 16]), Err(ErrorCode::Malformed));
        assert_eq!(check(&group, &alice, alice.as_str(), &[1; 15]), Err(ErrorCode::Malformed));
    }
}
