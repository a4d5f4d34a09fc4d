//! Judges a run by the promises, one file each, from what was written and shown: it shares no code
//! with what it judges.

pub mod acknowledged;
pub mod convergence;
pub mod cursors;
pub mod exactly_once;
pub mod fabricated;
pub mod one_order;
pub mod period;
pub mod plaintext;
pub mod refused;
pub mod removed;

use crate::World;

/// What is promised, and what looks where it is broken.
type Check = (&'static str, fn(&World) -> Vec<String>);

/// What every state of every run must fulfil. Empty if it does.
#[must_use]
pub fn safety(world: &World) -> Vec<String> {
    let checks: [Check; 7] = [
        ("no plaintext leaves a device", plaintext::check),
        ("nothing acknowledged is lost", acknowledged::check),
        ("exactly once in effect", exactly_once::check),
        ("one order, gapless and chained", one_order::check),
        ("nothing fabricated or misattributed", fabricated::check),
        ("cursors only rise", cursors::check),
        ("who is out sees nothing later", removed::check),
    ];
    named(world, &checks)
}

/// What must hold besides when everything has healed and settled.
#[must_use]
pub fn settled(world: &World) -> Vec<String> {
    let checks: [Check; 2] = [
        ("everybody agrees after healing", convergence::check),
        ("every wish is fulfilled or visibly refused", refused::check),
    ];
    named(world, &checks)
}

fn named(world: &World, checks: &[Check]) -> Vec<String> {
    let mut broken = Vec::new();
    for (promise, check) in checks {
        broken.extend(check(world).into_iter().map(|what| format!("{promise}: {what}")));
    }
    broken
}
