//! Rooms and their logs (`spec/05-rooms.md`).

use room::chain::{LogHead, check_run};
use serde_json::{Value, json};
use wire::proto::Event;
use wire::{Account, PublicKey, RoomId};

use super::{Outcome, named};
use crate::field::{self, Read};

pub(super) fn direct(input: &Value) -> Read<Outcome> {
    let one: Account = field::text(input, "one")?.parse()?;
    let other: Account = field::text(input, "other")?.parse()?;
    let (room, hub) = room::direct_room(&one, &other);
    Ok(Ok(json!({ "room": room.to_string(), "hub": hub.as_str() })))
}

/// Events that follow the end of a log.
pub(super) fn event_run(input: &Value) -> Read<Outcome> {
    let room: RoomId = field::text(input, "room")?.parse()?;
    let hub = field::text(input, "hub")?.parse()?;
    let key = PublicKey::new(field::array(input, "event_key")?);
    let end = LogHead { seq: field::number(input, "after_seq")?, hash: field::array(input, "after_hash")? };
    let run = check_run(&room, &hub, &[key], &end, &field::list::<Event>(input, "events")?);
    Ok(named(run.map(|run| {
        let last = run.last().map_or(end, room::chain::CheckedEvent::log_head);
        json!({ "seq": last.seq, "hash": field::hex(last.hash) })
    })))
}
