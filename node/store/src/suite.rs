//! The tests that every backend passes, so that the domain may rely on what the trait says.
//!
//! A backend's crate implements [`Backend`] for a fresh, empty store and writes
//! `store::suite!(ItsBackend);` in a test module: one test to each promise.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

pub mod accounts;
pub mod batches;
pub mod chance;
pub mod events;
pub mod peers;
pub mod rooms;
pub mod sample;

use crate::Store;

/// A store that can be opened again.
pub trait Backend: Default {
    /// The store.
    type Store: Store;

    /// Opens the store; what was opened before has been dropped. Every call sees what was
    /// committed.
    fn open(&mut self) -> Self::Store;
}

/// Makes one test of each function of the suite for a [`suite::Backend`](Backend).
#[macro_export]
macro_rules! suite {
    ($backend:ty) => {
        $crate::suite! { $backend;
            accounts: accounts_are_replaced_and_listed, passwords_and_tries, devices_and_cursors, key_packages_in_order,
                a_package_is_claimed_once, claims_are_remembered, entries_for_whom_they_are, invitations_until_answered,
                claims_and_packages_go_in_time, entries_go_when_they_were_fetched,
                what_an_account_held_goes;
            rooms: rooms_and_their_values, rooms_that_want_events, periods_of_membership,
                progress_never_goes_back;
            events: events_by_seq, events_by_message_of_many_rooms, a_taken_key_is_a_conflict_and_nothing_applies,
                pending_until_ordered, an_account_sees_its_periods, an_account_sees_rooms_in_order_of_position,
                heads_come_back_as_they_were, large_bodies;
            peers: peers_are_replaced, documents_after_a_seq, outbox_in_order, outbox_drops_exactly,
                answers_until_settled, quarantine_newest_first, quarantine_is_trimmed_by_peer, a_peer_goes,
                audit_newest_first, the_size_grows;
            batches: an_empty_batch, a_batch_is_all_or_nothing, order_within_a_batch, many_rows_at_once,
                reopening_keeps_everything, the_head_of_positions;
            chance: any_batches_give_what_memory_gives;
        }
    };
    ($backend:ty; $($module:ident: $($name:ident),+;)+) => {
        $(mod $module { $(
            #[test]
            fn $name() {
                $crate::suite::$module::$name(&mut <$backend as Default>::default());
            }
        )+ })+
    };
}
