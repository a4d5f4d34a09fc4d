//! Who is out of a room sees nothing later, and neither does a domain without members in it.

use super::period;
use crate::{World, show};

/// What was seen.
#[must_use]
pub fn check(world: &World) -> Vec<String> {
    let mut seen = Vec::new();
    for room in &world.history.rooms {
        let periods = period::periods(world, *room);
        let name = show::room(world, *room);
        for device in &world.devices {
            let own: Vec<_> = periods.iter().filter(|period| period.account == device.account).collect();
            for item in device.stored_room(room) {
                // The commit that adds an account is the first thing that it may see.
                let may = own.iter().any(|period| period.covers(item.seq) || item.seq == period.from);
                if !may {
                    seen.push(format!("{} sees #{} of {name}", device.account, item.seq));
                }
            }
        }
        let hub = period::hub(world, *room);
        for (node, log) in world.history.logs_of(*room).filter(|(node, _)| Some(*node) != hub) {
            let domain = &world.nodes[node].name;
            let of_domain: Vec<_> =
                periods.iter().filter(|period| period.account.domain() == domain).collect();
            for seq in log.keys() {
                let may = of_domain.iter().any(|period| period.covers(*seq) || *seq == period.from);
                if !may {
                    seen.push(format!("{domain} holds #{seq} of {name}"));
                }
            }
        }
    }
    seen
}
