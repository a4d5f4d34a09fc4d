//! Positions only rise: those that a domain gives out, those that a device acknowledges, and those
//! that are kept for it.

use crate::World;

/// What went back.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let history = &world.history;
    let mut back = Vec::new();
    for (node, positions) in &history.positions {
        if let Some(pair) = positions.windows(2).find(|pair| pair[0] >= pair[1]) {
            back.push(format!("{} gave out {} after {}", world.nodes[*node].name, pair[1], pair[0]));
        }
    }
    for ((node, account, _), positions) in &history.cursors {
        if let Some(pair) = positions.windows(2).find(|pair| pair[0] > pair[1]) {
            let name = &world.nodes[*node].name;
            back.push(format!("{name} kept {} for {account} after {}", pair[1], pair[0]));
        }
    }
    for ((device, _), acks) in &history.acks {
        if let Some(pair) = acks.windows(2).find(|pair| pair[0] > pair[1]) {
            let account = &world.devices[*device].account;
            back.push(format!("{account} acknowledged {} after {}", pair[1], pair[0]));
        }
    }
    back
}
