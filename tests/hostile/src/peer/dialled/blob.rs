//! Who keeps a file gives other pieces of it than were asked for.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use kit::{RawPeer, RawStream};
use prost::Message as _;
use wire::{
    ErrorCode, limits,
    proto::{
        AccountKeys, BlobPiece, Done, GetBlob, MediaRequest, MediaResponse, PeerRequest, PeerResponse,
        media_request, media_response, peer_request::Request, peer_response::Response,
    },
};

use crate::{
    frames::{framed, promised, shapeless},
    hand::Hand,
    stage::{Row, node, row, unharmed},
};

const OFFSET: u64 = 100;
const LENGTH: usize = 50;

fn answer(response: Option<Response>) -> Vec<u8> {
    framed(&PeerResponse { response }.encode_to_vec())
}

fn piece(offset: u64, bytes: usize, total: u64) -> Vec<u8> {
    answer(Some(Response::Piece(BlobPiece { offset, bytes: vec![1; bytes].into(), total })))
}

/// The length of the blob of a small file.
fn total() -> Result<u64> {
    Ok(media::Plan::of(10)?.blob_bytes())
}

fn wrong_pieces() -> Result<Vec<Row>> {
    use ErrorCode::{BadSignature, Malformed, NotFound, TooLarge};
    let total = total()?;
    let mut rows = shapeless(&PeerResponse { response: Some(Response::Done(Done {})) }.encode_to_vec());
    let error = |error: ErrorCode| answer(Some(Response::Error(error.into())));
    rows.extend([
        row("a piece from before", piece(OFFSET - 1, LENGTH, total), Malformed),
        row("a piece from behind", piece(OFFSET + 1, LENGTH, total), Malformed),
        row("a piece at 2^64 - 1", piece(u64::MAX, LENGTH, total), Malformed),
        row("an empty piece", piece(OFFSET, 0, total), Malformed),
        row("one byte more than was asked for", piece(OFFSET, LENGTH + 1, total), Malformed),
        row("a mebibyte", piece(OFFSET, 1 << 20, total), Malformed),
        row("a piece behind the end", piece(OFFSET, LENGTH, OFFSET + 1), Malformed),
        row("a length that no blob has", piece(OFFSET, LENGTH, total + 1), Malformed),
        row("2^64 - 1 bytes in all", piece(OFFSET, LENGTH, u64::MAX), Malformed),
        row("no bytes in all", piece(OFFSET, LENGTH, 0), Malformed),
        row("nothing in it", answer(None), Malformed),
        row("an account", answer(Some(Response::Account(AccountKeys::default()))), Malformed),
        row("no piece", error(NotFound), NotFound),
        row("whatever error it likes", error(BadSignature), BadSignature),
        row("a frame over its limit", promised(limits::FRAME_BYTES_MAX + 1), TooLarge),
        row("half an answer", piece(OFFSET, LENGTH, total)[..30].to_vec(), Malformed),
        row("the end", Vec::new(), Malformed),
    ]);
    Ok(rows)
}

/// The piece that a device asks for, as the peer answers it.
async fn fetched(
    stream: &mut RawStream,
    connection: &quinn::Connection,
    room: Bytes,
    bytes: &[u8],
) -> Result<Result<BlobPiece, ErrorCode>> {
    let get = GetBlob {
        room,
        blob: Bytes::from_static(&[9; 16]),
        offset: OFFSET,
        length: LENGTH as u32,
        domain: "evil.test".to_owned(),
    };
    stream.write(&MediaRequest { request: Some(media_request::Request::Get(get)) }).await?;
    let mut asked = loop {
        let mut asked = RawStream::accept(connection).await?;
        match asked.expect::<PeerRequest>().await?.request {
            Some(Request::GetBlob(get)) if get.offset == OFFSET && get.domain.is_empty() => break asked,
            Some(Request::Link(_)) => {}
            other => bail!("{other:?} asks for no piece"),
        }
    };
    asked.write_bytes(bytes).await?;
    asked.finish();
    match stream.expect::<MediaResponse>().await?.response.context("an empty response")? {
        media_response::Response::Piece(piece) => Ok(Ok(piece)),
        media_response::Response::Error(error) => Ok(Err(ErrorCode::from_code(error.code))),
        other @ media_response::Response::State(_) => bail!("{other:?} answers no request for a piece"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_was_not_asked_for_is_not_passed_on() -> Result<()> {
    let mut node = node()?;
    let peer = RawPeer::new("evil.test")?;
    peer.pinned_by(&node)?;
    let connection = peer.establish(&node).await?;
    let mut alice = Hand::new(&node, "alice").await?;
    let (member, _) = alice.found().await?;
    let room = member.room().to_bytes();
    let mut stream = RawStream::open(alice.device.connection()).await?;
    for Row { what, bytes, error } in wrong_pieces()? {
        let piece = fetched(&mut stream, &connection, room.clone(), &bytes).await.context(what)?;
        assert_eq!(piece, Err(error), "{what}");
        // The next piece, on the same stream and the same connection, is the one that was asked for.
        let honest = piece_of_file()?;
        let bytes = answer(Some(Response::Piece(honest.clone())));
        assert_eq!(fetched(&mut stream, &connection, room.clone(), &bytes).await?, Ok(honest), "{what}");
    }
    unharmed(&mut node).await
}

fn piece_of_file() -> Result<BlobPiece> {
    Ok(BlobPiece { offset: OFFSET, bytes: vec![5; LENGTH].into(), total: total()? })
}
