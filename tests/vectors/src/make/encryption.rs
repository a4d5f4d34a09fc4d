//! Vectors of chapter 8: contents and their padding, the outside of messages, key packages.

use bytes::Bytes;
use machine::{Seeded, Timestamp};
use mls::{Change, DeviceKeys, Member, OwnKeyPackage};
use prost::Message as _;
use serde_json::{Value, json};
use wire::ErrorCode::{self, BadSignature, ClockSkew, Expired, Malformed, TooLarge, Unsupported};
use wire::proto::{
    Content, Delete, Edit, MessageBinding, Reaction, ReadReceipt, RoomInfo, RoomKind, RoomState, Text,
    Typing, content::Kind,
};
use wire::{RoomId, limits};

use super::people::{NOW, alice};
use super::{File, file};
use crate::Case;
use crate::field::hex;

pub(super) fn all() -> Vec<File> {
    vec![contents(), framings(), packages()]
}

fn content(kind: Kind) -> Content {
    Content { version: 1, time_ms: NOW.as_ms(), kind: Some(kind), ..Content::default() }
}

fn text(body: &str) -> Content {
    content(Kind::Text(Text { body: body.to_owned(), reply_to: Bytes::new() }))
}

/// The encoding with so many zeros of padding, whatever the rules say.
fn raw(content: &Content, zeros: usize) -> Vec<u8> {
    Content { padding: vec![0; zeros].into(), ..content.clone() }.encode_to_vec()
}

/// The encoding with the padding that makes it so long.
fn sized(content: &Content, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|zeros| raw(content, zeros)).find(|encoded| encoded.len() == bytes).unwrap_or_default()
}

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn contents() -> File {
    let target = Bytes::from_static(&[3; 16]);
    let good = |name: &str, content: &Content, kind: &str| {
        let plaintext = mls::content::pad(content).expect("a content");
        let output = json!({ "kind": kind, "time_ms": NOW.as_ms(), "size": plaintext.len() });
        Case::good(name, json!({ "plaintext": hex(&plaintext) }), output)
    };
    let bad = |name: &str, plaintext: Vec<u8>, error: ErrorCode| {
        Case::bad(name, json!({ "plaintext": hex(plaintext) }), error)
    };
    let reaction = |emoji: &str| {
        content(Kind::Reaction(Reaction { target: target.clone(), emoji: emoji.into(), remove: false }))
    };
    let hello = text("hello");
    let mut not_zero = sized(&hello, 128);
    if let Some(last) = not_zero.last_mut() {
        *last = 1;
    }
    let twice = |more: Content| {
        let mut bytes = [raw(&hello, 0), raw(&more, 0)].concat();
        let zeros = 128 - bytes.len() - 2;
        bytes.extend([0x7a, u8::try_from(zeros).unwrap_or_default()]);
        bytes.resize(128, 0);
        bytes
    };
    let bare = Content::default();
    let half_head = Content { head_seq: 7, ..hello.clone() };
    let cases = vec![
        good("a short text", &hello, "text"),
        good("a text that fills 192 bytes", &text(&"x".repeat(150)), "text"),
        good("a text whose padding cannot end at the smallest bucket", &text(&"x".repeat(114)), "text"),
        good("an edit", &content(Kind::Edit(Edit { target: target.clone(), body: "b".into() })), "edit"),
        good("a delete", &content(Kind::Delete(Delete { target: target.clone() })), "delete"),
        good("a reaction", &reaction("👍"), "reaction"),
        good("a read receipt", &content(Kind::Read(ReadReceipt { seq: 9 })), "read"),
        good("typing", &content(Kind::Typing(Typing { active: true })), "typing"),
        good(
            "a room's name",
            &content(Kind::RoomInfo(RoomInfo { name: "Plans".into(), topic: String::new() })),
            "room_info",
        ),
        bad("nothing", Vec::new(), Malformed),
        bad("no padding", raw(&hello, 0), Malformed),
        bad("padded to 127 bytes", sized(&hello, 127), Malformed),
        bad("padded to 129 bytes", sized(&hello, 129), Malformed),
        bad("a one in the padding", not_zero, Malformed),
        bad("not protobuf", vec![0xff; 128], Malformed),
        bad("version 2", sized(&Content { version: 2, ..hello.clone() }, 128), Unsupported),
        bad("no kind", sized(&Content { kind: None, ..hello.clone() }, 128), Unsupported),
        bad("two times", twice(Content { time_ms: 5, ..bare.clone() }), Malformed),
        bad("two texts", twice(Content { version: 0, time_ms: 0, ..text("again") }), Malformed),
        bad(
            "a text and a receipt",
            twice(Content { kind: Some(Kind::Read(ReadReceipt { seq: 9 })), ..bare }),
            Malformed,
        ),
        bad("an empty text", sized(&text(""), 128), Malformed),
        bad("a head without its hash", sized(&half_head, 128), Malformed),
        bad(
            "a reaction that is too long",
            sized(&reaction(&"e".repeat(limits::REACTION_BYTES_MAX + 1)), 128),
            TooLarge,
        ),
        bad("a receipt for nothing", sized(&content(Kind::Read(ReadReceipt { seq: 0 })), 128), Malformed),
        bad(
            "a delete of half an id",
            sized(&content(Kind::Delete(Delete { target: target.slice(..8) })), 128),
            Malformed,
        ),
    ];
    file("content", "content", "The plaintext of a message: contents and padding.", cases)
}

