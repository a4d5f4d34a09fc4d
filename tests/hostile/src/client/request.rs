//! Rows 16, 17, 19, 33, 34 and 39: every request of a device with a session, asked wrongly.

use anyhow::Result;
use bytes::Bytes;
use kit::{Person, RawDevice};
use wire::{
    ErrorCode, limits,
    proto::{
        AnswerInvitation, ClaimKeyPackages, ClientRequest, CommitExtras, EventKind, GetAccount, GetDomain,
        GetGroup, KeyPackageUpload, PeerStatesRequest, PullEvents, SetContactPolicy, Submission, Subscribe,
        UploadKeyPackages, client_frame::Frame, client_request::Request, client_response::Response,
    },
};

use crate::stage::{node, unharmed};

/// Texts that are no domain name.
const NOT_DOMAINS: &[&str] = &[
    "",
    "acme",
    "Acme.test",
    "acme.test.",
    ".acme.test",
    "acme..test",
    "-acme.test",
    "acme-.test",
    "ac me.test",
    "acme.test\0",
    "acme.test\n",
    "\u{430}cme.test",
    "acme\u{3002}test",
    "acme.test\u{202e}",
    "acme_.test",
    "acme.test:4433",
    "http://acme.test",
    "'; DROP TABLE account; --",
];

fn too_long() -> String {
    format!("{}.test", vec!["a".repeat(63); 4].join("."))
}

fn domains() -> Vec<(&'static str, ErrorCode, Request)> {
    let get = |domain: &str| Request::GetDomain(GetDomain { domain: domain.to_owned(), after_seq: 0 });
    let states = |domain: &str| Request::PeerStates(PeerStatesRequest { domains: vec![domain.to_owned()] });
    let mut rows: Vec<_> = NOT_DOMAINS
        .iter()
        .flat_map(|text| {
            [(*text, ErrorCode::Malformed, get(text)), (*text, ErrorCode::Malformed, states(text))]
        })
        .collect();
    rows.push(("254 bytes", ErrorCode::Malformed, get(&too_long())));
    rows.push(("a domain that nobody pinned", ErrorCode::NotFound, get("nobody.test")));
    let many = vec!["acme.test".to_owned(); 1_000];
    rows.push((
        "1,000 domains",
        ErrorCode::TooLarge,
        Request::PeerStates(PeerStatesRequest { domains: many }),
    ));
    rows
}

fn accounts() -> Vec<(&'static str, ErrorCode, Request)> {
    let get = |account: &str| Request::GetAccount(GetAccount { account: account.to_owned() });
    let mut rows = vec![
        ("nobody here", ErrorCode::NotFound, get("nobody@acme.test")),
        ("nobody at a domain that nobody pinned", ErrorCode::NotFound, get("nobody@nobody.test")),
    ];
    for text in [
        "",
        "alice",
        "@acme.test",
        "alice@",
        "alice@@acme.test",
        "Alice@acme.test",
        "al ice@acme.test",
        ".alice@acme.test",
        "alice.@acme.test",
        "al*ce@acme.test",
        "alice@acme.test@acme.test",
        "al\u{ed}ce@acme.test",
        "alice@acme.test\0",
    ] {
        rows.push((text, ErrorCode::Malformed, get(text)));
    }
    rows.push(("65 letters", ErrorCode::Malformed, get(&format!("{}@acme.test", "a".repeat(65)))));
    rows
}

fn claims(person: &Person) -> Vec<(&'static str, ErrorCode, Request)> {
    let honest = ClaimKeyPackages {
        room: Bytes::from_static(&[1; 32]),
        claim_id: Bytes::from_static(&[2; 16]),
        accounts: vec![person.account.to_string()],
        requester: person.account.to_string(),
    };
    let changed = |change: &dyn Fn(&mut ClaimKeyPackages)| {
        let mut claim = honest.clone();
        change(&mut claim);
        Request::ClaimKeyPackages(claim)
    };
    vec![
        ("no accounts", ErrorCode::Malformed, changed(&|claim| claim.accounts.clear())),
        ("a malformed account", ErrorCode::Malformed, changed(&|claim| claim.accounts.push("x".to_owned()))),
        (
            "an account twice",
            ErrorCode::Malformed,
            changed(&|claim| claim.accounts.extend(claim.accounts.clone())),
        ),
        (
            "51 accounts",
            ErrorCode::TooLarge,
            changed(&|claim| {
                claim.accounts = (0..51).map(|n| format!("a{n}@acme.test")).collect();
            }),
        ),
        (
            "for another account",
            ErrorCode::OriginMismatch,
            changed(&|claim| {
                claim.requester = "bob@acme.test".to_owned();
            }),
        ),
        (
            "for a foreign account",
            ErrorCode::OriginMismatch,
            changed(&|claim| {
                claim.requester = "alice@umbrella.test".to_owned();
            }),
        ),
        ("a short claim id", ErrorCode::Malformed, changed(&|claim| claim.claim_id.truncate(15))),
        ("a short room", ErrorCode::Malformed, changed(&|claim| claim.room.truncate(31))),
    ]
}

