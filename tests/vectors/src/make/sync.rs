//! Vectors of chapter 7: submissions at a home node.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::ErrorCode::{self, Conflict, Forbidden, Malformed, NotFound, OriginMismatch, TooLarge};
use wire::limits;
use wire::proto::{CommitExtras, EventKind, Submission};

use super::people::alice;
use super::{File, file};
use crate::Case;
use crate::field::{hex, message};

pub(super) fn all() -> Vec<File> {
    vec![submissions()]
}

fn submission(kind: EventKind) -> Submission {
    Submission {
        room: Bytes::from_static(&[7; 32]),
        message_id: Bytes::from_static(&[9; 16]),
        kind: kind.into(),
        epoch: u64::from(kind != EventKind::Founding),
        body: Bytes::from_static(b"body"),
        hub: if kind == EventKind::Founding { "acme.test".to_owned() } else { String::new() },
        commit: (kind == EventKind::Commit).then(CommitExtras::default),
        account: "alice@acme.test".to_owned(),
        device_id: alice().device.to_bytes(),
    }
}

/// In a session of alice's device at acme.test.
fn said(submission: &Submission, hub: Option<&str>, standing: &str) -> Value {
    json!({
        "own": "acme.test", "account": "alice@acme.test", "device_id": hex(alice().device.as_bytes()),
        "hub": hub, "standing": standing, "submission": message(submission),
    })
}

fn submissions() -> File {
    let said_by = |change: &dyn Fn(&mut Submission)| {
        let mut submission = submission(EventKind::Message);
        change(&mut submission);
        submission
    };
    let bad = |name: &str, change: &dyn Fn(&mut Submission), error: ErrorCode| {
        Case::bad(name, said(&said_by(change), Some("acme.test"), "member"), error)
    };
    let good = |name: &str, kind, hub: Option<&str>, to: &str| {
        let output = json!({ "hub": to, "message_id": hex([9; 16]) });
        Case::good(name, said(&submission(kind), hub, "member"), output)
    };
    let honest = submission(EventKind::Message);
    let founding = submission(EventKind::Founding);
    let elsewhere = Submission { hub: "umbrella.test".to_owned(), ..founding.clone() };
    let late = Submission { epoch: 1, ..founding.clone() };
    let cases = vec![
        good("a message, ordered here", EventKind::Message, Some("acme.test"), "acme.test"),
        good(
            "a message, ordered by another domain",
            EventKind::Message,
            Some("umbrella.test"),
            "umbrella.test",
        ),
        good("a commit", EventKind::Commit, Some("acme.test"), "acme.test"),
        good("a proposal", EventKind::Proposal, Some("umbrella.test"), "umbrella.test"),
        good("a founding", EventKind::Founding, None, "acme.test"),
        Case::good(
            "a founding at another domain",
            said(&elsewhere, None, "stranger"),
            json!({ "hub": "umbrella.test", "message_id": hex([9; 16]) }),
        ),
        Case::bad("a room that is not known", said(&honest, None, "stranger"), NotFound),
        Case::bad(
            "a room that the account was never in",
            said(&honest, Some("acme.test"), "stranger"),
            NotFound,
        ),
        Case::bad("a room that the account is out of", said(&honest, Some("acme.test"), "former"), Forbidden),
        Case::bad("a founding of a room that exists", said(&founding, Some("acme.test"), "member"), Conflict),
        Case::bad("a founding in a later epoch", said(&late, None, "stranger"), Malformed),
        bad("for another account", &|said| said.account = "bob@acme.test".into(), OriginMismatch),
        bad("for another device", &|said| said.device_id = Bytes::from_static(&[8; 16]), OriginMismatch),
        bad("for nobody", &|said| said.account.clear(), Malformed),
        bad("half a room", &|said| said.room.truncate(16), Malformed),
        bad("a message id of 15 bytes", &|said| said.message_id.truncate(15), Malformed),
        bad("no kind", &|said| said.kind = 0, Malformed),
        bad("a kind that is not known", &|said| said.kind = 99, Malformed),
        bad("no body", &|said| said.body.clear(), Malformed),
        bad("a hub in a message", &|said| said.hub = "acme.test".into(), Malformed),
        bad(
            "a message with the extras of a commit",
            &|said| said.commit = Some(CommitExtras::default()),
            Malformed,
        ),
        bad("a commit without extras", &|said| said.kind = EventKind::Commit.into(), Malformed),
        bad(
            "a notice over its limit",
            &|said| {
                said.kind = EventKind::Notice.into();
                said.body = vec![0; limits::NOTICE_BYTES_MAX + 1].into();
            },
            TooLarge,
        ),
    ];
    file("submit", "submit", "What a home node takes of a device, and who orders it.", cases)
}
