//! After everything has healed, all agree: nothing waits anywhere, every copy of a log ends where
//! the hub's ends, and the members of a room show the same texts at the same places.

use std::collections::{BTreeMap, BTreeSet};

use engine::record::{ItemKind, MessageRow, Progressed, RoomPhase};
use store::Store as _;
use wire::{
    ErrorCode, RoomId,
    proto::{EventHead, EventKind},
    signed,
};

use super::period::{self, Period};
use crate::{World, device::Device, show};

/// Where there is still a difference.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut differences: Vec<String> = unsettled(world).into_iter().collect();
    for room in &world.history.rooms {
        differences.extend(texts_differ(world, *room));
    }
    differences.extend(
        world
            .history
            .complaints
            .iter()
            .map(|(device, complaint)| format!("{} complained: {complaint}", world.devices[*device].account)),
    );
    differences
}

/// Something that is still under way, or `None`.
#[must_use]
pub fn unsettled(world: &World) -> Option<String> {
    nodes_wait(world).or_else(|| logs_lag(world)).or_else(|| devices_wait(world))
}

fn nodes_wait(world: &World) -> Option<String> {
    for node in &world.nodes {
        if node.core.is_none() || !node.inbox.is_empty() {
            return Some(format!("{} is not at rest", node.name));
        }
        for peer in world.nodes.iter().filter(|peer| peer.name != node.name) {
            let size = node.disk.outbox_size(&peer.name).unwrap_or_else(|error| panic!("{error}"));
            if size.0 > 0 {
                return Some(format!("{} has {} items for {}", node.name, size.0, peer.name));
            }
            let pending = node.disk.pending_of_peer(&peer.name, u64::MAX, 1);
            if !pending.unwrap_or_else(|error| panic!("{error}")).is_empty() {
                return Some(format!("{} waits for {}", node.name, peer.name));
            }
        }
    }
    None
}

fn logs_lag(world: &World) -> Option<String> {
    for room in &world.history.rooms {
        let head = period::head(world, *room);
        for period in period::periods(world, *room).iter().filter(|period| period.to.is_none()) {
            let node = world.node_named(period.account.domain().as_str())?;
            let log = world.history.logs.get(&(node, *room));
            let own = log.and_then(|log| log.keys().last().copied()).unwrap_or_default();
            if own != head {
                let (name, room) = (&world.nodes[node].name, show::room(world, *room));
                return Some(format!("{name} has {room} to #{own} of #{head}"));
            }
        }
    }
    None
}

fn devices_wait(world: &World) -> Option<String> {
    for device in world.devices.iter().filter(|device| device.online) {
        let who = &device.account;
        let Some(engine) = &device.engine else { return Some(format!("{who} does not run")) };
        if !matches!(device.session, Some((_, true))) || !engine.caught_up() {
            return Some(format!("{who} has not caught up"));
        }
        if let Some(row) = device.stored_intents().iter().find(|row| row.progressed() != Progressed::Failed) {
            return Some(format!("{who} still wants to {:?}", row.kind()));
        }
        for view in engine.rooms().iter().filter(|view| view.phase == RoomPhase::Joined) {
            let (room, head) = (show::room(world, view.room), period::head(world, view.room));
            if view.head_seq != head {
                return Some(format!("{who} has {room} to #{} of #{head}", view.head_seq));
            }
            if view.members.iter().any(|member| member.leaving) {
                return Some(format!("{who} waits for a leave in {room}"));
            }
        }
    }
    None
}

/// Sender and text by seq.
type Shown = BTreeMap<u64, (String, String)>;

fn texts(device: &Device, room: RoomId) -> Shown {
    let items = device.stored_room(&room).into_iter();
    let shown = |kind| matches!(kind, ItemKind::Text | ItemKind::Edit);
    items.filter(|item| shown(item.kind())).map(|item| (item.seq, (item.sender, item.body))).collect()
}

/// What was said while a device had lost its way in the room, and it says so in that place: it has come
/// back since.
fn lost_texts(device: &Device, room: RoomId) -> BTreeSet<u64> {
    let items = device.stored_room(&room);
    let returns = items.iter().filter(|item| item.own && item.kind() == ItemKind::Rejoined);
    let Some(last) = returns.map(|item| item.seq).max() else { return BTreeSet::new() };
    let gone = |item: &MessageRow| {
        let error = ErrorCode::StaleEpoch.code();
        item.kind() == ItemKind::Unreadable && item.error == error && item.seq < last
    };
    items.iter().filter(|item| gone(item)).map(|item| item.seq).collect()
}

fn texts_differ(world: &World, room: RoomId) -> Vec<String> {
    let name = show::room(world, room);
    let periods = period::periods(world, room);
    let mut all = Shown::new();
    let mut differences = Vec::new();
    for (seq, text) in world.devices.iter().flat_map(|device| texts(device, room)) {
        if let Some(other) = all.insert(seq, text.clone())
            && other != text
        {
            differences.push(format!("{name} #{seq} is {other:?} and {text:?}"));
        }
    }
    let is_in = |device: &&Device| {
        let view = device.engine.as_ref().and_then(|engine| engine.room(room));
        device.online && view.is_some_and(|view| view.phase == RoomPhase::Joined)
    };
    for device in world.devices.iter().filter(is_in) {
        let own = texts(device, room);
        let lost = lost_texts(device, room);
        let mine: Vec<&Period> = periods.iter().filter(|period| period.account == device.account).collect();
        for (seq, text) in &all {
            let Some(period) = mine.iter().find(|period| period.covers(*seq)) else { continue };
            if own.get(seq) != Some(text) && !lost.contains(seq) && readable(world, room, *seq, period) {
                differences.push(format!("{} does not see {text:?}, {name} #{seq}", device.account));
            }
        }
    }
    differences
}

/// A message made in an epoch before an account joined was not encrypted to it, and what was said
/// until it declined was never for its devices.
fn readable(world: &World, room: RoomId, seq: u64, period: &Period) -> bool {
    let head_of = |seq: u64| -> Option<EventHead> {
        let log = world.history.logs.get(&(period::hub(world, room)?, room))?;
        signed::decode::<EventHead>(&log.get(&seq)?.event.head).ok()
    };
    let epoch_of = |seq: u64| head_of(seq).map(|head| head.epoch);
    let declined = period.to.and_then(head_of).is_some_and(|end| end.kind() == EventKind::Notice);
    let founder = period.from <= 1;
    !declined && (founder || epoch_of(seq) > epoch_of(period.from))
}
