//! The directory's socket against guests that are wrong, row by row, while an honest one goes on
//! being served.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    sync::{broadcast, mpsc},
    time::{Instant, timeout},
};
use wire::ErrorCode;

use super::{
    Handle, Opening,
    begun::Begun,
    frames::{self, FromGuest, FromOwner, REPLY_BYTES_MAX, REQUEST_BYTES_MAX, VERSION},
    guest,
    server::Served,
};
use crate::{
    ClientError,
    device::DeviceDir,
    request::{Ask, Reply, Request},
    view::Happening,
};

struct Owner {
    _temp: tempfile::TempDir,
    dir: DeviceDir,
    _served: Served,
    _asks: mpsc::Sender<Ask>,
    happenings: broadcast::Sender<Happening>,
}

/// An owner that answers every question with an empty list of rooms.
fn owner(name: &str) -> Owner {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = DeviceDir::new(&temp.path().join(name));
    dir.create().expect("made");
    let (asks, mut asked) = mpsc::channel(8);
    let (happenings, _) = broadcast::channel(8);
    let served = Served::start(&dir, asks.downgrade(), happenings.clone()).expect("it listens");
    tokio::spawn(async move {
        while let Some(ask) = asked.recv().await {
            if let Ask::Request(_, answer) = ask {
                let _ = answer.send(Ok(Reply::Rooms(Vec::new())));
            }
        }
    });
    Owner { _temp: temp, dir, _served: served, _asks: asks, happenings }
}

async fn connect(owner: &Owner) -> UnixStream {
    super::connect(&owner.dir).await.expect("it accepts")
}

async fn greeted(owner: &Owner) -> UnixStream {
    let mut stream = connect(owner).await;
    frames::write(&mut stream, &FromGuest::Hello { version: VERSION }).await.expect("written");
    let hello: FromOwner = frames::read(&mut stream, REPLY_BYTES_MAX).await.expect("answered");
    assert!(matches!(hello, FromOwner::Hello { version: VERSION }));
    stream
}

/// Until when an owner may say nothing.
fn soon() -> Instant {
    Instant::now() + super::OWNER_WITHIN
}

async fn goodbye(stream: &mut UnixStream) -> u32 {
    let last: FromOwner = timeout(Duration::from_secs(30), frames::read(stream, REPLY_BYTES_MAX))
        .await
        .expect("in time")
        .expect("a frame");
    let FromOwner::Goodbye(code) = last else { panic!("{last:?}") };
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("closed");
    assert!(rest.is_empty());
    code
}

async fn is_served(owner: &Owner) {
    let mut stream = greeted(owner).await;
    frames::write(&mut stream, &FromGuest::Ask { id: 5, request: Request::Rooms }).await.expect("written");
    let answer: FromOwner = frames::read(&mut stream, REPLY_BYTES_MAX).await.expect("answered");
    assert!(matches!(answer, FromOwner::Answer { id: 5, result: Ok(Reply::Rooms(_)) }), "{answer:?}");
}

fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short");
    [&length.to_be_bytes()[..], body].concat()
}

