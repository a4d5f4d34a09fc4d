//! Rows 10, 16, 17 and 58 for a device: a hello that proves nothing.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use identity::session;
use kit::{Person, RawDevice};
use machine::Timestamp;
use wire::{
    ErrorCode, limits,
    proto::{self, SessionHello, client_frame::Frame, client_request::Request, node_frame},
};

use crate::stage::{Strangers, node, unharmed};

/// The error in the goodbye, which must be that of the close as well.
async fn goodbye(device: &mut RawDevice, what: &str) -> Result<proto::Error> {
    let node_frame::Frame::Goodbye(error) = device.next().await.context(what.to_owned())? else {
        bail!("{what}: not a goodbye")
    };
    assert_eq!(device.closed().await?.code(), error.code, "{what}");
    Ok(error)
}

type Change = fn(&mut SessionHello);

/// What may be wrong with a hello that was right when it was signed.
const CHANGED: &[(&str, ErrorCode, Change)] = &[
    ("another account", ErrorCode::AuthFailed, |hello| hello.account = "bob@acme.test".to_owned()),
    ("no such account", ErrorCode::AuthFailed, |hello| hello.account = "nobody@acme.test".to_owned()),
    ("an account of another domain", ErrorCode::Misdirected, |hello| {
        hello.account = "alice@umbrella.test".to_owned();
    }),
    ("an account in upper case", ErrorCode::Malformed, |hello| hello.account = "Alice@acme.test".to_owned()),
    ("a domain with a final dot", ErrorCode::Malformed, |hello| {
        hello.account = "alice@acme.test.".to_owned()
    }),
    ("a NUL in the account", ErrorCode::Malformed, |hello| hello.account = "ali\0ce@acme.test".to_owned()),
    ("a bidi override", ErrorCode::Malformed, |hello| hello.account = "ali\u{202e}ce@acme.test".to_owned()),
    ("a Cyrillic twin", ErrorCode::Malformed, |hello| hello.account = "\u{430}lice@acme.test".to_owned()),
    ("a label of 64 letters", ErrorCode::Malformed, |hello| {
        hello.account = format!("alice@{}.test", "a".repeat(64));
    }),
    ("an account of 4 KiB", ErrorCode::Malformed, |hello| {
        hello.account = format!("{}@acme.test", "a".repeat(4_096));
    }),
    ("no account", ErrorCode::Malformed, |hello| hello.account.clear()),
    ("no such device", ErrorCode::AuthFailed, |hello| hello.device_id = Bytes::from_static(&[7; 16])),
    ("a short device id", ErrorCode::Malformed, |hello| hello.device_id = Bytes::from_static(&[7; 15])),
    ("a long device id", ErrorCode::Malformed, |hello| hello.device_id = Bytes::from_static(&[7; 17])),
    ("another time than was signed", ErrorCode::AuthFailed, |hello| hello.time_ms += 1),
    ("no signature", ErrorCode::AuthFailed, |hello| hello.signature = Bytes::new()),
    ("63 bytes of signature", ErrorCode::AuthFailed, |hello| hello.signature.truncate(63)),
    ("65 bytes of signature", ErrorCode::AuthFailed, |hello| {
        hello.signature = [&hello.signature[..], &[0]].concat().into();
    }),
    ("a signature of zeros", ErrorCode::AuthFailed, |hello| hello.signature = vec![0; 64].into()),
    ("S not below the group's order", ErrorCode::AuthFailed, |hello| {
        let mut signature = hello.signature.to_vec();
        signature.iter_mut().skip(32).for_each(|byte| *byte = 0xff);
        hello.signature = signature.into();
    }),
    ("one bit flipped", ErrorCode::AuthFailed, |hello| {
        let mut signature = hello.signature.to_vec();
        signature[0] ^= 1;
        hello.signature = signature.into();
    }),
];

