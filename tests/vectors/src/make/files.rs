//! Vectors of chapter 9: lengths, chunks and whole files, and what a message says of one.

use machine::Seeded;
use media::{Cipher, FileKey};
use mls::content;
use prost::Message as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wire::ErrorCode::{self, BadSignature, Malformed, TooLarge, Unsupported};
use wire::proto::{self, Content};
use wire::{BlobId, RoomId, limits};

use super::people::NOW;
use super::{File, file};
use crate::Case;
use crate::field::hex;

pub(super) fn all() -> Vec<File> {
    vec![lengths(), blobs(), chunks(), files(), names(), messages()]
}

fn lengths() -> File {
    let good = |size: u64, padded: u64, chunks: u64, blob: u64| {
        let output = json!({ "padded": padded, "chunks": chunks, "blob": blob });
        Case::good(format!("{size} bytes"), json!({ "size": size }), output)
    };
    let cases = vec![
        good(0, 4_096, 1, 4_144),
        good(1, 4_096, 1, 4_144),
        good(4_096, 4_096, 1, 4_144),
        good(4_097, 4_352, 1, 4_400),
        good(65_536, 65_536, 1, 65_584),
        good(65_537, 67_584, 2, 67_648),
        good(1_000_000, 1_015_808, 16, 1_016_096),
        good(1 << 30, 1 << 30, 16_384, 1_074_004_000),
        Case::bad("over the largest file", json!({ "size": (1_u64 << 30) + 1 }), TooLarge),
        Case::bad("2^63", json!({ "size": 1_u64 << 63 }), TooLarge),
    ];
    file("length", "blob-length", "How long the blob of a file is.", cases)
}

fn blobs() -> File {
    let good = |bytes: u64| Case::good(format!("{bytes} bytes"), json!({ "bytes": bytes }), json!({}));
    let bad = |bytes: u64| Case::bad(format!("{bytes} bytes"), json!({ "bytes": bytes }), Malformed);
    let cases = vec![
        good(4_144),
        good(4_400),
        good(67_648),
        bad(0),
        bad(32),
        bad(4_143),
        bad(4_145),
        bad(4_399),
        bad(65_585),
        bad(1 << 63),
        bad(u64::MAX),
    ];
    file("blob", "blob", "Which lengths are those of blobs.", cases)
}

/// A file of `size` bytes that do not repeat soon, sealed: its blob.
struct Sealed {
    size: u64,
    header: Vec<u8>,
    chunks: Vec<Vec<u8>>,
    plain: Vec<Vec<u8>>,
}

const KEY: [u8; 32] = [5; 32];
const ROOM: [u8; 32] = [7; 32];
const BLOB: [u8; 16] = [9; 16];

#[expect(clippy::expect_used, reason = "the arguments are constants of this program")]
fn sealed(size: u64) -> Sealed {
    let key = FileKey::try_from(KEY.as_slice()).expect("a key");
    let place = (&RoomId::new(ROOM), &BlobId::new(BLOB));
    let (cipher, header) = Cipher::to_seal(&key, place, size, &mut Seeded::new(1)).expect("a small file");
    let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
    let plain: Vec<Vec<u8>> = match size {
        0 => vec![Vec::new()],
        _ => bytes.chunks(limits::MEDIA_CHUNK_BYTES).map(<[u8]>::to_vec).collect(),
    };
    let chunks = (0_u64..).zip(&plain).map(|(index, chunk)| cipher.seal(index, chunk).expect("a chunk"));
    Sealed { size, header: header.to_vec(), chunks: chunks.collect(), plain }
}

impl Sealed {
    fn chunk(&self, index: u64, chunk: &[u8]) -> Value {
        json!({
            "key": hex(KEY), "room": hex(ROOM), "blob": hex(BLOB), "size": self.size,
            "header": hex(&self.header), "index": index, "chunk": hex(chunk),
        })
    }

    fn blob(&self) -> Vec<u8> {
        [self.header.clone(), self.chunks.concat()].concat()
    }

    fn whole(&self, bytes: &[u8], hash: &[u8]) -> Value {
        json!({
            "key": hex(KEY), "room": hex(ROOM), "blob": hex(BLOB), "size": self.size,
            "hash": hex(hash), "bytes": hex(bytes),
        })
    }
}

