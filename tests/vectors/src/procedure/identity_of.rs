//! Who is who (`spec/03-identity.md`).

use identity::{
    AccountBinding, Chain, DeviceCertificate, DeviceList, DomainDocument, PeeringTicket, Ticket,
    check_account_keys, check_leaf, key_file as file, session as proof,
};
use machine::Timestamp;
use serde_json::{Value, json};
use wire::proto::{KeyUse, LeafIdentity, SessionHello, Signed};
use wire::{ErrorCode, PublicKey, signed};

use super::{Outcome, named};
use crate::field::{self, Read};

fn now(input: &Value) -> Read<Timestamp> {
    field::number(input, "now_ms").map(Timestamp::from_ms)
}

/// A document that the vector file gives as known and good.
fn document(input: &Value) -> Read<DomainDocument> {
    Ok(DomainDocument::parse(&field::decoded::<Signed>(input, "document")?)?)
}

/// A signature over label, zero byte and body.
pub(super) fn verify(input: &Value) -> Read<Outcome> {
    let key = PublicKey::new(field::array(input, "public_key")?);
    let signed_bytes = signed::input(field::text(input, "label")?, &field::bytes(input, "body")?);
    let verified = key.verify(&signed_bytes, &field::bytes(input, "signature")?);
    Ok(named(verified.map(|()| json!({ "signed_bytes": field::hex(signed_bytes) }))))
}

/// A `Signed` in the place of one kind of statement: form, and the signature by `public_key`.
pub(super) fn statement(input: &Value) -> Read<Outcome> {
    let signed = field::decoded::<Signed>(input, "signed")?;
    let key = PublicKey::new(field::array(input, "public_key")?);
    let now = now(input)?;
    let outcome = match field::text(input, "kind")? {
        "document" => DomainDocument::parse(&signed).map(|document| {
            json!({ "domain": document.domain().as_str(), "seq": document.seq(), "hash": field::hex(document.hash()) })
        }),
        "binding" => AccountBinding::parse(&signed).map(|binding| {
            json!({ "account": binding.account().as_str(), "seq": binding.seq(), "hash": field::hex(binding.hash()) })
        }),
        "device-list" => DeviceList::parse(&signed).and_then(|list| {
            list.verify(&key, now)?;
            Ok(json!({ "account": list.account().as_str(), "seq": list.seq(), "hash": field::hex(list.hash()) }))
        }),
        "certificate" => DeviceCertificate::parse(&signed).and_then(|certificate| {
            certificate.verify(&key, now)?;
            Ok(json!({
                "account": certificate.account().as_str(),
                "device_id": certificate.device().to_string(),
                "signature_key": certificate.key().to_string(),
            }))
        }),
        other => anyhow::bail!("no statement of kind {other:?}"),
    };
    Ok(named(outcome))
}

/// A list of documents read from a pinned fingerprint on.
pub(super) fn chain(input: &Value) -> Read<Outcome> {
    let domain = field::text(input, "domain")?.parse()?;
    let documents = field::list::<Signed>(input, "documents")?;
    let chain = Chain::verify_all(&domain, &documents, &field::array(input, "fingerprint")?);
    Ok(named(chain.map(|chain| {
        let newest = chain.newest();
        json!({ "seq": newest.seq(), "root_key": newest.root_key().to_string(), "hash": field::hex(newest.hash()) })
    })))
}

/// Whether a key speaks for a domain in one use at one time.
pub(super) fn domain_key(input: &Value) -> Read<Outcome> {
    let key_use = match field::text(input, "use")? {
        "tls" => KeyUse::Tls,
        "binding" => KeyUse::Binding,
        _ => KeyUse::Event,
    };
    let key = PublicKey::new(field::array(input, "public_key")?);
    let checked = document(input)?.check_key(key_use, &key, now(input)?);
    Ok(named(checked.map(|()| json!({}))))
}

pub(super) fn account_keys(input: &Value) -> Read<Outcome> {
    let keys = field::decoded(input, "keys")?;
    let view = check_account_keys(&keys, &document(input)?, now(input)?);
    Ok(named(view.map(|view| {
        let devices: Vec<Value> =
            view.devices.iter().map(|(id, key)| json!([id.to_string(), key.to_string()])).collect();
        json!({ "account": view.account.as_str(), "account_key": view.account_key.to_string(), "devices": devices })
    })))
}

pub(super) fn leaf(input: &Value) -> Read<Outcome> {
    let identity = field::decoded::<LeafIdentity>(input, "identity")?;
    let key = PublicKey::new(field::array(input, "leaf_key")?);
    let checked = check_leaf(&identity, &key, &document(input)?, now(input)?);
    Ok(named(
        checked
            .map(|(account, device)| json!({ "account": account.as_str(), "device_id": device.to_string() })),
    ))
}

pub(super) fn session(input: &Value) -> Read<Outcome> {
    let hello = field::decoded::<SessionHello>(input, "hello")?;
    let key = PublicKey::new(field::array(input, "device_key")?);
    let verified = proof::verify(&hello, &key, &field::array(input, "exporter")?, now(input)?);
    Ok(named(verified.map(|()| json!({})).map_err(|error| error.code)))
}

pub(super) fn ticket(input: &Value) -> Read<Outcome> {
    let ticket = Ticket::parse(field::text(input, "text")?);
    Ok(named(ticket.map(|ticket| {
        json!({
            "account": ticket.account.as_str(),
            "code": field::hex(ticket.code),
            "fingerprint": field::hex(ticket.fingerprint),
            "endpoints": ticket.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "expires": ticket.expires,
        })
    })))
}

pub(super) fn peering_ticket(input: &Value) -> Read<Outcome> {
    let ticket = PeeringTicket::parse(field::text(input, "text")?);
    Ok(named(ticket.map(|ticket| {
        json!({
            "domain": ticket.domain.as_str(),
            "fingerprint": field::hex(ticket.fingerprint),
            "endpoints": ticket.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    })))
}

/// Key files never travel, so that their errors are not of the list of the wire; here each is
/// `Malformed`.
pub(super) fn key_file(input: &Value) -> Read<Outcome> {
    let parsed = file::parse(field::text(input, "text")?);
    Ok(named(
        parsed
            .map(|(kind, key)| json!({ "kind": kind.name(), "public_key": key.public().to_string() }))
            .map_err(|_| ErrorCode::Malformed),
    ))
}
