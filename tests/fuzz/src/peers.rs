//! What another domain may send: its hello, the frames of its link, events of a room.

use bytes::Bytes;
use identity::{Chain, fingerprint};
use link::hello::{self, Here, Pin, Verdict};
use link::{Inbound, Outbound};
use wire::proto::{Event, LinkFrame, PeerHello, RoomState, Submission, link_frame::Frame};
use wire::{DomainName, frame};

use crate::people::{ACME, NOW};

/// A hello, at umbrella.test, from whoever holds acme's TLS key.
pub fn peer_hello(bytes: &[u8]) {
    let Ok(hello) = frame::decode::<PeerHello>(Bytes::copy_from_slice(bytes)) else { return };
    let own: DomainName = "umbrella.test".parse().expect("a domain");
    let tls_key = ACME.keys.tls.public();
    let here = Here { own: &own, tls_key: &tls_key, dialled: None, now: NOW };
    let pin = fingerprint(&ACME.keys.root.public());
    let known = Chain::verify_first(ACME.document.signed(), &pin).expect("the first document");
    for pin in [Pin::None, Pin::Fingerprint(&pin), Pin::Chain(&known)] {
        let of_acme = |domain: &DomainName| if domain.as_str() == "acme.test" { pin } else { Pin::None };
        if let Verdict::Accepted(accepted) = hello::check(&here, of_acme, &hello) {
            assert_eq!(accepted.peer.as_str(), "acme.test");
            assert!(!matches!(pin, Pin::None), "nothing is pinned");
        }
    }
}

/// Frames of a link, one after the other, for both ends of it.
pub fn link(bytes: &[u8]) {
    let mut decoder = frame::Decoder::default();
    decoder.push(bytes);
    let mut inbound = Inbound::new([1; 16], 5, []);
    let mut outbound = Outbound::new([1; 16], 5, 0);
    let _ = outbound.open();
    while let Ok(Some(next)) = decoder.next::<LinkFrame>() {
        match next.frame {
            Some(Frame::Open(open)) => drop(inbound.open(&open)),
            Some(Frame::Resume(resume)) => drop(outbound.resume(&resume, 9)),
            Some(Frame::Batch(batch)) => {
                for item in inbound.batch(batch).unwrap_or_default() {
                    inbound.taken(item.number, None);
                }
                let _ = inbound.ack();
            }
            Some(Frame::Ack(ack)) => drop(outbound.ack(&ack)),
            None => {}
        }
    }
}

/// An event of a room, a submission, the state of a room.
pub fn event(bytes: &[u8]) {
    let owned = Bytes::copy_from_slice(bytes);
    if let Ok(event) = frame::decode::<Event>(owned.clone()) {
        let read = room::chain::read(&event);
        let end = room::LogHead::default();
        let keys = [ACME.keys.event.public()];
        if let Ok(read) = read {
            let run = room::chain::check_run(&read.room, &read.hub, &keys, &end, &[event]);
            assert!(run.is_err() || read.seq == 1);
        }
    }
    if let Ok(submission) = frame::decode::<Submission>(owned.clone()) {
        let _ = room::Request::parse(&submission);
    }
    if let Ok(state) = frame::decode::<RoomState>(owned) {
        if let Ok(parsed) = room::State::parse(&state) {
            assert_eq!(room::State::parse(&parsed.to_proto()), Ok(parsed));
        }
    }
}
