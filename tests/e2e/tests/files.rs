//! Files across two domains: whole after any interruption, and refused if they are not what was sent.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use client::{Client, ClientError, Cursor, ErrorCode, Happening, MessageBody, RoomId, Transfer};
use kit::{Node, RawDevice, RawStream, pin_each_other, until};
use tokio::time::timeout;
use wire::proto::{
    BeginBlob, BlobPiece, GetBlob, MediaRequest, MediaResponse, media_request::Request,
    media_response::Response,
};

/// How long something may take that only has to happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two domains, alice in one and bob in the other, and their direct room.
struct Pair {
    acme: Node,
    umbrella: Node,
    alice: Client,
    bob: Client,
    room: RoomId,
    home: tempfile::TempDir,
}

async fn log_in(node: &Node, home: &Path, name: &str) -> Result<Client> {
    let account = format!("{name}@{}", node.domain());
    let invited = Command::new(kit::comity()?)
        .args(["user", "invite", &account, "--data"])
        .arg(node.data())
        .output()?;
    ensure!(invited.status.success(), "{}", String::from_utf8_lossy(&invited.stderr));
    let text = String::from_utf8(invited.stdout)?;
    let word = text.split_whitespace().find(|word| word.starts_with("comity-invite:"));
    let ticket = client::ticket(word.context("an invitation")?)?;
    let client = Client::login(&home.join(&account), &ticket).await?;
    until(&client, async || Ok(client.status().await?.caught_up.then_some(()))).await?;
    Ok(client)
}

impl Pair {
    async fn new() -> Result<Self> {
        let (acme, umbrella) = (Node::start("acme.test")?, Node::start("umbrella.test")?);
        pin_each_other(&acme, &umbrella)?;
        let home = tempfile::tempdir()?;
        let alice = log_in(&acme, home.path(), "alice").await?;
        let bob = log_in(&umbrella, home.path(), "bob").await?;
        let room = alice.direct(&"bob@umbrella.test".parse()?).await?;
        until(&bob, async || Ok(bob.rooms().await?.into_iter().find(|known| known.id == room))).await?;
        bob.answer(room, true).await?;
        let joined = async || {
            let rooms = bob.rooms().await?;
            Ok(rooms.into_iter().find(|known| known.standing == client::Standing::Member))
        };
        until(&bob, joined).await?;
        Ok(Self { acme, umbrella, alice, bob, room, home })
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.home.path().join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    }

    /// Sends a file and waits until bob hears of it; its message's seq, and its blob on acme's disk.
    async fn send(&self, path: &Path) -> Result<(u64, PathBuf)> {
        let upload = self.alice.put_file(self.room, path, None, "").await?;
        timeout(PATIENCE, self.alice.uploaded(upload)).await.context("it is not sent")??;
        let told = async || {
            let page = self.bob.messages(self.room, Cursor { limit: 200, ..Cursor::default() }).await?;
            Ok(page.messages.into_iter().find_map(|message| match message.body {
                MessageBody::File(file) if file.blob == upload.blob => Some(message.seq),
                _ => None,
            }))
        };
        let seq = until(&self.bob, told).await?;
        Ok((seq, self.acme.data().join("media").join(upload.blob.to_string())))
    }

    async fn fetch(&self, seq: u64, to: &Path) -> Result<Result<PathBuf, ErrorCode>> {
        let fetched = timeout(PATIENCE, self.bob.get_file(self.room, seq, to, false, 60)).await?;
        match fetched {
            Ok(saved) => Ok(Ok(saved.path)),
            Err(ClientError::Refused(error)) => Ok(Err(error.code)),
            Err(other) => bail!("{other}"),
        }
    }
}

/// Bytes that do not repeat.
fn noise(count: usize) -> Vec<u8> {
    let mut seeded = machine::Seeded::new(count as u64);
    let mut bytes = vec![0; count];
    machine::Entropy::fill(&mut seeded, &mut bytes);
    bytes
}

