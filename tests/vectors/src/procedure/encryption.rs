//! What is inside and outside the ciphertext (`spec/08-encryption.md`).

use machine::Timestamp;
use serde_json::{Value, json};
use wire::proto::{EventKind, content::Kind};

use super::{Outcome, named};
use crate::field::{self, Read};

/// The plaintext of a message.
pub(super) fn content(input: &Value) -> Read<Outcome> {
    let plaintext = field::bytes(input, "plaintext")?;
    Ok(named(mls::content::unpad(&plaintext).map(|content| {
        let kind = match content.kind {
            Some(Kind::Text(_)) => "text",
            Some(Kind::Edit(_)) => "edit",
            Some(Kind::Delete(_)) => "delete",
            Some(Kind::Reaction(_)) => "reaction",
            Some(Kind::Read(_)) => "read",
            Some(Kind::Typing(_)) => "typing",
            Some(Kind::RoomInfo(_)) => "room_info",
            Some(Kind::File(_)) => "file",
            None => "",
        };
        json!({ "kind": kind, "time_ms": content.time_ms, "size": plaintext.len() })
    })))
}

/// The outside of an MLS message.
pub(super) fn framing(input: &Value) -> Read<Outcome> {
    let body = field::bytes(input, "body")?;
    let framing = match field::text(input, "kind")? {
        "commit" => mls::framing(EventKind::Commit, &body),
        "proposal" => mls::framing(EventKind::Proposal, &body),
        "message" => mls::framing(EventKind::Message, &body),
        "ephemeral" => mls::ephemeral_framing(&body),
        other => anyhow::bail!("no kind {other:?}"),
    };
    Ok(named(framing.map(|framing| {
        json!({
            "room": framing.room.to_string(), "epoch": framing.epoch,
            "message_id": field::hex(&framing.binding.message_id),
        })
    })))
}

/// A key package by itself.
pub(super) fn key_package(input: &Value) -> Read<Outcome> {
    let now = Timestamp::from_ms(field::number(input, "now_ms")?);
    let info = mls::check_key_package(&field::bytes(input, "key_package")?, now);
    Ok(named(info.map(|info| {
        json!({
            "account": info.leaf.account.as_str(), "device_id": info.leaf.device.to_string(),
            "signature_key": info.leaf.key.to_string(), "reference": field::hex(info.hash),
            "not_after_s": info.not_after_s, "last_resort": info.last_resort,
        })
    })))
}
