//! What one domain says to another (`spec/06-federation.md`).

use identity::Chain;
use link::{
    Inbound, Outbound,
    hello::{self, Here, Pin, Verdict},
};
use machine::Timestamp;
use serde_json::{Value, json};
use wire::proto::{Answer, Batch, BatchAck, LinkOpen, LinkResume, PeerHello, Signed};
use wire::{DomainName, ErrorCode, PublicKey};

use super::{Outcome, named};
use crate::field::{self, Read};

/// Whose a connection is, by the hello of the other side and the key that TLS proved.
pub(super) fn peer_hello(input: &Value) -> Read<Outcome> {
    let own: DomainName = field::text(input, "own")?.parse()?;
    let tls_key = PublicKey::new(field::array(input, "tls_key")?);
    let dialled = input.get("dialled").and_then(Value::as_str).map(str::parse).transpose()?;
    let now = Timestamp::from_ms(field::number(input, "now_ms")?);
    let here = Here { own: &own, tls_key: &tls_key, dialled: dialled.as_ref(), now };
    let pinned: DomainName = field::text(input, "pinned")?.parse()?;
    let fingerprint: [u8; 32] = field::array(input, "fingerprint")?;
    let known = field::list::<Signed>(input, "known")?;
    let known = if known.is_empty() { None } else { Some(Chain::verify_all(&pinned, &known, &fingerprint)?) };
    let pin = |domain: &DomainName| match &known {
        _ if *domain != pinned => Pin::None,
        Some(chain) => Pin::Chain(chain),
        None => Pin::Fingerprint(&fingerprint),
    };
    let hello: PeerHello = field::decoded(input, "hello")?;
    Ok(match hello::check(&here, pin, &hello) {
        Verdict::Accepted(accepted) => Ok(json!({
            "peer": accepted.peer.as_str(), "document_seq": accepted.chain.newest().seq(),
            "new_documents": accepted.fresh.len(), "peer_knows": accepted.peer_knows,
        })),
        Verdict::Held(_, error) => Err(error.name().to_owned()),
        Verdict::Refused(error) => Err(error.code.name().to_owned()),
    })
}

/// The answers in a list, as number and name of the error.
fn told(answers: &[Answer]) -> Value {
    let told = answers.iter().map(|answer| {
        let error = answer.error.as_ref().map(|error| ErrorCode::from_code(error.code).name());
        json!([answer.number, error])
    });
    told.collect()
}

/// The receiving side of a link: an opening, then batches whose items are all taken.
pub(super) fn link_inbound(input: &Value) -> Read<Outcome> {
    let mut inbound = Inbound::new(field::array(input, "outbox_id")?, field::number(input, "received")?, []);
    let open: LinkOpen = field::decoded(input, "open")?;
    let batches = field::list::<Batch>(input, "batches")?;
    let run = || -> Result<Value, ErrorCode> {
        let (resume, renumbered) = inbound.open(&open)?;
        let mut taken = Vec::new();
        for batch in batches {
            for item in inbound.batch(batch)? {
                taken.push(item.number);
                if item.number > 0 {
                    let refused = item.item.is_none().then(|| ErrorCode::Malformed.into());
                    inbound.taken(item.number, refused);
                }
            }
        }
        let ack = inbound.ack();
        Ok(json!({
            "resume": resume.received, "renumbered": renumbered, "taken": taken,
            "received": ack.received, "answers": told(&ack.answers),
        }))
    };
    Ok(named(run()))
}

/// The sending side: a resume, then acknowledgements of all items up to `sent`.
pub(super) fn link_outbound(input: &Value) -> Read<Outcome> {
    let mut outbound = Outbound::new([1; 16], field::number(input, "acked")?, 0);
    let (newest, resume) = (field::number(input, "sent")?, field::decoded::<LinkResume>(input, "resume")?);
    let acks = field::list::<BatchAck>(input, "acks")?;
    let mut run = || -> Result<Value, ErrorCode> {
        let open = outbound.open();
        let mut last = outbound.resume(&resume, newest)?;
        let mut refused = last.refused.clone();
        while let Some(number) = outbound.next().filter(|number| *number <= newest) {
            let item = wire::proto::Item { number, item: None };
            if outbound.batch([item]).is_none() {
                break;
            }
        }
        for ack in &acks {
            last = outbound.ack(ack)?;
            refused.extend(last.refused.iter().copied());
        }
        let refused: Vec<Value> =
            refused.into_iter().map(|(number, error)| json!([number, error.code.name()])).collect();
        Ok(json!({ "first": open.first, "acked": last.up_to, "refused": refused }))
    };
    Ok(named(run()))
}