fn message_of(person: &Person) -> Submission {
    Submission {
        room: Bytes::from_static(&[1; 32]),
        message_id: Bytes::from_static(&[2; 16]),
        kind: EventKind::Message.into(),
        epoch: 1,
        body: Bytes::from_static(&[3; 100]),
        hub: String::new(),
        commit: None,
        account: person.account.to_string(),
        device_id: person.device.to_bytes(),
    }
}

fn changed(person: &Person, change: &dyn Fn(&mut Submission)) -> Request {
    let mut submission = message_of(person);
    change(&mut submission);
    Request::Submit(submission)
}

fn submissions(person: &Person) -> Vec<(&'static str, ErrorCode, Request)> {
    use ErrorCode::{Malformed, NotFound, OriginMismatch, TooLarge};
    let changed = |change: &dyn Fn(&mut Submission)| changed(person, change);
    let extras = |bytes: usize| CommitExtras { welcome: vec![0; bytes].into(), group_info: Bytes::new() };
    vec![
        ("a room that does not exist", NotFound, changed(&|_| {})),
        ("of another account", OriginMismatch, changed(&|it| it.account = "bob@acme.test".to_owned())),
        ("of a third domain", OriginMismatch, changed(&|it| it.account = "eve@umbrella.test".to_owned())),
        ("of another device", OriginMismatch, changed(&|it| it.device_id = Bytes::from_static(&[5; 16]))),
        ("an account with NUL", Malformed, changed(&|it| it.account.insert(0, '\0'))),
        ("no device", Malformed, changed(&|it| it.device_id.clear())),
        ("no kind", Malformed, changed(&|it| it.kind = 0)),
        ("an unknown kind", Malformed, changed(&|it| it.kind = 99)),
        ("a short room", Malformed, changed(&|it| it.room.truncate(31))),
        ("a long room", Malformed, changed(&|it| it.room = Bytes::from_static(&[1; 33]))),
        ("a short message id", Malformed, changed(&|it| it.message_id.truncate(15))),
        ("no body", Malformed, changed(&|it| it.body.clear())),
        (
            "a message over its limit",
            TooLarge,
            changed(&|it| {
                it.body = vec![0; limits::MESSAGE_BYTES_MAX + 1].into();
            }),
        ),
        (
            "a commit over its limit",
            TooLarge,
            changed(&|it| {
                it.kind = EventKind::Commit.into();
                it.body = vec![0; limits::COMMIT_BYTES_MAX + 1].into();
            }),
        ),
        (
            "a welcome over its limit",
            TooLarge,
            changed(&|it| {
                it.kind = EventKind::Commit.into();
                it.commit = Some(extras(limits::WELCOME_BYTES_MAX + 1));
            }),
        ),
        ("a commit without its extras", Malformed, changed(&|it| it.kind = EventKind::Commit.into())),
        ("a message with a commit's extras", Malformed, changed(&|it| it.commit = Some(extras(1)))),
        ("a message that names a hub", Malformed, changed(&|it| it.hub = "acme.test".to_owned())),
    ]
}

fn foundings(person: &Person) -> Vec<(&'static str, ErrorCode, Request)> {
    let changed = |change: &dyn Fn(&mut Submission)| changed(person, change);
    vec![
        (
            "a founding without a hub",
            ErrorCode::Malformed,
            changed(&|it| {
                it.kind = EventKind::Founding.into();
                it.epoch = 0;
            }),
        ),
        (
            "a founding at a hub that nobody pinned",
            ErrorCode::NotFound,
            changed(&|it| {
                it.kind = EventKind::Founding.into();
                it.epoch = 0;
                it.hub = "nobody.test".to_owned();
            }),
        ),
        (
            "a founding that is no group",
            ErrorCode::Malformed,
            changed(&|it| {
                it.kind = EventKind::Founding.into();
                it.epoch = 0;
                it.hub = "acme.test".to_owned();
            }),
        ),
    ]
}

