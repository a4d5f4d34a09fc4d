//! Files that are not what a message says of them, and pieces that are not what was asked for: by a
//! member, by the node, or by both together.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use client::{ClientError, MessageBody};
use kit::SystemEntropy;
use media::{Cipher, FileKey};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use wire::{
    BlobId, ErrorCode, limits,
    proto::{BlobPiece, BlobState, File, GetBlob, MediaResponse, content::Kind, media_response::Response},
};

use super::{Stage, node::Pieces, until};
use crate::frames::{framed, promised};

const BLOB: [u8; 16] = [4; 16];
const SIZE: usize = 70_000;

fn answer(response: Option<Response>) -> Vec<u8> {
    framed(&MediaResponse { response }.encode_to_vec())
}

/// A file of two chunks in this room: what the message says of it, its blob, its bytes.
fn file(stage: &Stage) -> Result<(File, Vec<u8>, Vec<u8>)> {
    let bytes: Vec<u8> = (0..SIZE).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
    let key = FileKey::random(&mut SystemEntropy);
    let place = (&stage.room, &BlobId::new(BLOB));
    let (cipher, header) = Cipher::to_seal(&key, place, SIZE as u64, &mut SystemEntropy)?;
    let mut blob = header.to_vec();
    for (index, chunk) in (0_u64..).zip(bytes.chunks(limits::MEDIA_CHUNK_BYTES)) {
        blob.extend(cipher.seal(index, chunk)?);
    }
    let said = File {
        blob: BLOB.to_vec().into(),
        key: key.as_bytes().to_vec().into(),
        size: SIZE as u64,
        hash: Sha256::digest(&blob).to_vec().into(),
        name: "plan.bin".to_owned(),
        ..File::default()
    };
    Ok((said, blob, bytes))
}

/// The piece that was asked for.
fn piece(blob: &[u8], get: &GetBlob) -> BlobPiece {
    let from = usize::try_from(get.offset).unwrap_or(usize::MAX).min(blob.len());
    let to = from.saturating_add(usize::try_from(get.length).unwrap_or(usize::MAX)).min(blob.len());
    let bytes = Bytes::copy_from_slice(&blob[from..to]);
    BlobPiece { offset: get.offset, bytes, total: blob.len() as u64 }
}

fn honest(blob: &[u8]) -> Pieces {
    let blob = blob.to_vec();
    Box::new(move |get| answer(Some(Response::Piece(piece(&blob, get)))))
}

/// The seq of the newest message that is a file.
async fn told(stage: &Stage, name: &str) -> Result<u64> {
    until(&stage.client, async || {
        let messages = stage.messages().await?;
        Ok(messages.into_iter().rev().find_map(|message| match message.body {
            MessageBody::File(file) if file.name == name => Some(message.seq),
            _ => None,
        }))
    })
    .await
}

async fn fetched(stage: &Stage, seq: u64, to: &Path) -> Result<Result<Vec<u8>, ErrorCode>> {
    match stage.client.get_file(stage.room, seq, to, true, 2).await {
        Ok(saved) => Ok(Ok(std::fs::read(saved.path)?)),
        Err(ClientError::Refused(error)) => Ok(Err(error.code)),
        Err(other) => bail!("{other}"),
    }
}

type Lie = fn(&mut File);

