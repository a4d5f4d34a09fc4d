//! Good and nearly good objects for each target, from which the fuzzer starts.

use bytes::Bytes;
use identity::{PeeringTicket, Ticket, fingerprint, key_file, session};
use machine::Seeded;
use mls::Change;
use prost::Message;
use room::chain::{Draft, LogHead, seal};
use wire::proto::{self, EventKind, GroupState};
use wire::{Frame, MessageId, frame};

use crate::groups::{binding, founded, joiner, room};
use crate::people::{ACME, NOW};

/// Target, name of the file, content.
pub type Seed = (&'static str, String, Vec<u8>);

/// Every seed.
pub fn all() -> Vec<Seed> {
    [texts(), statements(), wire_frames(), groups(), files(), sessions()].concat()
}

fn seed(target: &'static str, name: &str, bytes: impl Into<Vec<u8>>) -> Seed {
    (target, name.to_owned(), bytes.into())
}

fn texts() -> Vec<Seed> {
    let names = [
        ("domain", "acme.test"),
        ("account", "alice@acme.test"),
        ("endpoint", "node.acme.test:4433"),
        ("ipv6", "[2001:db8::1]:443"),
        ("ipv4", "127.0.0.1:65535"),
        ("device", "000102030405060708090a0b0c0d0e0f"),
        ("punycode", "xn--nxasmq6b.example"),
        ("override", "txt\u{202e}exe."),
    ];
    let ticket = Ticket {
        account: ACME.alice.device.account.clone(),
        code: [7; 16],
        fingerprint: fingerprint(&ACME.keys.root.public()),
        endpoints: ACME.document.endpoints().to_vec(),
        expires: NOW.as_s(),
    };
    let mut seeds: Vec<Seed> = names.iter().map(|(name, text)| seed("name", name, *text)).collect();
    seeds.push(seed("ticket", "ticket", ticket.encode()));
    seeds.push(seed("peering_ticket", "ticket", PeeringTicket::of(&ACME.document).encode()));
    for kind in key_file::KeyKind::ALL {
        seeds.push(seed("key_file", kind.name(), key_file::encode(kind, &ACME.keys.root).as_str()));
        let cost = identity::sealed_key::Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let sealed = identity::SealedKey::seal(kind, &ACME.keys.root, "open", cost, &mut Seeded::new(1));
        let name = format!("sealed-{}", kind.name());
        seeds.extend(sealed.map(|sealed| seed("key_file", &name, sealed.encode().as_str())));
    }
    seeds
}

fn statements() -> Vec<Seed> {
    let keys = &ACME.alice.keys;
    let body = |signed: &Option<proto::Signed>| signed.clone().unwrap_or_default().body.to_vec();
    let device = &ACME.alice.device;
    let hello = session::sign(&device.secret, &device.account, device.device, &[5; 32], NOW);
    let peer_hello = proto::PeerHello {
        from: "acme.test".into(),
        to: "umbrella.test".into(),
        time_ms: NOW.as_ms(),
        documents: vec![ACME.document.signed().clone()],
        known_seq: 1,
        ..proto::PeerHello::default()
    };
    vec![
        seed("statement", "document", ACME.document.signed().body.to_vec()),
        seed("statement", "binding", body(&keys.binding)),
        seed("statement", "device-list", body(&keys.device_list)),
        seed("statement", "certificate", body(&keys.certificates.first().cloned())),
        seed("statement", "event-head", event().head.to_vec()),
        seed("account", "alice", keys.encode_to_vec()),
        seed("leaf", "alice", device.identity().encode_to_vec()),
        seed("session", "alice", hello.encode_to_vec()),
        seed("peer_hello", "acme", peer_hello.encode_to_vec()),
        seed("chain", "renewals", vec![0, 7, 0, 7, 1, 7, 0, 7]),
        seed("chain", "strangers", vec![3, 7, 0, 1, 0, 2, 2, 7, 0, 5]),
    ]
}

fn event() -> proto::Event {
    let (hub, body) = ("acme.test".parse().expect("a domain"), Bytes::from_static(b"body"));
    let draft = Draft {
        room: &room(),
        hub: &hub,
        epoch: 0,
        kind: EventKind::Message,
        message: &MessageId::new([9; 16]),
        body: &body,
        time_ms: NOW.as_ms(),
    };
    seal(&LogHead::default(), &draft, &ACME.keys.event).0
}

fn submission() -> proto::Submission {
    proto::Submission {
        room: room().to_bytes(),
        message_id: vec![9; 16].into(),
        kind: EventKind::Message.into(),
        epoch: 1,
        body: Bytes::from_static(b"body"),
        hub: String::new(),
        commit: None,
        account: "alice@acme.test".into(),
        device_id: vec![2; 16].into(),
    }
}

fn wire_frames() -> Vec<Seed> {
    use proto::link_frame::Frame as Link;
    let answer = proto::Answer { number: 6, error: Some(wire::ErrorCode::Malformed.into()) };
    let item = |number, item| proto::Item { number, item: Some(item) };
    let events = proto::Events { room: room().to_bytes(), events: vec![event()] };
    let batch = proto::Batch {
        items: vec![
            item(6, proto::item::Item::Submission(submission())),
            item(7, proto::item::Item::Events(events)),
        ],
        settled: 5,
    };
    let link = [
        Link::Open(proto::LinkOpen { outbox_id: vec![1; 16].into(), first: 6 }),
        Link::Resume(proto::LinkResume { received: 5, answers: vec![answer.clone()] }),
        Link::Batch(batch),
        Link::Ack(proto::BatchAck { received: 6, answers: vec![answer] }),
    ]
    .map(|frame| proto::LinkFrame { frame: Some(frame) });
    let mut stream = Vec::new();
    for part in &link {
        stream.extend_from_slice(&frame::encode(part).unwrap_or_default());
    }
    let request = proto::ClientFrame {
        frame: Some(proto::client_frame::Frame::Request(proto::ClientRequest {
            id: 1,
            request: Some(proto::client_request::Request::Submit(submission())),
        })),
    };
    let peer = proto::PeerRequest {
        request: Some(proto::peer_request::Request::GetDomain(proto::GetDomain {
            domain: "acme.test".into(),
            after_seq: 0,
        })),
    };
    let mut seeds = vec![
        seed("event", "event", event().encode_to_vec()),
        seed("event", "submission", submission().encode_to_vec()),
        seed("link", "stream", stream.clone()),
        seed("stream", "link", [vec![3], stream].concat()),
        root(0, "client", &request),
        root(2, "peer", &peer),
        root(8, "account", &ACME.alice.keys),
    ];
    seeds.extend(link.iter().enumerate().map(|(n, part)| root(4, &format!("link-{n}"), part)));
    seeds
}

fn root(number: u8, name: &str, message: &impl Frame) -> Seed {
    seed("frame", name, [vec![number], message.encode_to_vec()].concat())
}

fn groups() -> Vec<Seed> {
    let mut entropy = Seeded::new(6);
    let (_, packages) = joiner();
    let (mut alice, founding) = founded();
    let add = packages.iter().take(1).map(|package| package.bytes.clone()).collect();
    let bundle =
        alice.commit(&binding(1), &Change { add, ..Change::default() }, &mut entropy).expect("a commit");
    let mut observer = mls::Observer::found(&founding).expect("a group");
    let saved = observer.save();
    let extras =
        proto::CommitExtras { welcome: bundle.welcome.clone(), group_info: bundle.group_info.clone() };
    observer.check_commit(&bundle.commit, &extras).expect("a good commit");
    observer.merge().expect("a checked commit");
    let commit = proto::Event { body: bundle.commit.clone(), ..proto::Event::default() };
    let join = |ratchet_tree| proto::Join {
        commit: Some(commit.clone()),
        welcome: bundle.welcome.clone(),
        ratchet_tree,
        ..proto::Join::default()
    };
    let tree = observer.ratchet_tree().expect("a tree");
    let shown = GroupState {
        group_info: founding.group_info.clone(),
        ratchet_tree: founding.ratchet_tree.clone(),
        departures: Vec::new(),
    };
    let (mut again, _) = founded();
    let message = again.encrypt(&binding(2), b"hello", &mut entropy).expect("a message");
    let with = |what: u8, bytes: &[u8]| [&[what], bytes].concat();
    let mut seeds = vec![
        seed("observer", "founding", with(0, &founding.encode_to_vec())),
        seed("group_view", "founding", with(0, &shown.encode_to_vec())),
        seed("group_view", "commit", with(1, &bundle.commit)),
        seed("observer", "commit", with(1, &bundle.commit)),
        seed("observer", "saved", with(3, &saved)),
        seed("member", "commit", with(0, &bundle.commit)),
        seed("member", "message", with(2, &message)),
        seed("join", "whole", join(tree).encode_to_vec()),
        seed("join", "group-info", join(bundle.group_info.clone()).encode_to_vec()),
        seed("key_package", "welcome", bundle.welcome.to_vec()),
    ];
    for package in &packages {
        let name = if package.last_resort { "last-resort" } else { "one-time" };
        seeds.push(seed("key_package", name, package.bytes.to_vec()));
    }
    let text = proto::Content {
        version: 1,
        time_ms: NOW.as_ms(),
        kind: Some(proto::content::Kind::Text(proto::Text { body: "hello".into(), reply_to: Bytes::new() })),
        ..proto::Content::default()
    };
    seeds.push(seed("content", "text", text.encode_to_vec()));
    seeds.extend(mls::content::pad(&text).map(|padded| seed("content", "padded", padded.to_vec())));
    seeds
}

fn files() -> Vec<Seed> {
    const NODE: &str = "domain = \"acme.test\"\nlisten = \"0.0.0.0:4433\"\ncontact_policy = \"ask\"\n\
        [log]\nlevel = \"info\"\nformat = \"json\"\n[auth]\npassword = \"on\"\nmemory_kib = \"19456\"\n\
        [health]\nlisten = \"127.0.0.1:9464\"\n[media]\nfile_size = \"100 MiB\"\nkeep_days = \"30\"\n";
    const SETTINGS: &str =
        "account = \"alice\"\ntimeout = 30\ncolor = \"auto\"\n[theme]\nwarning = \"red\"\n";
    let listed = |path: &str| format!(r#"{{"path":"{path}","bytes":9,"sha256":"{}"}}"#, "0f".repeat(32));
    let paths = ["comity.db", "comity.toml", "documents/1.signed", "keys/tls.key", "media/3f/3f1c"];
    let manifest = format!(
        r#"{{"format":"comity-backup-1","program":"1.0.0","domain":"acme.test","made_s":1767225600,"schema":7,"document_seq":1,"accounts":2,"rooms":1,"head":40,"files":[{}]}}"#,
        paths.map(listed).join(",")
    );
    let frame = |json: &str| {
        let length = u32::try_from(json.len()).unwrap_or_default().to_be_bytes();
        [&length, json.as_bytes()].concat()
    };
    let room = "07".repeat(32);
    let guest = [
        r#"{"hello":{"version":3}}"#.to_owned(),
        r#"{"ask":{"id":1,"request":"status"}}"#.to_owned(),
        format!(r#"{{"ask":{{"id":2,"request":{{"mark_read":{{"room":"{room}","seq":9}}}}}}}}"#),
        format!(r#"{{"ask":{{"id":3,"request":{{"typing":{{"room":"{room}","active":true}}}}}}}}"#),
        r#"{"ask":{"id":4,"request":{"direct":{"account":"bob@umbrella.test"}}}}"#.to_owned(),
    ];
    let owner = [
        r#"{"hello":{"version":3}}"#,
        r#"{"answer":{"id":1,"result":{"Ok":"done"}}}"#,
        r#"{"answer":{"id":2,"result":{"Err":{"code":264,"value":0,"retry_after_ms":0,"text":""}}}}"#,
        r#"{"happening":{"connected":true}}"#,
        r#"{"goodbye":281}"#,
    ];
    const ALERT: &str = r#"{"version":"4","status":"firing","groupLabels":{"alertname":"Disk"},"alerts":[{"status":"firing","labels":{"alertname":"Disk","instance":"a"},"annotations":{"summary":"full"}}]}"#;
    const PUSH: &str = r#"{"ref":"refs/heads/main","repository":{"full_name":"a/b"},"pusher":{"name":"x"},"commits":[{"id":"0f0f0f0f","message":"why","author":{"name":"x"}}],"compare":"https://example.org"}"#;
    let report = |what: u8, body: &str| [&[what], body.as_bytes()].concat();
    vec![
        seed("hook_report", "alertmanager", report(0, ALERT)),
        seed("hook_report", "github-push", report(1, PUSH)),
        seed("hook_report", "plain", report(2, r#"{"text":"the build is green"}"#)),
        seed("bot_action", "send", r##"{"action":"send","to":"#ops","text":"hello","ref":1}"##),
        seed("node_config", "whole", NODE),
        seed("settings", "whole", SETTINGS),
        // Deeper than anybody means.
        seed("node_config", "deep", deep_toml()),
        seed("settings", "deep", deep_toml()),
        seed("settings", "deep-list", format!("a = {}", "[".repeat(100))),
        seed("manifest", "whole", manifest),
        seed("owner_socket", "guest", guest.map(|json| frame(&json)).concat()),
        seed("owner_socket", "owner", owner.map(frame).concat()),
        seed("seal", "file", wrapped(3, &[])),
        seed("seal", "keyring", wrapped(2, &[])),
        // A salt, 64 MiB and 3 passes.
        seed(
            "seal",
            "passphrase",
            wrapped(1, &[&[0x22, 16][..], &[5; 16], &[0x28, 0x80, 0x80, 4, 0x30, 3]].concat()),
        ),
    ]
}

fn deep_toml() -> String {
    format!("{}a = 1", "a.".repeat(100))
}

/// The file that wraps a client's key, by its fields.
fn wrapped(protection: u8, how: &[u8]) -> Vec<u8> {
    [&[8, 1, 0x10, protection, 0x1a, 16][..], &[3; 16], how, &[0x3a, 72], &[9; 72]].concat()
}

fn sessions() -> Vec<Seed> {
    use proto::{entry, node_frame::Frame as Node};
    let mut start = crate::device::start();
    let (room, head) = (start.room, start.head);
    let mut entropy = Seeded::new(10);
    let text = |body: &str| proto::Content {
        version: 1,
        time_ms: NOW.as_ms(),
        kind: Some(proto::content::Kind::Text(proto::Text { body: body.into(), reply_to: Bytes::new() })),
        ..proto::Content::default()
    };
    let plaintext = mls::content::pad(&text("hello")).expect("a content");
    let body =
        start.bob.encrypt(&crate::device::binding(&room, 3), &plaintext, &mut entropy).expect("a message");
    let epoch = start.bob.epoch();
    let (said, head) = crate::device::sealed(&head, &room, (EventKind::Message, epoch, 3), &body);
    let (noise, _) =
        crate::device::sealed(&head, &room, (EventKind::Message, epoch, 4), &Bytes::from_static(b"?"));
    let bundle = start.bob.commit(&crate::device::binding(&room, 5), &Change::default(), &mut entropy);
    let commit = bundle.expect("a commit").commit;
    let (commit, _) = crate::device::sealed(&head, &room, (EventKind::Commit, epoch, 5), &commit);
    let event = |position, event: proto::Event| crate::device::page(position, entry::Entry::Event(event));
    let node = |frame| proto::NodeFrame { frame: Some(frame) };
    let response =
        |id, response| node(Node::Response(proto::ClientResponse { id, response: Some(response) }));
    let done = proto::client_response::Response::Done(proto::Done {});
    let pulled = proto::PulledEvents { events: vec![said.clone(), noise.clone()], end: true };
    let left = proto::Left { room: room.to_bytes(), seq: 9, accounts: Vec::new() };
    let typing = proto::Ephemeral { room: room.to_bytes(), epoch, body: Bytes::from_static(b"?") };
    let frames: Vec<(&str, Vec<proto::NodeFrame>)> = vec![
        ("message", vec![response(1, done), event(2, said.clone())]),
        ("unreadable", vec![event(2, said.clone()), event(3, noise.clone())]),
        ("gap", vec![event(3, noise), response(3, proto::client_response::Response::Pulled(pulled))]),
        ("commit", vec![event(2, said.clone()), event(3, commit)]),
        ("left", vec![event(2, said), crate::device::page(3, entry::Entry::Left(left))]),
        ("typing", vec![node(Node::Ephemeral(typing))]),
        ("goodbye", vec![node(Node::Goodbye(wire::ErrorCode::Draining.into()))]),
    ];
    let encoded = |frames: &[proto::NodeFrame]| {
        frames.iter().flat_map(|part| frame::encode(part).unwrap_or_default()).collect::<Vec<u8>>()
    };
    frames.iter().map(|(name, frames)| seed("node_frames", name, encoded(frames))).collect()
}
