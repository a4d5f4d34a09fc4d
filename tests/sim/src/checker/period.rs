//! Reads from a hub's disk who was in a room, and when.

use store::Store as _;
use wire::{Account, RoomId, proto::EventHead, signed};

use crate::World;

/// An account's time in a room: it is to see events after `from`, up to `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Who.
    pub account: Account,
    /// After this seq: the commit that added it.
    pub from: u64,
    /// Up to this seq; for ever if `None`.
    pub to: Option<u64>,
}

impl Period {
    /// Whether an event is within it.
    #[must_use]
    pub fn covers(&self, seq: u64) -> bool {
        seq > self.from && self.to.is_none_or(|to| seq <= to)
    }
}

/// The node that orders a room, as the events that were written say.
#[must_use]
pub fn hub(world: &World, room: RoomId) -> Option<usize> {
    let (_, log) = world.history.logs_of(room).next()?;
    let head = signed::decode::<EventHead>(&log.values().next()?.event.head).ok()?;
    world.node_named(&head.hub)
}

/// All periods of a room, as its hub has written them.
#[must_use]
pub fn periods(world: &World, room: RoomId) -> Vec<Period> {
    let Some(hub) = hub(world, room) else { return Vec::new() };
    let rows = world.nodes[hub].disk.members(&room).unwrap_or_else(|error| panic!("{error}"));
    rows.into_iter().map(|row| Period { account: row.account, from: row.from_seq, to: row.to_seq }).collect()
}

/// The newest seq at the hub.
#[must_use]
pub fn head(world: &World, room: RoomId) -> u64 {
    let log = hub(world, room).and_then(|hub| world.history.logs.get(&(hub, room)));
    log.and_then(|log| log.keys().last().copied()).unwrap_or_default()
}
