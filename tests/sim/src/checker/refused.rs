//! Every wish that a device promised to carry out ends in front of its user: the text stands in the
//! room, or the refusal was shown. Nothing is dropped in silence.

use engine::{
    Command,
    record::{ItemKind, Progressed},
};

use crate::World;

/// Wishes that ended in silence.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut silent = Vec::new();
    for asked in world.history.asked.values() {
        let Some((intent, _)) = asked.queued else { continue };
        let device = &world.devices[asked.device];
        let who = &device.account;
        let failed = asked.finished.iter().any(Result::is_err)
            || device.stored_intents().iter().any(|row| {
                row.intent.as_ref() == intent.as_bytes() && row.progressed() == Progressed::Failed
            });
        if asked.finished.len() > 1 {
            silent.push(format!("{who} was told the end twice of {:?}", asked.command));
        }
        if let Command::Send { text, .. } = &asked.command {
            let items = device.stored_items();
            let stands = items.iter().any(|item| item.kind() == ItemKind::Text && item.body == *text);
            if stands && asked.finished.iter().any(Result::is_err) {
                silent.push(format!("{who} was told that {text:?} failed, and it stands in the room"));
            }
            if !stands && !failed {
                silent.push(format!("{who} was promised {text:?} and heard nothing more"));
            }
        }
    }
    silent
}