/// Follows a transfer until a part of it has arrived.
async fn part_way(happenings: &mut client::Happenings, quarters: u64) -> Result<Transfer> {
    let going = async {
        loop {
            match happenings.next().await.context("the client is closed")? {
                Happening::Transfer(step) if step.done * 4 >= step.total * quarters => return Ok(step),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, going).await.context("it does not get that far")?
}

// [MEDIA-14]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_arrives_whole_although_both_nodes_are_killed_on_its_way() -> Result<()> {
    let mut pair = Pair::new().await?;
    let bytes = noise(24 << 20);
    let path = pair.file("plan.bin", &bytes)?;
    let mut steps = pair.alice.watch();
    let upload = pair.alice.put_file(pair.room, &path, Some("../plan.bin"), "the plan").await?;
    // The original is not needed any more.
    fs::remove_file(&path)?;
    let before = part_way(&mut steps, 1).await?;
    ensure!(before.upload && before.done < before.total, "it was over before it was interrupted");
    pair.acme.kill()?;
    let mut after = pair.alice.watch();
    pair.acme.run()?;
    let resumed = part_way(&mut after, 0).await?;
    ensure!(resumed.done >= before.done, "it began anew: {resumed:?} after {before:?}");
    timeout(PATIENCE, pair.alice.uploaded(upload)).await.context("it is not sent")??;
    let told = async || {
        let page = pair.bob.messages(pair.room, Cursor { limit: 200, ..Cursor::default() }).await?;
        Ok(page.messages.into_iter().find_map(|message| match message.body {
            MessageBody::File(file) => Some((message.seq, file)),
            _ => None,
        }))
    };
    let (seq, file) = until(&pair.bob, told).await?;
    ensure!((file.name.as_str(), file.size) == (".._plan.bin", 24 << 20), "{file:?}");

    let to = pair.home.path().join("in");
    fs::create_dir(&to)?;
    let mut steps = pair.bob.watch();
    let (client, room, place) = (pair.bob.clone(), pair.room, to.clone());
    let fetching = tokio::spawn(async move { client.get_file(room, seq, &place, false, 60).await });
    let before = part_way(&mut steps, 1).await?;
    ensure!(!before.upload && before.done < before.total, "it was over before it was interrupted");
    pair.umbrella.kill()?;
    let mut after = pair.bob.watch();
    pair.umbrella.run()?;
    let resumed = part_way(&mut after, 0).await?;
    ensure!(resumed.done >= before.done, "it began anew: {resumed:?} after {before:?}");
    // And the domain that keeps it, while the other passes it on.
    part_way(&mut after, 2).await?;
    pair.acme.kill()?;
    pair.acme.run()?;
    let saved = timeout(PATIENCE, fetching).await.context("it is not fetched")???;
    ensure!(saved.path == to.join("_._plan.bin"), "{saved:?}");
    ensure!(fs::read(&saved.path)? == bytes, "it is not what was sent");
    ensure!(fs::read_dir(&to)?.count() == 1, "something was left beside it");
    Ok(())
}

/// What somebody does to a blob on the disk of the node that keeps it.
type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

// [MEDIA-4]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_what_was_sent_is_refused_and_nothing_of_it_stays() -> Result<()> {
    let pair = Pair::new().await?;
    let (one, other) = (noise(200_000), noise(200_001));
    let (path, other_path) = (pair.file("one", &one)?, pair.file("other", &other)?);
    let (seq, blob) = pair.send(&path).await?;
    let (_, other_blob) = pair.send(&other_path).await?;
    let to = pair.home.path().join("in");
    fs::create_dir(&to)?;
    let good = fs::read(&blob)?;
    let head = 1_024;
    let chunk = 65_536 + 16;
    let swap = |bytes: &mut Vec<u8>| {
        let (first, second) = (head + 32, head + 32 + chunk);
        let moved = bytes[first..second].to_vec();
        bytes.copy_within(second..second + chunk, first);
        bytes[second..second + chunk].copy_from_slice(&moved);
    };
    let of_another = fs::read(&other_blob)?;
    let changes: [(&str, Change<'_>, ErrorCode); 6] = [
        ("a bit of the header", &|bytes| bytes[head] ^= 1, ErrorCode::Unsupported),
        ("a bit of the nonce", &|bytes| bytes[head + 10] ^= 1, ErrorCode::BadSignature),
        ("a bit of the first chunk", &|bytes| bytes[head + 40] ^= 1, ErrorCode::BadSignature),
        ("the last byte", &|bytes| *bytes.last_mut().expect("bytes") ^= 1, ErrorCode::BadSignature),
        ("two chunks in each other's place", &swap, ErrorCode::BadSignature),
        (
            "another file's bytes",
            &|bytes| bytes[head..].copy_from_slice(&of_another[head..]),
            ErrorCode::BadSignature,
        ),
    ];
    for (what, change, error) in changes {
        let mut bytes = good.clone();
        change(&mut bytes);
        fs::File::options().write(true).open(&blob)?.write_all_at(&bytes, 0)?;
        let refused = pair.fetch(seq, &to).await?;
        ensure!(refused == Err(error), "{what}: {refused:?}");
        ensure!(fs::read_dir(&to)?.count() == 0, "{what} left something behind");
    }
    // Shorter than it was: the node notices, and serves on.
    fs::File::options().write(true).open(&blob)?.set_len(100_000)?;
    let refused = pair.fetch(seq, &to).await?;
    ensure!(refused == Err(ErrorCode::Internal), "{refused:?}");
    fs::write(&blob, &good)?;
    let saved = pair.fetch(seq, &to).await?;
    ensure!(saved == Ok(to.join("one")), "{saved:?}");
    ensure!(fs::read(to.join("one"))? == one, "it is not what was sent");
    // A second time it would replace the first.
    ensure!(pair.fetch(seq, &to).await? == Err(ErrorCode::Conflict), "it replaced a file");
    ensure!(pair.fetch(1, &to).await? == Err(ErrorCode::NotFound), "the first event is no file");
    Ok(())
}

/// A part that somebody changed while the fetching rested is found out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_fetched_before_is_checked_with_the_rest() -> Result<()> {
    let mut pair = Pair::new().await?;
    let bytes = noise(300_000);
    let path = pair.file("one", &bytes)?;
    let (seq, blob) = pair.send(&path).await?;
    let to = pair.home.path().join("in");
    fs::create_dir(&to)?;
    let id = blob.file_name().context("a name")?.to_string_lossy().into_owned();
    let part = to.join(format!(".{id}.part"));
    let plant = |bytes: &[u8]| -> Result<()> {
        fs::write(&part, bytes)?;
        Ok(fs::set_permissions(&part, fs::Permissions::from_mode(0o600))?)
    };
    let mut changed = bytes[..200_000].to_vec();
    changed[5] ^= 1;
    plant(&changed)?;
    let refused = pair.fetch(seq, &to).await?;
    ensure!(refused == Err(ErrorCode::BadSignature), "a bit was changed: {refused:?}");
    plant(&bytes[..200_000])?;
    let saved = pair.fetch(seq, &to).await?;
    ensure!(saved == Ok(to.join("one")) && fs::read(to.join("one"))? == bytes, "{saved:?}");
    // Longer than the file ever was.
    fs::remove_file(to.join("one"))?;
    plant(&noise(2_000_000))?;
    let refused = pair.fetch(seq, &to).await?;
    ensure!(refused == Err(ErrorCode::BadSignature), "it was too long: {refused:?}");
    pair.acme.stop()?;
    pair.umbrella.stop()
}

