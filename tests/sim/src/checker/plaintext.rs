//! No plaintext leaves a device: the word that stands in every text was never on the network.

use crate::World;

/// Where it was.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    world.history.leaks.clone()
}
