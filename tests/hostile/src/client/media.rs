//! Files that a device puts, and pieces that it asks for, otherwise than chapter 09 says. What is in a
//! blob no node can judge: lies about names and sizes are for who opens it (`home::media`).

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use kit::{Node, RawDevice, RawStream};
use sha2::{Digest as _, Sha256};
use wire::{
    ErrorCode, limits,
    proto::{
        BeginBlob, BlobPiece, BlobState, GetBlob, MediaRequest, MediaResponse, media_request::Request,
        media_response::Response,
    },
};

use crate::{
    hand::Hand,
    stage::{node, unharmed},
};

/// The least that a piece has which is not the last.
const PIECE: usize = limits::MEDIA_CHUNK_BYTES;

/// The blob of a file of a few pieces, which one piece can be as well: any bytes of a length that blobs
/// have.
fn blob(byte: u8) -> Result<Vec<u8>> {
    let bytes = usize::try_from(media::Plan::of(200_000)?.blob_bytes())?;
    Ok(vec![byte; bytes])
}

/// A device with a media stream, and a room that it may put files into.
struct Stage {
    node: Node,
    hand: Hand,
    room: Bytes,
    stream: RawStream,
}

impl Stage {
    async fn new() -> Result<Self> {
        let node = node()?;
        let mut hand = Hand::new(&node, "alice").await?;
        let (member, _) = hand.found().await?;
        let stream = RawStream::open(hand.device.connection()).await?;
        Ok(Self { node, hand, room: member.room().to_bytes(), stream })
    }

    fn begin(&self, id: u8, bytes: &[u8]) -> BeginBlob {
        BeginBlob {
            room: self.room.clone(),
            blob: vec![id; 16].into(),
            bytes: bytes.len() as u64,
            hash: Sha256::digest(bytes).to_vec().into(),
        }
    }

    fn get(&self, id: u8, offset: u64) -> Request {
        Request::Get(GetBlob {
            room: self.room.clone(),
            blob: vec![id; 16].into(),
            offset,
            length: 10,
            domain: "acme.test".to_owned(),
        })
    }

    async fn ask(&mut self, request: Request) -> Result<Response> {
        ask(&mut self.stream, request).await
    }

    async fn refused(&mut self, request: Request) -> Result<ErrorCode> {
        match self.ask(request).await? {
            Response::Error(error) => Ok(ErrorCode::from_code(error.code)),
            other => bail!("{other:?} is no refusal"),
        }
    }

    /// A good file is put whole and given back.
    async fn served(&mut self, id: u8) -> Result<()> {
        let good = blob(id)?;
        let begun = self.ask(Request::Begin(self.begin(id, &good))).await?;
        assert_eq!(begun, state(0, false));
        let whole = self.ask(piece(0, &good)).await?;
        assert_eq!(whole, state(good.len() as u64, true));
        match self.ask(self.get(id, 5)).await? {
            Response::Piece(piece) => assert_eq!(piece.bytes, good[5..15]),
            other => bail!("{other:?} is no piece"),
        }
        Ok(())
    }
}

async fn ask(stream: &mut RawStream, request: Request) -> Result<Response> {
    stream.write(&MediaRequest { request: Some(request) }).await?;
    stream.expect::<MediaResponse>().await?.response.context("an empty response")
}

fn piece(offset: u64, bytes: &[u8]) -> Request {
    Request::Piece(BlobPiece { offset, bytes: bytes.to_vec().into(), total: 0 })
}

