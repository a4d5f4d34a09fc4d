//! Vectors of chapter 5: direct rooms and the chain of a room's log.

use bytes::Bytes;
use room::chain::{Draft, LogHead, seal};
use serde_json::{Value, json};
use wire::ErrorCode::{BadSignature, ForkedLog, Malformed, OriginMismatch};
use wire::proto::{Event, EventKind};
use wire::{Account, DomainName, MessageId, RoomId};

use super::people::{NOW, acme};
use super::{File, file};
use crate::Case;
use crate::field::{hex, message};

pub(super) fn all() -> Vec<File> {
    vec![direct(), runs()]
}

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn direct() -> File {
    let pairs = [
        ("alice@acme.test", "bob@umbrella.test"),
        ("bob@umbrella.test", "alice@acme.test"),
        ("alice@acme.test", "alice@umbrella.test"),
        ("zoe@acme.test", "bob@umbrella.test"),
    ];
    let cases = pairs
        .iter()
        .map(|(one, other)| {
            let account = |text: &str| text.parse::<Account>().expect("an account");
            let (room, hub) = room::direct_room(&account(one), &account(other));
            Case::good(
                format!("{one} and {other}"),
                json!({ "one": one, "other": other }),
                json!({ "room": room.to_string(), "hub": hub.as_str() }),
            )
        })
        .collect();
    file("direct", "direct-room", "The room of two accounts, and its hub.", cases)
}

struct Log {
    room: RoomId,
    hub: DomainName,
    key: wire::SecretKey,
}

impl Log {
    fn event(&self, end: &LogHead, number: u8) -> (Event, LogHead) {
        let body = Bytes::from(vec![number; 20]);
        let draft = Draft {
            room: &self.room,
            hub: &self.hub,
            epoch: 1,
            kind: EventKind::Message,
            message: &MessageId::new([number; 16]),
            body: &body,
            time_ms: NOW.as_ms() + u64::from(number),
        };
        seal(end, &draft, &self.key)
    }

    fn input(&self, end: &LogHead, events: &[&Event]) -> Value {
        json!({
            "room": self.room.to_string(), "hub": self.hub.as_str(), "event_key": self.key.public().to_string(),
            "after_seq": end.seq, "after_hash": hex(end.hash),
            "events": events.iter().map(|event| message(*event)).collect::<Vec<_>>(),
        })
    }
}

fn runs() -> File {
    let acme = acme();
    let log = Log { room: RoomId::new([7; 32]), hub: acme.document.domain().clone(), key: acme.keys.event };
    let start = LogHead::default();
    let (first, after_first) = log.event(&start, 1);
    let (second, after_second) = log.event(&after_first, 2);
    let other_room = Log { room: RoomId::new([8; 32]), hub: log.hub.clone(), key: log.key.clone() };
    let other_key = Log { room: log.room, hub: log.hub.clone(), key: acme.keys.tls };
    let (another_first, after_another) = log.event(&start, 3);
    let (on_another, _) = log.event(&after_another, 2);
    let bad =
        |name: &str, end: &LogHead, events: &[&Event], error| Case::bad(name, log.input(end, events), error);
    let good = |name: &str, end: &LogHead, events: &[&Event], last: &LogHead| {
        Case::good(name, log.input(end, events), json!({ "seq": last.seq, "hash": hex(last.hash) }))
    };
    let other_body = Event { body: Bytes::from_static(b"another"), ..first.clone() };
    let no_signature = Event { signature: Bytes::from_static(&[0; 64]), ..first.clone() };
    let longer = Event { head: [first.head.as_ref(), &[0]].concat().into(), ..first.clone() };
    let cases = vec![
        good("the first event", &start, &[&first], &after_first),
        good("two events", &start, &[&first, &second], &after_second),
        good("the second event after the first", &after_first, &[&second], &after_second),
        good("no event", &after_first, &[], &after_first),
        bad("a gap", &start, &[&second], Malformed),
        bad("an event twice", &start, &[&first, &first], Malformed),
        bad("chained to another first event", &start, &[&first, &on_another], ForkedLog),
        bad("the same seq after another event", &after_another, &[&second], ForkedLog),
        bad("an event of another room", &start, &[&other_room.event(&start, 1).0], OriginMismatch),
        bad("signed by the TLS key", &start, &[&other_key.event(&start, 1).0], BadSignature),
        bad("another body", &start, &[&other_body], BadSignature),
        bad("a signature of zeros", &start, &[&no_signature], BadSignature),
        bad("a trailing byte in the head", &start, &[&longer], Malformed),
        good("another first event is one, by itself", &start, &[&another_first], &after_another),
    ];
    file("event-run", "event-run", "Events that continue the log of a room.", cases)
}
