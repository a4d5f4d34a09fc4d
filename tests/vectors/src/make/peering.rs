//! Vectors of chapter 3: peering tickets.

use data_encoding::BASE32_NOPAD;
use identity::PeeringTicket;
use prost::Message as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use wire::ErrorCode::{Malformed, TooLarge, Unsupported};
use wire::{proto, signed};

use super::people::acme;
use super::{File, file};
use crate::Case;
use crate::field::hex;

pub(super) fn all() -> Vec<File> {
    vec![tickets()]
}

/// The text around these bytes, with a check that fits.
fn text(body: &[u8]) -> String {
    let digest = Sha256::digest(signed::input("comity/v1/PeeringTicket", body));
    let bytes: Vec<u8> = body.iter().chain(digest.iter().take(4)).copied().collect();
    format!("comity-peer:{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
}

fn tickets() -> File {
    let ticket = PeeringTicket::of(&acme().document);
    let good = ticket.encode();
    let output = json!({
        "domain": "acme.test", "fingerprint": hex(ticket.fingerprint), "endpoints": ["node.acme.test:4433"],
    });
    let message = || proto::PeeringTicket {
        version: 1,
        domain: "acme.test".into(),
        fingerprint: ticket.fingerprint.to_vec().into(),
        endpoints: vec!["node.acme.test:4433".into()],
    };
    let input = |text: &str| json!({ "text": text });
    let bad = |name: &str, text: &str| Case::bad(name, input(text), Malformed);
    let changed = |name: &str, change: &dyn Fn(&mut proto::PeeringTicket)| {
        let mut message = message();
        change(&mut message);
        bad(name, &text(&message.encode_to_vec()))
    };
    let with = |tail: &[u8]| [message().encode_to_vec().as_slice(), tail].concat();
    let next = proto::PeeringTicket { version: 2, ..message() };
    let other = |letter: char| if letter == 'a' { 'b' } else { 'a' };
    let slip: String =
        good.chars().enumerate().map(|(at, letter)| if at == 60 { other(letter) } else { letter }).collect();
    let cases = vec![
        Case::good("a ticket", input(&good), output.clone()),
        Case::good("white space around it", input(&format!("  {good}\n")), output.clone()),
        Case::good("in upper case", input(&good.to_uppercase()), output),
        bad("empty", ""),
        bad("without prefix", &good["comity-peer:".len()..]),
        bad("as an invitation", &good.replace("comity-peer", "comity-invite")),
        bad("half of it", &good[..good.len() / 2]),
        bad("twice", &good.repeat(2)),
        bad("one letter changed", &slip),
        bad("a letter that base32 has not", &good.replace('a', "1")),
        bad("a blank inside", &format!("{} {}", &good[..40], &good[40..])),
        changed("no version", &|ticket| ticket.version = 0),
        Case::bad("the next version", input(&text(&next.encode_to_vec())), Unsupported),
        Case::bad(
            "the next version, with a field that is not known",
            input(&text(&[next.encode_to_vec().as_slice(), &[0x30, 1]].concat())),
            Unsupported,
        ),
        changed("no domain", &|ticket| ticket.domain.clear()),
        changed("a domain in upper case", &|ticket| ticket.domain = "Acme.test".into()),
        changed("a fingerprint of 31 bytes", &|ticket| ticket.fingerprint.truncate(31)),
        changed("no endpoint", &|ticket| ticket.endpoints.clear()),
        changed("nine endpoints", &|ticket| ticket.endpoints = vec!["node.acme.test:4433".into(); 9]),
        changed("an endpoint without port", &|ticket| ticket.endpoints = vec!["node.acme.test".into()]),
        bad("a field that is not known", &text(&with(&[0x30, 1]))),
        bad("the version twice", &text(&with(&[0x08, 1]))),
        Case::bad("4,097 bytes", input(&format!("comity-peer:{}", "a".repeat(4_085))), TooLarge),
    ];
    file("peering-ticket", "peering-ticket", "Peering tickets.", cases)
}