const fn state(received: u64, complete: bool) -> Response {
    Response::State(BlobState { received, complete })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_announced_wrongly_is_not_taken() -> Result<()> {
    use ErrorCode::{Malformed, NotFound, TooLarge};
    let mut stage = Stage::new().await?;
    let honest = stage.begin(1, &blob(1)?);
    type Change = fn(&mut BeginBlob);
    let rows: [(&str, ErrorCode, Change); 12] = [
        ("half a room", Malformed, |begin| begin.room.truncate(16)),
        ("a room that does not exist", NotFound, |begin| begin.room = vec![9; 32].into()),
        ("an id of 15 bytes", Malformed, |begin| begin.blob.truncate(15)),
        ("an id that is a way up", Malformed, |begin| {
            begin.blob = Bytes::from_static(b"../../../etc/passwd")
        }),
        ("no hash", Malformed, |begin| begin.hash.clear()),
        ("a hash of 33 bytes", Malformed, |begin| begin.hash = vec![1; 33].into()),
        ("no bytes", Malformed, |begin| begin.bytes = 0),
        ("a header only", Malformed, |begin| begin.bytes = 32),
        ("a length that no blob has", Malformed, |begin| begin.bytes += 1),
        ("over the largest file", TooLarge, |begin| {
            begin.bytes = media::Plan::of(limits::FILE_BYTES_MAX as u64).map_or(0, |plan| plan.blob_bytes());
        }),
        ("2^63 bytes", Malformed, |begin| begin.bytes = 1 << 63),
        ("2^64 - 1 bytes", Malformed, |begin| begin.bytes = u64::MAX),
    ];
    for (what, error, change) in rows {
        let mut begin = honest.clone();
        change(&mut begin);
        assert_eq!(stage.refused(Request::Begin(begin)).await.context(what)?, error, "{what}");
        // Nothing was begun: there is nothing that a piece could be of.
        assert_eq!(stage.refused(piece(0, &[1; 10])).await.context(what)?, Malformed, "{what}");
    }
    stage.served(1).await?;
    unharmed(&mut stage.node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_do_not_fit_are_refused_and_what_is_there_stays() -> Result<()> {
    use ErrorCode::{Conflict, Malformed, NotFound, TooLarge};
    let mut stage = Stage::new().await?;
    let bytes = blob(2)?;
    let total = bytes.len() as u64;
    stage.ask(Request::Begin(stage.begin(2, &bytes))).await?;
    let there = PIECE as u64;
    assert_eq!(stage.ask(piece(0, &bytes[..PIECE])).await?, state(there, false));
    let rows: [(&str, Request, ErrorCode); 9] = [
        ("a gap", piece(there + 100, &bytes[200..300]), Conflict),
        ("a crumb", piece(there, &bytes[PIECE..=PIECE]), Malformed),
        ("a byte less than a piece", piece(there, &bytes[PIECE..2 * PIECE - 1]), Malformed),
        ("the end of all numbers", piece(u64::MAX, &[1]), Malformed),
        ("nothing", piece(there, &[]), Malformed),
        ("beyond the announced length", piece(there, &vec![2; bytes.len()]), Malformed),
        ("longer than a piece may be", piece(there, &vec![2; limits::MEDIA_PIECE_BYTES_MAX + 1]), TooLarge),
        ("a piece of what is not whole", stage.get(2, 0), NotFound),
        ("nothing that is known", Request::Get(GetBlob::default()), Malformed),
    ];
    for (what, request, error) in rows {
        assert_eq!(stage.refused(request).await.context(what)?, error, "{what}");
        // What is there already is answered and changes nothing.
        assert_eq!(stage.ask(piece(0, &[9; 100])).await.context(what)?, state(there, false), "{what}");
    }
    assert_eq!(stage.ask(piece(there, &bytes[PIECE..])).await?, state(total, true));
    let Response::Piece(given) = stage.ask(stage.get(2, 0)).await? else { bail!("no piece") };
    assert_eq!(given.bytes, bytes[..10], "what was sent a second time took the place of the first");
    for (what, offset) in [("the end", total), ("behind the end", total + 1), ("the last number", u64::MAX)] {
        assert_eq!(stage.refused(stage.get(2, offset)).await.context(what)?, Malformed, "{what}");
    }
    stage.served(3).await?;
    unharmed(&mut stage.node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_was_announced_is_forgotten() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (announced, other) = (blob(4)?, blob(5)?);
    let total = announced.len() as u64;
    stage.ask(Request::Begin(stage.begin(4, &announced))).await?;
    stage.ask(piece(0, &other[..PIECE])).await?;
    assert_eq!(stage.refused(piece(PIECE as u64, &other[PIECE..])).await?, ErrorCode::BadSignature);
    assert_eq!(stage.refused(stage.get(4, 0)).await?, ErrorCode::NotFound);
    // The id is free again, for the file that was announced or for another.
    assert_eq!(stage.ask(Request::Begin(stage.begin(4, &announced))).await?, state(0, false));
    assert_eq!(stage.ask(piece(0, &announced)).await?, state(total, true));
    unharmed(&mut stage.node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_known_is_for_the_same_file_of_the_same_account_only() -> Result<()> {
    use ErrorCode::{Conflict, Forbidden, NotFound};
    let mut stage = Stage::new().await?;
    let bytes = blob(6)?;
    stage.ask(Request::Begin(stage.begin(6, &bytes))).await?;
    stage.ask(piece(0, &bytes[..PIECE])).await?;
    let honest = stage.begin(6, &bytes);
    let larger = media::Plan::of(5_000)?.blob_bytes();
    for (what, begin) in [
        ("another length", BeginBlob { bytes: larger, ..honest.clone() }),
        ("another hash", BeginBlob { hash: vec![1; 32].into(), ..honest.clone() }),
    ] {
        assert_eq!(stage.refused(Request::Begin(begin)).await?, Conflict, "{what}");
    }
    // Somebody else, in a room of his own, under the same id; and in the room that is not his.
    let mut mallory = Hand::new(&stage.node, "mallory").await?;
    let (own, _) = mallory.found().await?;
    let mut stream = RawStream::open(mallory.device.connection()).await?;
    for (what, request, error) in [
        (
            "an id of another account",
            Request::Begin(BeginBlob { room: own.room().to_bytes(), ..honest.clone() }),
            Conflict,
        ),
        (
            "a room of others",
            Request::Begin(BeginBlob { blob: vec![7; 16].into(), ..honest.clone() }),
            Forbidden,
        ),
        ("a file of others", stage.get(6, 0), NotFound),
    ] {
        match ask(&mut stream, request).await? {
            Response::Error(refused) => assert_eq!(ErrorCode::from_code(refused.code), error, "{what}"),
            other => bail!("{what}: {other:?}"),
        }
    }
    assert_eq!(stage.ask(Request::Begin(honest)).await?, state(PIECE as u64, false));
    assert_eq!(stage.ask(piece(PIECE as u64, &bytes[PIECE..])).await?, state(bytes.len() as u64, true));
    unharmed(&mut stage.node).await
}

/// However a transfer breaks off, it goes on with what is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_breaks_off_goes_on_where_it_was() -> Result<()> {
    let mut stage = Stage::new().await?;
    let bytes = blob(8)?;
    let begin = stage.begin(8, &bytes);
    type Break = fn(&mut RawStream);
    let rows: [(&str, Break); 3] =
        [("the end", RawStream::finish), ("a reset", RawStream::reset), ("half a piece", |_| {})];
    for (number, (what, end)) in (0_u64..).zip(rows) {
        let at = number * PIECE as u64;
        assert_eq!(stage.ask(Request::Begin(begin.clone())).await.context(what)?, state(at, false), "{what}");
        let from = usize::try_from(at)?;
        let next = stage.ask(piece(at, &bytes[from..from + PIECE])).await.context(what)?;
        assert_eq!(next, state(at + PIECE as u64, false), "{what}");
        // A piece is begun, and never whole.
        stage.stream.write_bytes(&[0, 0, 0, 200, 0x12, 0xc5, 1, 0x08]).await?;
        end(&mut stage.stream);
        stage.hand.device = RawDevice::again(&stage.node, &stage.hand.person).await?;
        stage.stream = RawStream::open(stage.hand.device.connection()).await?;
    }
    stage.node.kill()?;
    stage.node.run()?;
    stage.hand.device = RawDevice::again(&stage.node, &stage.hand.person).await?;
    stage.stream = RawStream::open(stage.hand.device.connection()).await?;
    let there = 3 * PIECE;
    assert_eq!(stage.ask(Request::Begin(begin)).await?, state(there as u64, false));
    assert_eq!(stage.ask(piece(there as u64, &bytes[there..])).await?, state(bytes.len() as u64, true));
    unharmed(&mut stage.node).await
}