/// An input with another value in a place.
fn with(mut input: Value, name: &str, value: Value) -> Value {
    if let Some(field) = input.get_mut(name) {
        *field = value;
    }
    input
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    bytes.iter().enumerate().map(|(place, byte)| if place == at { byte ^ 1 } else { *byte }).collect()
}

fn chunks() -> File {
    let two = sealed(65_700);
    let (Some(last), Some(plain)) = (two.chunks.get(1), two.plain.get(1)) else { return names() };
    let honest = two.chunk(1, last);
    let bad = |name: &str, input: Value, error: ErrorCode| Case::bad(name, input, error);
    let header = |at: usize| json!(hex(flipped(&two.header, at)));
    let small = sealed(100);
    let (Some(only), Some(text)) = (small.chunks.first(), small.plain.first()) else { return names() };
    let opened = |bytes: &[u8]| json!({ "bytes": bytes.len(), "sha256": hex(Sha256::digest(bytes)) });
    let cases = vec![
        Case::good("the last of two", honest.clone(), opened(plain)),
        Case::good("the only one, padded", small.chunk(0, only), opened(text)),
        bad("the last in the place of the first", two.chunk(0, last), Malformed),
        bad("the only one in the place of the next", small.chunk(1, only), Malformed),
        bad("of a file with another end", with(honest.clone(), "size", json!(65_536 * 2)), Malformed),
        bad(
            "as if more followed",
            with(with(honest.clone(), "size", json!(150_000)), "index", json!(2)),
            Malformed,
        ),
        bad("a byte changed", two.chunk(1, &flipped(last, 10)), BadSignature),
        bad("a byte of the tag changed", two.chunk(1, &flipped(last, last.len() - 1)), BadSignature),
        bad("cut short", two.chunk(1, last.get(..last.len() - 1).unwrap_or_default()), Malformed),
        bad("one byte more", two.chunk(1, &[last.as_slice(), &[0]].concat()), Malformed),
        bad("empty", two.chunk(1, &[]), Malformed),
        bad("in another room", with(honest.clone(), "room", json!(hex([8; 32]))), BadSignature),
        bad("of another blob", with(honest.clone(), "blob", json!(hex([8; 16]))), BadSignature),
        bad("with another key", with(honest.clone(), "key", json!(hex([6; 32]))), BadSignature),
        bad("under another prefix", with(honest.clone(), "header", header(9)), BadSignature),
        bad("of another format", with(honest.clone(), "header", header(7)), Unsupported),
        bad(
            "with a header that does not end in zeros",
            with(honest.clone(), "header", header(31)),
            Unsupported,
        ),
        bad(
            "with half a header",
            with(honest.clone(), "header", json!(hex(two.header.get(..16).unwrap_or_default()))),
            Malformed,
        ),
        bad("of a file that is too large", with(honest, "size", json!(1_u64 << 40)), TooLarge),
        bad("with padding that is no zero", with(small.chunk(0, only), "size", json!(99)), Malformed),
    ];
    file("chunk", "file-chunk", "Chunks, each in its place of its file.", cases)
}

fn files() -> File {
    let small = sealed(1_000);
    let blob = small.blob();
    let hash = Sha256::digest(&blob);
    let plain = small.plain.concat();
    let whole = |bytes: &[u8]| small.whole(bytes, &Sha256::digest(bytes));
    let bad = Case::bad;
    let cases = vec![
        Case::good("a file", small.whole(&blob, &hash), json!({ "sha256": hex(Sha256::digest(&plain)) })),
        Case::good(
            "an empty file",
            sealed(0).whole(&sealed(0).blob(), &Sha256::digest(sealed(0).blob())),
            json!({ "sha256": hex(Sha256::digest([])) }),
        ),
        bad("another hash", small.whole(&blob, &[0; 32]), BadSignature),
        bad("a byte changed, and the hash with it", whole(&flipped(&blob, 40)), BadSignature),
        bad("a smaller size in the message", with(small.whole(&blob, &hash), "size", json!(999)), Malformed),
        bad("a size of another length", with(small.whole(&blob, &hash), "size", json!(5_000)), Malformed),
        bad("cut short", whole(blob.get(..blob.len() - 1).unwrap_or_default()), Malformed),
        bad("one byte more", whole(&[blob.as_slice(), &[0]].concat()), Malformed),
        bad("a header only", whole(&small.header), Malformed),
        bad("half a header", whole(blob.get(..16).unwrap_or_default()), Malformed),
        bad("nothing", whole(&[]), Malformed),
        bad("another format", whole(&flipped(&blob, 0)), Unsupported),
        bad("in another room", with(small.whole(&blob, &hash), "room", json!(hex([8; 32]))), BadSignature),
    ];
    file("file", "file", "Whole files, as a message tells of them.", cases)
}

