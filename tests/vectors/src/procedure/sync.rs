//! What a device asks of its home node (`spec/07-sync.md`).

use room::{
    Request,
    home::{self, Route},
    hub::Standing,
};
use serde_json::{Value, json};
use wire::proto::Submission;
use wire::{Account, DeviceId, DomainName, ErrorCode};

use super::{Outcome, named};
use crate::field::{self, Read};

/// Whether a home node takes a submission, and who orders it.
pub(super) fn submit(input: &Value) -> Read<Outcome> {
    let own: DomainName = field::text(input, "own")?.parse()?;
    let account: Account = field::text(input, "account")?.parse()?;
    let device = DeviceId::new(field::array(input, "device_id")?);
    let submission: Submission = field::decoded(input, "submission")?;
    let hub = input.get("hub").and_then(Value::as_str).map(str::parse::<DomainName>).transpose()?;
    let standing = match field::text(input, "standing")? {
        "member" => Standing::Member,
        "former" => Standing::Former,
        "stranger" => Standing::Stranger,
        other => anyhow::bail!("no standing {other:?}"),
    };
    let run = || -> Result<Value, ErrorCode> {
        let request = Request::parse(&submission)?;
        let known = hub.as_ref().map(|hub| (hub, standing));
        let hub = match home::accept(&own, (&account, &device), &request, known)? {
            Route::Here => own.clone(),
            Route::Peer(hub) => hub,
        };
        Ok(json!({ "hub": hub.as_str(), "message_id": field::hex(request.message.as_bytes()) }))
    };
    Ok(named(run()))
}
