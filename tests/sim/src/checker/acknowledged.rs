//! Nothing acknowledged is lost: a submission that a node has accepted is on that node's disk, or
//! at its hub, or its refusal is on its sender's way; and events that were written stay.

use store::Store as _;

use super::period;
use crate::World;

/// What was lost.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let history = &world.history;
    let mut lost = Vec::new();
    for (node, message) in &history.accepted {
        let Some((room, account)) = history.submitted.get(message) else {
            lost.push(format!("{message} was accepted but never submitted"));
            continue;
        };
        let disk = &world.nodes[*node].disk;
        let key = [(*room, *message)];
        let waiting = disk.pending(&key).unwrap_or_else(|error| panic!("{error}"));
        let hub = period::hub(world, *room).map(|hub| &world.nodes[hub].disk);
        let ordered = [Some(disk), hub]
            .into_iter()
            .flatten()
            .any(|disk| !disk.events_by_message(&key).unwrap_or_else(|error| panic!("{error}")).is_empty());
        let refused = history.refused.iter().any(|(by, of, id)| by == node && of == account && id == message);
        if waiting.is_empty() && !ordered && !refused {
            lost.push(format!("a submission of {account} was accepted and is nowhere ({message})"));
        }
    }
    for ((node, room), log) in &history.logs {
        let disk = &world.nodes[*node].disk;
        let stored = disk.events(room, 0, usize::MAX).unwrap_or_else(|error| panic!("{error}"));
        if stored.len() < log.len() {
            let (name, lost_here) = (&world.nodes[*node].name, log.len() - stored.len());
            lost.push(format!("{name} has lost {lost_here} events of {}", crate::show::room(world, *room)));
        }
    }
    lost
}