fn signed(device: &RawDevice, person: &Person, now: Timestamp) -> Result<SessionHello> {
    Ok(session::sign(&person.device_key, &person.account, person.device, &device.exporter()?, now))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_proves_nothing_ends_the_session() -> Result<()> {
    let mut node = node()?;
    let (alice, mut honest) = RawDevice::enrolled(&node, "alice").await?;
    let (_bob, _) = RawDevice::enrolled(&node, "bob").await?;
    for (what, error, change) in CHANGED {
        let mut device = RawDevice::connect(&node).await?;
        let mut hello = signed(&device, &alice, net::now())?;
        change(&mut hello);
        device.send(Frame::Hello(hello)).await?;
        assert_eq!(goodbye(&mut device, what).await?.code, error.code(), "{what}");
    }
    // The session of the true device was not taken over by any of them.
    honest.request(Request::PeerStates(proto::PeerStatesRequest::default())).await?;
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_of_another_key_or_another_connection_is_refused() -> Result<()> {
    let mut node = node()?;
    let (alice, honest) = RawDevice::enrolled(&node, "alice").await?;
    let (bob, _) = RawDevice::enrolled(&node, "bob").await?;

    let mut device = RawDevice::connect(&node).await?;
    let replayed = signed(&honest, &alice, net::now())?;
    device.send(Frame::Hello(replayed)).await?;
    assert_eq!(goodbye(&mut device, "replayed").await?.code, ErrorCode::AuthFailed.code());

    let mut device = RawDevice::connect(&node).await?;
    let liar = Person { device_key: bob.device_key.clone(), ..alice.clone() };
    let hello = signed(&device, &liar, net::now())?;
    device.send(Frame::Hello(hello)).await?;
    assert_eq!(goodbye(&mut device, "bob's key").await?.code, ErrorCode::AuthFailed.code());

    let mut device = RawDevice::connect(&node).await?;
    let mut hello = signed(&device, &alice, net::now())?;
    let unlabelled = [&device.exporter()?[..], alice.account.as_str().as_bytes()].concat();
    hello.signature = Bytes::copy_from_slice(&alice.device_key.sign(&unlabelled));
    device.send(Frame::Hello(hello)).await?;
    assert_eq!(goodbye(&mut device, "no label").await?.code, ErrorCode::AuthFailed.code());
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_clock_is_off_is_told_the_time() -> Result<()> {
    let mut node = node()?;
    let (alice, _) = RawDevice::enrolled(&node, "alice").await?;
    let now = net::now().as_ms();
    let two_days = 2 * 24 * 3_600_000;
    for time in [now - two_days, now + two_days, now + limits::CLOCK_SKEW_MS + 60_000, 0, u64::MAX] {
        let mut device = RawDevice::connect(&node).await?;
        let hello = signed(&device, &alice, Timestamp::from_ms(time))?;
        device.send(Frame::Hello(hello)).await?;
        let error = goodbye(&mut device, "clock").await?;
        assert_eq!(error.code, ErrorCode::ClockSkew.code(), "{time}");
        assert!(error.value.abs_diff(now) < limits::CLOCK_SKEW_MS, "{error:?} tells the node's clock");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_a_few_requests_goes_before_a_hello() -> Result<()> {
    let mut node = node()?;
    for frame in [Frame::Ack(1), Frame::Ephemeral(proto::Ephemeral::default())] {
        let mut device = RawDevice::connect(&node).await?;
        device.send(frame).await?;
        assert_eq!(goodbye(&mut device, "early").await?.code, ErrorCode::AuthFailed.code());
    }
    let mut device = Strangers::new(&node).await?;
    for request in [
        Request::GetAccount(proto::GetAccount { account: "alice@acme.test".to_owned() }),
        Request::UploadKeyPackages(proto::UploadKeyPackages::default()),
        Request::ClaimKeyPackages(proto::ClaimKeyPackages::default()),
        Request::Submit(proto::Submission::default()),
        Request::Subscribe(proto::Subscribe::default()),
        Request::PullEvents(proto::PullEvents::default()),
        Request::AnswerInvitation(proto::AnswerInvitation::default()),
        Request::SetContactPolicy(proto::SetContactPolicy::default()),
        Request::GetContactPolicy(proto::GetContactPolicy {}),
        Request::PeerStates(proto::PeerStatesRequest::default()),
        Request::ShowPresence(proto::ShowPresence { shown: true }),
    ] {
        assert_eq!(device.refused(request.clone()).await?, ErrorCode::AuthFailed, "{request:?}");
    }
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hello_ends_the_session() -> Result<()> {
    let mut node = node()?;
    let (alice, mut device) = RawDevice::enrolled(&node, "alice").await?;
    let hello = signed(&device, &alice, net::now())?;
    device.send(Frame::Hello(hello)).await?;
    assert_eq!(goodbye(&mut device, "second").await?.code, ErrorCode::Malformed.code());
    unharmed(&mut node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_session_of_a_device_takes_the_place_of_the_older() -> Result<()> {
    let mut node = node()?;
    let (alice, mut before) = RawDevice::enrolled(&node, "alice").await?;
    let _newer = RawDevice::again(&node, &alice).await?;
    assert_eq!(goodbye(&mut before, "older").await?.code, ErrorCode::Superseded.code());
    unharmed(&mut node).await
}
