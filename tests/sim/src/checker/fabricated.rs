//! Nothing is fabricated or misattributed: every text that a device shows was asked for by a user
//! of the account that it names.

use std::collections::BTreeMap;

use engine::{Command, record::ItemKind};

use crate::World;

/// What nobody said.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    for asked in world.history.asked.values() {
        if let Command::Send { text, .. } | Command::Edit { text, .. } = &asked.command {
            said.insert(text, world.devices[asked.device].account.as_str());
        }
    }
    let mut fabricated = Vec::new();
    for device in &world.devices {
        for item in device.stored_items() {
            if matches!(item.kind(), ItemKind::Text | ItemKind::Edit)
                && said.get(item.body.as_str()) != Some(&item.sender.as_str())
            {
                let (who, text, sender) = (&device.account, &item.body, &item.sender);
                fabricated.push(format!("{who} sees {text:?} from {sender}"));
            }
        }
    }
    fabricated
}