fn device() -> DeviceKeys {
    let person = alice();
    DeviceKeys {
        binding: person.binding.signed().clone(),
        certificate: person.certificate.signed().clone(),
        account: person.account,
        device: person.device,
        secret: person.device_key,
    }
}

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn framings() -> File {
    let mut entropy = Seeded::new(8);
    let room = RoomId::new([7; 32]);
    let state = RoomState {
        room: room.to_bytes(),
        hub: "acme.test".into(),
        kind: RoomKind::Group.into(),
        admins: vec!["alice@acme.test".into()],
        version: 1,
    };
    let binding = |number: u8| MessageBinding {
        room: room.to_bytes(),
        message_id: vec![number; 16].into(),
        ephemeral: false,
    };
    let (mut member, _) = Member::found(&device(), &state, &mut entropy).expect("a room");
    let plaintext = mls::content::pad(&text("hello")).expect("a content");
    let message = member.encrypt(&binding(1), &plaintext, &mut entropy).expect("a message");
    let fleeting = MessageBinding { ephemeral: true, ..binding(4) };
    let typing = mls::content::pad(&content(Kind::Typing(Typing { active: true }))).expect("a content");
    let typing = member.encrypt(&fleeting, &typing, &mut entropy).expect("a message");
    let commit = member.commit(&binding(2), &Change::default(), &mut entropy).expect("a commit").commit;
    member.clear_pending().expect("cleared");
    let proposal = member.propose_leave(&binding(3), &mut entropy).expect("a proposal");
    let input = |kind: &str, body: &[u8]| json!({ "kind": kind, "body": hex(body) });
    let good = |name: &str, kind: &str, body: &[u8], id: u8| {
        let output = json!({ "room": room.to_string(), "epoch": 0, "message_id": hex([id; 16]) });
        Case::good(name, input(kind, body), output)
    };
    let bad = |name: &str, kind: &str, body: &[u8], error| Case::bad(name, input(kind, body), error);
    let with = |body: &[u8], at: usize, byte: u8| {
        let mut changed = body.to_vec();
        if let Some(place) = changed.get_mut(at) {
            *place = byte;
        }
        changed
    };
    let longer = |body: &[u8]| [body, &[0]].concat();
    let cut = |body: &Bytes| body.slice(..body.len() - 1);
    // Version, wire format, the length of the group id, the group id.
    let cases = vec![
        good("a message", "message", &message, 1),
        good("a commit", "commit", &commit, 2),
        good("a proposal", "proposal", &proposal, 3),
        good("an ephemeral message", "ephemeral", &typing, 4),
        bad("an ephemeral message called a message", "message", &typing, Malformed),
        bad("a message called ephemeral", "ephemeral", &message, Malformed),
        bad("a message called a commit", "commit", &message, Malformed),
        bad("a commit called a proposal", "proposal", &commit, Malformed),
        bad("a commit called a message", "message", &commit, Malformed),
        bad("nothing", "message", &[], Malformed),
        bad("another version of MLS", "message", &with(&message, 1, 2), Unsupported),
        bad("a message with a byte more", "message", &longer(&message), Malformed),
        bad("a message with a byte less", "message", &cut(&message), Malformed),
        bad("a commit with a byte more", "commit", &longer(&commit), Malformed),
        bad("a commit with a byte less", "commit", &cut(&commit), Malformed),
        bad("a group id that is not the room of the binding", "message", &with(&message, 5, 8), Malformed),
        bad("a group id of 31 bytes", "message", &with(&message, 4, 31), Malformed),
    ];
    file("framing", "framing", "What stands in the clear around commits, proposals and messages.", cases)
}

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn packages() -> File {
    let keys = device();
    let made = mls::make_key_packages(&keys, NOW, 1, true, &mut Seeded::new(9)).expect("packages");
    let input = |bytes: &[u8], now: Timestamp| json!({ "key_package": hex(bytes), "now_ms": now.as_ms() });
    let output = |package: &OwnKeyPackage| -> Value {
        json!({
            "account": keys.account.as_str(), "device_id": keys.device.to_string(),
            "signature_key": keys.secret.public().to_string(), "reference": hex(package.hash),
            "not_after_s": NOW.as_s() + limits::KEY_PACKAGE_VALID_S, "last_resort": package.last_resort,
        })
    };
    let good =
        |name: &str, package: &OwnKeyPackage| Case::good(name, input(&package.bytes, NOW), output(package));
    let one = made.first().expect("one");
    let with = |at: usize, byte: u8| {
        let mut changed = one.bytes.to_vec();
        if let Some(place) = changed.get_mut(at) {
            *place = byte;
        }
        changed
    };
    let bad = |name: &str, bytes: &[u8], error| Case::bad(name, input(bytes, NOW), error);
    let at = |name: &str, days: i64, error| {
        let ms = i64::try_from(NOW.as_ms()).unwrap_or_default() + days * 86_400_000;
        let now = Timestamp::from_ms(u64::try_from(ms).unwrap_or_default());
        Case::bad(name, input(&one.bytes, now), error)
    };
    let end = one.bytes.len() - 1;
    let last = one.bytes.last().copied().unwrap_or_default();
    let mut cases: Vec<Case> = vec![good("a package for one room", one)];
    cases.extend(made.get(1).map(|package| good("a package of last resort", package)));
    cases.extend([
        at("ninety days later", 90, Expired),
        at("two days too early", -2, ClockSkew),
        bad("nothing", &[], Malformed),
        bad("a byte more", &[one.bytes.as_ref(), &[0]].concat(), Malformed),
        bad("a byte less", &one.bytes.slice(..end), Malformed),
        bad("another kind of MLS message", &with(3, 3), Malformed),
        bad("another version", &with(5, 2), Unsupported),
        bad("another suite", &with(7, 1), Unsupported),
        bad("another signature", &with(end, last ^ 1), BadSignature),
        bad("too long", &vec![0; limits::KEY_PACKAGE_BYTES_MAX + 1], TooLarge),
    ]);
    file("key-package", "key-package", "A key package by itself.", cases)
}
