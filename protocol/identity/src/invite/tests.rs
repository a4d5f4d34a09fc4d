//! Tickets that a person may paste, and what else may be in the clipboard.

use super::*;
use crate::fixture::NOW;

fn ticket() -> Ticket {
    Ticket {
        account: "alice@acme.test".parse().expect("an account"),
        code: [7; 16],
        fingerprint: [8; 32],
        endpoints: vec!["127.0.0.1:4433".parse().expect("an endpoint")],
        expires: NOW.as_s(),
    }
}

fn text(message: &InviteTicket) -> String {
    format!("{PREFIX}{}", BASE32_NOPAD.encode(&message.encode_to_vec()).to_ascii_lowercase())
}

fn message() -> InviteTicket {
    InviteTicket {
        account: "alice@acme.test".into(),
        code: vec![7; 16].into(),
        fingerprint: vec![8; 32].into(),
        endpoints: vec!["127.0.0.1:4433".into()],
        expires: NOW.as_s(),
    }
}

#[test]
fn a_ticket_survives_a_person() {
    let written = ticket().encode();
    assert_eq!(written, text(&message()));
    assert_eq!(Ticket::parse(&written), Ok(ticket()));
    assert_eq!(Ticket::parse(&format!("  {written}\n")), Ok(ticket()));
    assert_eq!(Ticket::parse(&written.to_uppercase()), Ok(ticket()));
    assert_eq!(format!("{:?}", ticket()), "Ticket(for alice@acme.test)");
}

#[test]
fn a_code_works_for_a_while() {
    assert_eq!(ticket().check_fresh(NOW), Ok(()));
    assert_eq!(ticket().check_fresh(NOW.plus_ms(1_000)), Err(ErrorCode::Expired));
}

// [ID-19]
#[test]
fn what_is_no_ticket_is_refused() {
    let good = ticket().encode();
    type Change = fn(&mut InviteTicket);
    let fields: [(&str, Change); 7] = [
        ("no account", |t| t.account.clear()),
        ("a bad account", |t| t.account = "alice".into()),
        ("a short code", |t| t.code.truncate(15)),
        ("a long fingerprint", |t| t.fingerprint = vec![0; 33].into()),
        ("no endpoint", |t| t.endpoints.clear()),
        ("nine endpoints", |t| t.endpoints = vec!["a.test:1".into(); 9]),
        ("a bad endpoint", |t| t.endpoints[0] = "a\u{202e}.test:1".into()),
    ];
    for (name, change) in fields {
        let mut changed = message();
        change(&mut changed);
        assert_eq!(Ticket::parse(&text(&changed)), Err(ErrorCode::Malformed), "{name}");
    }
    let trailing = [message().encode_to_vec(), vec![0x30, 1]].concat();
    let texts = [
        ("nothing", String::new()),
        ("the prefix only", PREFIX.to_owned()),
        ("another prefix", good.replace("comity-invite", "comity-key")),
        ("no prefix", good[PREFIX.len()..].to_owned()),
        ("a letter that base32 has not", good.replace('a', "1")),
        ("white space inside", format!("{} {}", &good[..40], &good[40..])),
        ("half of it", good[..good.len() / 2].to_owned()),
        ("two of them", format!("{good}{good}")),
        ("an unknown field", format!("{PREFIX}{}", BASE32_NOPAD.encode(&trailing).to_ascii_lowercase())),
    ];
    for (name, text) in texts {
        assert_eq!(Ticket::parse(&text), Err(ErrorCode::Malformed), "{name}");
    }
    let large = format!("{PREFIX}{}", "a".repeat(limits::TICKET_BYTES_MAX));
    assert_eq!(Ticket::parse(&large), Err(ErrorCode::TooLarge));
}