fn others() -> Vec<(&'static str, ErrorCode, Request)> {
    use ErrorCode::{CursorGone, Malformed, NotFound, TooLarge};
    let subscribe = |store_id: &[u8], after| {
        Request::Subscribe(Subscribe { store_id: Bytes::copy_from_slice(store_id), after })
    };
    let pull = |room: &[u8]| {
        Request::PullEvents(PullEvents { room: Bytes::copy_from_slice(room), from_seq: 0, limit: u32::MAX })
    };
    let group = |room: &[u8]| {
        Request::GetGroup(GetGroup { room: Bytes::copy_from_slice(room), ..GetGroup::default() })
    };
    let answer = |room: &[u8]| {
        Request::AnswerInvitation(AnswerInvitation { room: Bytes::copy_from_slice(room), accept: true })
    };
    let upload = |bytes: usize| {
        let package = KeyPackageUpload { key_package: vec![1; bytes].into(), last_resort: false };
        Request::UploadKeyPackages(UploadKeyPackages { packages: vec![package] })
    };
    vec![
        ("a cursor of another store", CursorGone, subscribe(&[9; 16], 0)),
        ("half a store id", CursorGone, subscribe(&[9; 8], 0)),
        ("a position that was never reached", CursorGone, subscribe(&[], u64::MAX)),
        ("a position without a store", CursorGone, subscribe(&[], 1)),
        ("events of a room that does not exist", NotFound, pull(&[1; 32])),
        ("events of half a room", Malformed, pull(&[1; 16])),
        ("the group of a room that does not exist", NotFound, group(&[1; 32])),
        ("the group of half a room", Malformed, group(&[1; 16])),
        ("an invitation that never came", NotFound, answer(&[1; 32])),
        ("an invitation to half a room", Malformed, answer(&[1; 16])),
        ("an unknown policy", Malformed, Request::SetContactPolicy(SetContactPolicy { policy: 99 })),
        ("a key package of noise", Malformed, upload(300)),
        ("an empty key package", Malformed, upload(0)),
        ("a key package over its limit", TooLarge, upload(limits::KEY_PACKAGE_BYTES_MAX + 1)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_that_is_asked_wrongly_gets_its_named_error() -> Result<()> {
    let mut node = node()?;
    let (alice, mut device) = RawDevice::enrolled(&node, "alice").await?;
    let (_bob, mut honest) = RawDevice::enrolled(&node, "bob").await?;
    let mut rows = domains();
    rows.extend(accounts());
    rows.extend(claims(&alice));
    rows.extend(submissions(&alice));
    rows.extend(foundings(&alice));
    rows.extend(others());
    for (what, error, request) in rows {
        assert_eq!(device.refused(request).await?, error, "{what}");
        honest.request(Request::PeerStates(PeerStatesRequest::default())).await?;
    }
    // None of it has ended the session that asked.
    device.request(Request::PeerStates(PeerStatesRequest::default())).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_the_future_is_unsupported() -> Result<()> {
    let mut node = node()?;
    let (_, mut device) = RawDevice::enrolled(&node, "alice").await?;
    // Field 100 of a newer protocol: the node sees a request with nothing in it that it knows.
    let frame = [&[0x12_u8, 0x06, 0x08, 0x01, 0xa2, 0x06, 0x01, 0x07][..]].concat();
    let mut bytes = u32::try_from(frame.len())?.to_be_bytes().to_vec();
    bytes.extend_from_slice(&frame);
    device.stream().write_bytes(&bytes).await?;
    let error = device.response(1).await.expect_err("it is not known").downcast::<wire::WireError>()?;
    assert_eq!(error.code, ErrorCode::Unsupported);
    device.request(Request::PeerStates(PeerStatesRequest::default())).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_exists_is_not_told_to_strangers() -> Result<()> {
    let mut node = node()?;
    let (_, mut device) = RawDevice::enrolled(&node, "alice").await?;
    let known = RawDevice::enrolled(&node, "bob").await?.0;
    let claim = |account: &str, id: u8| {
        Request::ClaimKeyPackages(ClaimKeyPackages {
            room: Bytes::from_static(&[1; 32]),
            claim_id: vec![id; 16].into(),
            accounts: vec![account.to_owned()],
            requester: "alice@acme.test".to_owned(),
        })
    };
    let nobody = device.request(claim("nobody@acme.test", 1)).await?;
    let Response::Claimed(claimed) = nobody else { panic!("{nobody:?}") };
    let error = claimed.accounts.first().and_then(|claimed| claimed.error).map(|error| error.code);
    assert_eq!(error, Some(ErrorCode::NotFound.code()), "{claimed:?}");
    drop(known);
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_of_what_was_never_sent_end_the_session() -> Result<()> {
    let mut node = node()?;
    let (alice, _) = RawDevice::enrolled(&node, "alice").await?;
    for position in [1, 1_000_000, u64::MAX] {
        let mut device = RawDevice::again(&node, &alice).await?;
        device.send(Frame::Ack(position)).await?;
        assert_eq!(device.closed().await?, ErrorCode::Malformed);
    }
    let mut again = RawDevice::connect(&node).await?;
    let ready = again.hello(&alice).await?;
    again.subscribe(&ready.store_id, ready.head).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_number_for_two_requests_is_answered_twice() -> Result<()> {
    let mut node = node()?;
    let (_, mut device) = RawDevice::enrolled(&node, "alice").await?;
    for _ in 0..2 {
        let request = Request::PeerStates(PeerStatesRequest::default());
        device.send(Frame::Request(ClientRequest { id: 77, request: Some(request) })).await?;
    }
    device.response(77).await?;
    device.response(77).await?;
    unharmed(&mut node).await
}
