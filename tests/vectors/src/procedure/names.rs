//! Names and texts (`spec/01-names.md`).

use serde_json::{Value, json};
use wire::{Account, DeviceId, DomainName, Endpoint, ErrorCode, RoomId, limits, text};

use super::{Outcome, named};
use crate::field::{self, Read};

pub(super) fn domain(input: &Value) -> Read<Outcome> {
    let name = field::text(input, "text")?.parse::<DomainName>();
    Ok(named(name.map(|name| json!({ "domain": name.as_str() }))))
}

pub(super) fn account(input: &Value) -> Read<Outcome> {
    let name = field::text(input, "text")?.parse::<Account>();
    Ok(named(name.map(|name| json!({ "local": name.local(), "domain": name.domain().as_str() }))))
}

pub(super) fn endpoint(input: &Value) -> Read<Outcome> {
    let endpoint = field::text(input, "text")?.parse::<Endpoint>();
    Ok(named(endpoint.map(|endpoint| json!({ "host": endpoint.host(), "port": endpoint.port() }))))
}

pub(super) fn id(input: &Value) -> Read<Outcome> {
    let text = field::text(input, "text")?;
    let bytes = match field::text(input, "kind")? {
        "device" => text.parse::<DeviceId>().map(|id| id.as_bytes().to_vec()),
        "room" => text.parse::<RoomId>().map(|id| id.as_bytes().to_vec()),
        _ => Err(ErrorCode::Unsupported),
    };
    Ok(named(bytes.map(|bytes| json!({ "bytes": bytes.len() }))))
}

pub(super) fn line(input: &Value) -> Read<Outcome> {
    let checked = text::check_line(field::text(input, "text")?, limits::ROOM_NAME_BYTES_MAX);
    Ok(named(checked.map(|()| json!({}))))
}
