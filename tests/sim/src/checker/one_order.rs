//! One order for each room: every copy of a log is a gapless stretch of the hub's, each head names
//! the hash of the one before, and the hub's key has signed each.

use std::collections::BTreeMap;

use prost::Message as _;
use wire::{
    PublicKey, RoomId,
    proto::{EventHead, EventKind, HubNotice, KeyUse, hub_notice},
    signed,
};

use super::period;
use crate::{World, history::Written, show};

type Log = BTreeMap<u64, Written>;

/// Where a copy differs.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    for room in &world.history.rooms {
        let name = show::room(world, *room);
        let Some(hub) = period::hub(world, *room) else {
            broken.push(format!("{name} has events and no founding"));
            continue;
        };
        let documents = world.nodes[hub].documents.iter();
        let keys: Vec<PublicKey> =
            documents.flat_map(|document| document.keys(KeyUse::Event)).map(|key| key.key).collect();
        let original = &world.history.logs[&(hub, *room)];
        for (node, log) in world.history.logs_of(*room) {
            let missing = gaps(world, *room, node, log).into_iter().filter(|seq| !declines(original, *seq));
            let missing = missing.map(|seq| format!("#{seq} is missing"));
            let found = copy(original, log, &keys).into_iter().chain(missing);
            let node = &world.nodes[node].name;
            broken.extend(found.map(|what| format!("{node} in {name}: {what}")));
        }
    }
    broken
}

fn copy(original: &Log, log: &Log, keys: &[PublicKey]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut previous: Option<(u64, [u8; 32])> = None;
    for (seq, Written { hash, event }) in log {
        if original.get(seq).map(|written| &written.event) != Some(event) {
            broken.push(format!("#{seq} is another event than the hub's"));
        }
        let Ok(head) = signed::decode::<EventHead>(&event.head) else {
            broken.push(format!("#{seq} has no head"));
            continue;
        };
        let signs = |key: &PublicKey| signed::verify::<EventHead>(key, &event.head, &event.signature).is_ok();
        if !keys.iter().any(signs) {
            broken.push(format!("#{seq} is not signed by the hub"));
        }
        if head.seq != *seq {
            broken.push(format!("the head of #{seq} says #{}", head.seq));
        }
        let follows = |(before, hash): (u64, [u8; 32])| before + 1 != *seq || head.prev_hash.as_ref() == hash;
        if !previous.is_none_or(follows) {
            broken.push(format!("#{seq} is chained to another event"));
        }
        previous = Some((*seq, *hash));
    }
    broken
}

/// What is missing between the first and the last event of a copy, though the domain was in the
/// room.
fn gaps(world: &World, room: RoomId, node: usize, log: &Log) -> Vec<u64> {
    let periods = period::periods(world, room);
    let is_hub = period::hub(world, room) == Some(node);
    let domain = &world.nodes[node].name;
    let (Some(first), Some(last)) = (log.keys().next(), log.keys().last()) else { return Vec::new() };
    let wanted = |seq: &u64| {
        is_hub || periods.iter().any(|period| period.account.domain() == domain && period.covers(*seq))
    };
    (*first..=*last).filter(|seq| !log.contains_key(seq)).filter(wanted).collect()
}

/// Whether an event says that somebody declined: the domain that declined keeps nothing more of the
/// room, and so not this either ([ROOM-30]).
fn declines(original: &Log, seq: u64) -> bool {
    let event = original.get(&seq).map(|written| &written.event);
    event.is_some_and(|event| {
        let kind = signed::decode::<EventHead>(&event.head).map(|head| head.kind());
        let notice = HubNotice::decode(event.body.clone()).ok().and_then(|body| body.notice);
        kind == Ok(EventKind::Notice) && matches!(notice, Some(hub_notice::Notice::Declined(_)))
    })
}