fn names() -> File {
    let input = |text: &str| json!({ "text": text });
    let good = |text: &str| Case::good(text, input(text), json!({}));
    let bad = |name: &str, text: &str| Case::bad(name, input(text), Malformed);
    let cases = vec![
        good("plan.pdf"),
        good("Grüße aus Köln.txt"),
        good(".bashrc"),
        good("..."),
        good("a b"),
        Case::good("255 bytes", input(&"n".repeat(255)), json!({})),
        bad("no name", ""),
        bad("this directory", "."),
        bad("the directory above", ".."),
        bad("a way up", "../plan.pdf"),
        bad("a way up in the middle", "a/../../b"),
        bad("an absolute path", "/etc/passwd"),
        bad("a path of another system", "C:\\plan.pdf"),
        bad("a way up on another system", "..\\plan.pdf"),
        bad("a NUL", "plan.pdf\0.exe"),
        bad("a line feed", "plan\n.pdf"),
        bad("an escape", "\u{1b}[2Jplan.pdf"),
        bad("letters in reverse", "plan\u{202e}fdp.exe"),
        Case::bad("256 bytes", input(&"n".repeat(256)), TooLarge),
    ];
    file("name", "file-name", "Names of files as they are sent.", cases)
}

fn messages() -> File {
    let honest = || proto::File {
        blob: BLOB.to_vec().into(),
        key: KEY.to_vec().into(),
        hash: vec![3; 32].into(),
        size: 1_000,
        name: "plan.pdf".to_owned(),
        ..proto::File::default()
    };
    let plaintext = |file: proto::File| {
        let mut said = Content {
            version: content::VERSION,
            time_ms: NOW.as_ms(),
            kind: Some(proto::content::Kind::File(file)),
            ..Content::default()
        };
        // A field of zeros takes two or three bytes more than it holds; all of these fit into one bucket.
        let bare = said.encoded_len();
        let behind = content::bucket(bare + 3) - bare;
        said.padding = vec![0; behind - if behind > 129 { 3 } else { 2 }].into();
        said.encode_to_vec()
    };
    let input = |file| json!({ "plaintext": hex(plaintext(file)) });
    let good = |name: &str, file: proto::File| {
        let size = plaintext(file.clone()).len();
        Case::good(name, input(file), json!({ "kind": "file", "time_ms": NOW.as_ms(), "size": size }))
    };
    let bad = |name: &str, change: &dyn Fn(&mut proto::File), error: ErrorCode| {
        let mut file = honest();
        change(&mut file);
        Case::bad(name, input(file), error)
    };
    let largest = proto::File { size: 1 << 30, ..honest() };
    let described =
        proto::File { caption: "the plan".to_owned(), thumbnail: vec![1; 100].into(), ..honest() };
    let cases = vec![
        good("a file", honest()),
        good("an empty file", proto::File { size: 0, ..honest() }),
        good("the largest file", largest),
        good("with a caption and a picture", described),
        bad("a blob id of 15 bytes", &|file| file.blob.truncate(15), Malformed),
        bad("no key", &|file| file.key.clear(), Malformed),
        bad("a key of 31 bytes", &|file| file.key.truncate(31), Malformed),
        bad("no hash", &|file| file.hash.clear(), Malformed),
        bad("a hash of 33 bytes", &|file| file.hash = vec![3; 33].into(), Malformed),
        bad("no name", &|file| file.name.clear(), Malformed),
        bad("a way up", &|file| file.name = "../plan.pdf".into(), Malformed),
        bad("a name with an escape", &|file| file.name = "\u{1b}[2J".into(), Malformed),
        bad("a name of 256 bytes", &|file| file.name = "n".repeat(256), TooLarge),
        bad("over the largest file", &|file| file.size = (1 << 30) + 1, TooLarge),
        bad("2^64 - 1 bytes", &|file| file.size = u64::MAX, TooLarge),
    ];
    file("message", "content", "What a message says of a file.", cases)
}
