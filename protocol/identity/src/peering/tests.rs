//! Peering tickets that one administrator may paste, and what else may arrive in a mail.

use super::*;
use crate::fixture;

fn ticket() -> PeeringTicket {
    PeeringTicket::of(&fixture::domain("acme.test", 1).document)
}

fn message() -> proto::PeeringTicket {
    let ticket = ticket();
    proto::PeeringTicket {
        version: 1,
        domain: "acme.test".into(),
        fingerprint: ticket.fingerprint.to_vec().into(),
        endpoints: vec!["127.0.0.1:4433".into()],
    }
}

fn text(body: &[u8]) -> String {
    let bytes = [body, &check(body)].concat();
    format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
}

#[test]
fn a_ticket_says_what_the_document_says_and_survives_a_person() {
    let domain = fixture::domain("acme.test", 1);
    let written = ticket().encode();
    assert_eq!(written, text(&message().encode_to_vec()));
    assert_eq!(ticket().fingerprint, fingerprint(&domain.keys.root.public()));
    assert_eq!(ticket().endpoints, domain.document.endpoints());
    for form in [written.clone(), format!("  {written}\r\n"), written.to_uppercase()] {
        assert!(PeeringTicket::is_meant(&form));
        assert_eq!(PeeringTicket::parse(&form), Ok(ticket()));
    }
}

#[test]
fn the_largest_ticket_fits() {
    let label = "a".repeat(63);
    let domain = format!("{label}.{label}.{label}.{}", "b".repeat(61));
    let endpoint: Endpoint = format!("{domain}:65535").parse().expect("an endpoint");
    let endpoints = vec![endpoint; limits::ENDPOINTS_MAX];
    let ticket =
        PeeringTicket { domain: domain.parse().expect("a domain"), fingerprint: [0xff; 32], endpoints };
    assert_eq!(ticket.domain.as_str().len(), limits::DOMAIN_BYTES_MAX);
    assert_eq!(PeeringTicket::parse(&ticket.encode()), Ok(ticket));
}

// [ID-22]
#[test]
fn no_slip_of_the_hand_makes_another_ticket() {
    let good = ticket().encode();
    for (at, letter) in good.char_indices() {
        let other = if letter == 'b' { "c" } else { "b" };
        let typo = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        assert_eq!(PeeringTicket::parse(&typo), Err(ErrorCode::Malformed), "letter {at}");
        let lost = format!("{}{}", &good[..at], &good[at + 1..]);
        assert_eq!(PeeringTicket::parse(&lost), Err(ErrorCode::Malformed), "without letter {at}");
        assert_eq!(PeeringTicket::parse(&good[..at]), Err(ErrorCode::Malformed), "{at} letters");
    }
}

// [ID-22]
#[test]
fn what_is_no_ticket_is_refused() {
    let good = ticket().encode();
    type Change = fn(&mut proto::PeeringTicket);
    let fields: [(&str, Change, ErrorCode); 9] = [
        ("no version", |t| t.version = 0, ErrorCode::Malformed),
        ("the next version", |t| t.version = 2, ErrorCode::Unsupported),
        ("no domain", |t| t.domain.clear(), ErrorCode::Malformed),
        ("a bad domain", |t| t.domain = "Acme.test".into(), ErrorCode::Malformed),
        ("a short fingerprint", |t| t.fingerprint.truncate(31), ErrorCode::Malformed),
        ("a long fingerprint", |t| t.fingerprint = vec![0; 33].into(), ErrorCode::Malformed),
        ("no endpoint", |t| t.endpoints.clear(), ErrorCode::Malformed),
        ("nine endpoints", |t| t.endpoints = vec!["a.test:1".into(); 9], ErrorCode::Malformed),
        ("a bad endpoint", |t| t.endpoints[0] = "a\u{202e}.test:1".into(), ErrorCode::Malformed),
    ];
    for (name, change, error) in fields {
        let mut changed = message();
        change(&mut changed);
        assert_eq!(PeeringTicket::parse(&text(&changed.encode_to_vec())), Err(error), "{name}");
    }
    let body = message().encode_to_vec();
    let texts = [
        ("nothing", String::new()),
        ("the prefix only", PREFIX.to_owned()),
        ("a check over nothing", text(&[])),
        ("an invitation", good.replace("comity-peer", "comity-invite")),
        ("no prefix", good[PREFIX.len()..].to_owned()),
        ("white space inside", format!("{} {}", &good[..40], &good[40..])),
        ("two of them", format!("{good}{good}")),
        ("an unknown field", text(&[body.as_slice(), &[0x30, 1]].concat())),
        ("a domain twice", text(&[body.as_slice(), &body[2..13]].concat())),
        ("no protobuf", text(&[0xff; 40])),
    ];
    for (name, text) in texts {
        assert_eq!(PeeringTicket::parse(&text), Err(ErrorCode::Malformed), "{name}");
    }
    let large = format!("{PREFIX}{}", "a".repeat(limits::TICKET_BYTES_MAX));
    assert_eq!(PeeringTicket::parse(&large), Err(ErrorCode::TooLarge));
}

#[test]
fn the_zone_names_each_endpoint_that_has_a_name_best_first_and_the_root_key() {
    let endpoints = ["[::1]:1", "one.acme.test:2", "127.0.0.1:3", "two.acme.test:4"];
    let endpoints = endpoints.map(|endpoint| endpoint.parse().unwrap()).to_vec();
    let records = PeeringTicket { endpoints, ..ticket() }.dns_records();
    let domain = ticket().domain;
    assert_eq!(records[0], format!("_comity._udp.{domain}. 3600 IN SRV 10 0 2 one.acme.test."));
    assert_eq!(records[1], format!("_comity._udp.{domain}. 3600 IN SRV 20 0 4 two.acme.test."));
    assert!(records[2].starts_with(&format!("_comity.{domain}. 3600 IN TXT \"v=1; root=")), "{records:?}");
    assert_eq!(records.len(), 3);
}