async fn media_answer(stream: &mut RawStream, request: Option<Request>) -> Result<MediaResponse> {
    stream.write(&MediaRequest { request }).await?;
    stream.read().await?.context("an answer")
}

fn refusal(answer: &MediaResponse) -> Option<ErrorCode> {
    match &answer.response {
        Some(Response::Error(error)) => Some(ErrorCode::from_code(error.code)),
        _ => None,
    }
}

// [MEDIA-5]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_has_a_few_media_streams_and_a_bad_one_harms_no_other() -> Result<()> {
    let node = Node::start("acme.test")?;
    let unproved = RawDevice::connect(&node).await?;
    let granted = |device: &RawDevice| {
        let connection = device.connection().clone();
        async move { timeout(Duration::from_secs(1), connection.open_bi()).await.is_ok() }
    };
    ensure!(!granted(&unproved).await, "a stranger has a stream");
    let (_, device) = RawDevice::enrolled(&node, "alice").await?;
    let mut good = RawStream::open(device.connection()).await?;
    let unknown = Request::Get(GetBlob {
        room: vec![1; 32].into(),
        blob: vec![2; 16].into(),
        domain: "acme.test".to_owned(),
        ..GetBlob::default()
    });
    let begin = |bytes: u64| {
        let (room, blob) = (vec![1; 32].into(), vec![2; 16].into());
        Some(Request::Begin(BeginBlob { room, blob, bytes, hash: vec![3; 32].into() }))
    };
    let short = Request::Get(GetBlob { domain: "acme.test".to_owned(), ..GetBlob::default() });
    let nowhere = Request::Piece(BlobPiece { bytes: vec![1; 10].into(), ..BlobPiece::default() });
    for (request, error) in [
        (None, ErrorCode::Unsupported),
        (Some(unknown.clone()), ErrorCode::NotFound),
        (Some(short), ErrorCode::Malformed),
        (begin(4_144), ErrorCode::NotFound),
        (Some(nowhere), ErrorCode::Malformed),
    ] {
        let answer = media_answer(&mut good, request.clone()).await?;
        ensure!(refusal(&answer) == Some(error), "{request:?}: {answer:?}");
    }
    let mut second = Some(RawStream::open(device.connection()).await?);
    ensure!(!granted(&device).await, "a third stream");
    for bytes in [vec![0, 0, 0, 2, 0xff, 0xff], vec![0, 0x20, 0, 0]] {
        // The place of a stream is free again once both ends have let it go.
        let mut bad = match second.take() {
            Some(stream) => stream,
            None => RawStream::open(device.connection()).await?,
        };
        bad.write_bytes(&bytes).await?;
        let answer = bad.read::<MediaResponse>().await?.context("an answer")?;
        let expected = if bytes.len() > 4 { ErrorCode::Malformed } else { ErrorCode::TooLarge };
        ensure!(refusal(&answer) == Some(expected), "{answer:?}");
        ensure!(bad.read::<MediaResponse>().await?.is_none(), "it goes on after an error");
        drop(bad);
        ensure!(refusal(&media_answer(&mut good, Some(unknown.clone())).await?) == Some(ErrorCode::NotFound));
    }
    Ok(())
}