#[tokio::test]
async fn every_bad_frame_gets_its_error_and_the_others_do_not_notice() {
    let owner = owner("alice@acme.test");
    let rows: Vec<(&str, Vec<u8>, ErrorCode)> = vec![
        ("longer than the limit", u32::MAX.to_be_bytes().to_vec(), ErrorCode::TooLarge),
        ("one byte too long", (REQUEST_BYTES_MAX as u32 + 1).to_be_bytes().to_vec(), ErrorCode::TooLarge),
        ("nothing", frame(b""), ErrorCode::Malformed),
        ("not JSON", frame(b"\x00\x01\x02"), ErrorCode::Malformed),
        ("not UTF-8", frame(b"\"\xff\""), ErrorCode::Malformed),
        ("another thing", frame(b"{\"fly\":1}"), ErrorCode::Malformed),
        ("an unknown request", frame(br#"{"ask":{"id":1,"request":"fly"}}"#), ErrorCode::Malformed),
        ("a bad room", frame(br#"{"ask":{"id":1,"request":{"leave":{"room":"zz"}}}}"#), ErrorCode::Malformed),
        (
            "a bad account",
            frame(br#"{"ask":{"id":1,"request":{"direct":{"account":"x"}}}}"#),
            ErrorCode::Malformed,
        ),
        ("a negative number", frame(br#"{"ask":{"id":-1,"request":"rooms"}}"#), ErrorCode::Malformed),
        ("deep nesting", frame("[".repeat(5_000).as_bytes()), ErrorCode::Malformed),
        ("an unknown field", frame(br#"{"ask":{"id":1,"request":"rooms","x":1}}"#), ErrorCode::Malformed),
        ("a second hello", frame(br#"{"hello":{"version":1}}"#), ErrorCode::Malformed),
    ];
    for (name, bytes, code) in rows {
        let mut stream = greeted(&owner).await;
        stream.write_all(&bytes).await.expect("written");
        assert_eq!(goodbye(&mut stream).await, code.code(), "{name}");
        is_served(&owner).await;
    }
}

#[tokio::test]
async fn who_does_not_greet_is_not_served() {
    let owner = owner("alice@acme.test");
    let mut stream = connect(&owner).await;
    frames::write(&mut stream, &FromGuest::Ask { id: 1, request: Request::Rooms }).await.expect("written");
    assert_eq!(goodbye(&mut stream).await, ErrorCode::Malformed.code());
    let mut stream = connect(&owner).await;
    frames::write(&mut stream, &FromGuest::Hello { version: 99 }).await.expect("written");
    assert_eq!(goodbye(&mut stream).await, ErrorCode::Unsupported.code());
    is_served(&owner).await;
}

#[tokio::test]
async fn half_a_frame_and_a_hang_up_cost_nothing() {
    let owner = owner("alice@acme.test");
    for bytes in [&b"\x00"[..], &b"\x00\x00\x00\x10"[..], &b"\x00\x00\x00\x10{"[..]] {
        let mut stream = greeted(&owner).await;
        stream.write_all(bytes).await.expect("written");
        drop(stream);
        is_served(&owner).await;
    }
}

#[tokio::test]
async fn the_socket_is_its_owners_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let owner = owner("alice@acme.test");
    let socket = std::fs::metadata(owner.dir.path("socket")).expect("there");
    assert_eq!(socket.mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_long_path_is_no_obstacle() {
    let owner = owner(&"a".repeat(120));
    is_served(&owner).await;
}

#[tokio::test]
async fn a_guest_learns_of_happenings_and_of_its_owners_end() {
    let owner = owner("alice@acme.test");
    let (asks, mut asked) = mpsc::channel(8);
    let again = asks.downgrade();
    let (happenings, mut heard) = broadcast::channel(8);
    let (begun, begins) = tokio::sync::oneshot::channel();
    let stream = connect(&owner).await;
    let guest = tokio::spawn(async move {
        let mut begun = Begun::first(begun);
        matches!(
            guest::run((stream, soon()), &mut asked, &happenings, &mut begun, &again).await,
            guest::End::OwnerGone
        )
    });
    begins.await.expect("said").expect("served");
    owner.happenings.send(Happening::CaughtUp).expect("heard");
    assert_eq!(heard.recv().await.expect("forwarded"), Happening::CaughtUp);
    drop(owner);
    assert!(guest.await.expect("no panic"));
}

/// A handle of the device that has waited so long, and what it hears when it begins.
async fn opened(dir: &DeviceDir, waited: Duration) -> (mpsc::Sender<Ask>, Result<(), ClientError>) {
    let (asks, asked) = mpsc::channel(8);
    let (begun, begins) = tokio::sync::oneshot::channel();
    let unlock = Opening::Unlock(crate::Unlock::Stored);
    let mut handle = Handle::new(dir.clone(), unlock, (asks.downgrade(), asked), broadcast::channel(8).0);
    handle.waiting_since -= waited;
    tokio::spawn(super::serve(handle, begun));
    (asks, timeout(Duration::from_secs(60), begins).await.expect("in time").expect("said"))
}

#[tokio::test]
async fn who_finds_no_place_is_told_and_one_that_is_free_is_taken() {
    let owner = owner("alice@acme.test");
    owner.dir.write("profile", b"there is a device").expect("written");
    let _lock = owner.dir.own().expect("readable").expect("free");
    let mut guests = Vec::new();
    for _ in 0..32 {
        guests.push(greeted(&owner).await);
    }
    let (_asks, heard) = opened(&owner.dir, Duration::ZERO).await;
    assert!(matches!(heard, Err(ClientError::Crowded)), "{heard:?}");
    let mut stream = connect(&owner).await;
    frames::write(&mut stream, &FromGuest::Hello { version: 99 }).await.expect("written");
    assert_eq!(goodbye(&mut stream).await, ErrorCode::Unsupported.code(), "what is wrong comes first");
    guests.pop();
    // When the owner notices is its own affair.
    while opened(&owner.dir, Duration::ZERO).await.1.is_err() {}
}

#[tokio::test]
async fn an_owner_that_says_nothing_is_not_waited_for_without_end() {
    for hangs_up in [true, false] {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DeviceDir::new(&temp.path().join("alice@acme.test"));
        dir.create().expect("made");
        dir.write("profile", b"there is a device").expect("written");
        let _lock = dir.own().expect("readable").expect("free");
        let listener = tokio::net::UnixListener::bind(dir.path("socket")).expect("bound");
        let accepting = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                if !hangs_up {
                    held.push(stream);
                }
            }
        });
        let (_asks, heard) = opened(&dir, super::OWNER_WITHIN).await;
        assert!(matches!(heard, Err(ClientError::Owner("does not answer"))), "{hangs_up}: {heard:?}");
        accepting.abort();
    }
}

#[tokio::test]
async fn an_owner_that_ends_refuses_nothing_and_only_what_may_be_repeated_is_put_back() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = DeviceDir::new(&temp.path().join("alice@acme.test"));
    dir.create().expect("made");
    let (owners_asks, mut owners_asked) = mpsc::channel(8);
    let (happenings, _) = broadcast::channel(8);
    let served = Served::start(&dir, owners_asks.downgrade(), happenings.clone()).expect("it listens");
    let stream = super::connect(&dir).await.expect("it accepts");
    let (asks, mut asked) = mpsc::channel(8);
    let (begun, _begins) = tokio::sync::oneshot::channel();
    let again = asks.downgrade();
    let guest = tokio::spawn(async move {
        let mut begun = Begun::first(begun);
        let end = guest::run((stream, soon()), &mut asked, &happenings, &mut begun, &again).await;
        (matches!(end, guest::End::OwnerGone), asked)
    });
    let (answer, _rooms) = tokio::sync::oneshot::channel();
    asks.send(Ask::Request(Request::Rooms, answer)).await.expect("asked");
    let (answer, _sent) = tokio::sync::oneshot::channel();
    let say = |again| Request::Send {
        to: crate::request::To::Room(wire::RoomId::new([1; 32])),
        what: crate::Outgoing::text("hello"),
        id: wire::MessageId::new([2; 16]),
        again,
    };
    asks.send(Ask::Request(say(false), answer)).await.expect("asked");
    let (answer, left) = tokio::sync::oneshot::channel();
    let leave = Request::Leave { room: wire::RoomId::new([1; 32]) };
    asks.send(Ask::Request(leave, answer)).await.expect("asked");
    for _ in 0..3 {
        // It ends with all of them before it.
        drop(owners_asked.recv().await.expect("passed on"));
    }
    drop((served, owners_asked, owners_asks));
    let refused = left.await.expect("answered").expect_err("nobody knows");
    assert!(matches!(refused, crate::ClientError::Owner(_)), "{refused:?}");
    let (gone, mut asked) = guest.await.expect("no panic");
    assert!(gone);
    assert!(matches!(asked.try_recv(), Ok(Ask::Request(Request::Rooms, _))));
    // A message goes again by its id, and says that it may have gone before.
    assert!(matches!(asked.try_recv(), Ok(Ask::Request(request, _)) if request == say(true)));
}