/// What a member says of a file that is not so.
const LIES: &[(&str, ErrorCode, Lie)] = &[
    ("a smaller size of the same length", ErrorCode::Malformed, |file| file.size -= 1),
    ("a size of another length", ErrorCode::Malformed, |file| file.size = 5_000),
    ("the largest size", ErrorCode::Malformed, |file| file.size = limits::FILE_BYTES_MAX as u64),
    ("another hash", ErrorCode::BadSignature, |file| file.hash = vec![1; 32].into()),
    ("another key", ErrorCode::BadSignature, |file| file.key = vec![1; 32].into()),
    ("another blob", ErrorCode::BadSignature, |file| file.blob = vec![5; 16].into()),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_its_message_says_is_not_saved() -> Result<()> {
    let stage = Stage::new().await?;
    let (said, blob, bytes) = file(&stage)?;
    stage.node.give(honest(&blob));
    let to = tempfile::tempdir()?;
    for (number, (what, error, lie)) in LIES.iter().enumerate() {
        let mut said = File { name: format!("lie-{number}"), ..said.clone() };
        lie(&mut said);
        stage.node.say_content(Kind::File(said))?;
        let seq = told(&stage, &format!("lie-{number}")).await.context(*what)?;
        assert_eq!(fetched(&stage, seq, to.path()).await.context(*what)?, Err(*error), "{what}");
        assert_eq!(std::fs::read_dir(to.path())?.count(), 0, "{what}: something stays");
    }
    stage.node.say_content(Kind::File(said))?;
    let seq = told(&stage, "plan.bin").await?;
    assert_eq!(fetched(&stage, seq, to.path()).await?, Ok(bytes));
    Ok(())
}

/// A name that is a way somewhere makes the message one that cannot be read; a strange one is saved under
/// another.
#[tokio::test(flavor = "multi_thread")]
async fn no_name_leads_out_of_the_directory() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (said, blob, bytes) = file(&stage)?;
    stage.node.give(honest(&blob));
    let ways =
        ["", ".", "..", "../plan.bin", "/etc/passwd", "a/b", "..\\x", "a\0b", "\u{1b}[2J", "\u{202e}x"];
    let long = "n".repeat(limits::FILE_NAME_BYTES_MAX + 1);
    for name in ways.into_iter().chain([long.as_str()]) {
        stage.node.say_content(Kind::File(File { name: name.to_owned(), ..said.clone() }))?;
        stage.unreadable += 1;
        stage.talk().await.with_context(|| format!("{name:?}"))?;
    }
    let outer = tempfile::tempdir()?;
    let to = outer.path().join("in");
    std::fs::create_dir(&to)?;
    for name in [".bashrc", "-rf", "~root", "...", "nul.txt", "a:b"] {
        stage.node.say_content(Kind::File(File { name: name.to_owned(), ..said.clone() }))?;
        let seq = told(&stage, name).await.context(name)?;
        assert_eq!(fetched(&stage, seq, &to).await.context(name)?, Ok(bytes.clone()), "{name}");
        let names: Vec<_> = std::fs::read_dir(&to)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<_, _>>()?;
        let [saved] = names.as_slice() else { bail!("{name}: {names:?}") };
        assert!(saved.to_string_lossy().starts_with('_') || saved == "a_b", "{name}: {saved:?}");
        std::fs::remove_file(to.join(saved))?;
    }
    assert_eq!(std::fs::read_dir(outer.path())?.count(), 1, "something was written beside the directory");
    Ok(())
}

type Answer = fn(&[u8], &GetBlob) -> Vec<u8>;

/// Pieces that are not what was asked for.
const ANSWERS: &[(&str, ErrorCode, Answer)] = &[
    ("another offset", ErrorCode::Malformed, |blob, get| {
        answer(Some(Response::Piece(BlobPiece { offset: get.offset + 1, ..piece(blob, get) })))
    }),
    ("no bytes", ErrorCode::Malformed, |blob, get| {
        answer(Some(Response::Piece(BlobPiece { bytes: Bytes::new(), ..piece(blob, get) })))
    }),
    ("more bytes than were asked for", ErrorCode::Malformed, |blob, get| {
        let bytes = vec![1; usize::try_from(get.length).unwrap_or_default() + 1].into();
        answer(Some(Response::Piece(BlobPiece { bytes, ..piece(blob, get) })))
    }),
    ("a blob of another length", ErrorCode::Malformed, |blob, get| {
        answer(Some(Response::Piece(BlobPiece { total: u64::MAX, ..piece(blob, get) })))
    }),
    ("bytes that were changed", ErrorCode::BadSignature, |blob, get| {
        let mut changed = piece(blob, get);
        if get.offset > 0 {
            changed.bytes = changed.bytes.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>().into();
        }
        answer(Some(Response::Piece(changed)))
    }),
    ("a header of another format", ErrorCode::Unsupported, |blob, get| {
        answer(Some(Response::Piece(BlobPiece { bytes: vec![0; 32].into(), ..piece(blob, get) })))
    }),
    ("the state of a blob", ErrorCode::Malformed, |_, _| {
        answer(Some(Response::State(BlobState { received: 1, complete: true })))
    }),
    ("nothing in it", ErrorCode::Malformed, |_, _| answer(None)),
    ("no such file", ErrorCode::NotFound, |_, _| answer(Some(Response::Error(ErrorCode::NotFound.into())))),
    ("noise", ErrorCode::Malformed, |_, _| vec![0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]),
    ("one byte over the frame limit", ErrorCode::TooLarge, |_, _| promised(limits::FRAME_BYTES_MAX + 1)),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_was_not_asked_for_ends_the_fetching_by_name() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (said, blob, bytes) = file(&stage)?;
    stage.node.say_content(Kind::File(said))?;
    let seq = told(&stage, "plan.bin").await?;
    let to = tempfile::tempdir()?;
    for (what, error, answer) in ANSWERS {
        let lying = blob.clone();
        stage.node.give(Box::new(move |get| answer(&lying, get)));
        assert_eq!(fetched(&stage, seq, to.path()).await.context(*what)?, Err(*error), "{what}");
        assert_eq!(std::fs::read_dir(to.path())?.count(), 0, "{what}: something stays");
        // The next try, in the same session, gets the file.
        stage.node.give(honest(&blob));
        assert_eq!(fetched(&stage, seq, to.path()).await.context(*what)?, Ok(bytes.clone()), "{what}");
        std::fs::remove_file(to.path().join("plan.bin"))?;
    }
    // Messages go on beside it; the file itself stands among them.
    stage.shown.push(stage.messages().await?.last().map(super::text).context("the file")?);
    stage.talk().await
}
