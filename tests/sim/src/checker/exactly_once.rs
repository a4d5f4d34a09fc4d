//! Exactly once in effect: no message id stands twice in a log, and no text twice in a timeline,
//! however often it was submitted.

use std::collections::BTreeMap;

use engine::record::ItemKind;
use wire::{MessageId, proto::EventHead, signed};

use crate::{World, show};

/// What happened twice.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut twice = Vec::new();
    for ((node, room), log) in &world.history.logs {
        let mut seen: BTreeMap<MessageId, u64> = BTreeMap::new();
        for (seq, written) in log {
            let Ok(head) = signed::decode::<EventHead>(&written.event.head) else { continue };
            let Ok(message) = MessageId::try_from(head.message_id.as_ref()) else { continue };
            if let Some(first) = seen.insert(message, *seq) {
                let (name, room) = (&world.nodes[*node].name, show::room(world, *room));
                twice.push(format!("{name} has one message id in {room} at #{first} and #{seq}"));
            }
        }
    }
    for device in &world.devices {
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for item in device.stored_items() {
            if item.kind() == ItemKind::Text
                && let Some(first) = seen.insert(item.body.clone(), item.seq)
            {
                let name = &device.account;
                twice.push(format!("{name} sees {:?} at #{first} and #{}", item.body, item.seq));
            }
        }
    }
    twice
}
