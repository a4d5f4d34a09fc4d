//! The rules of blobs over a real directory: what is taken, refused, kept, given and forgotten.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{io, path::Path};

use blobs::{Allowance, Directory, Loaded, Record, Shelf, State, Store};
use machine::Timestamp;
use sha2::{Digest as _, Sha256};
use wire::{Account, BlobId, ErrorCode, RoomId, limits};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
const ROOM: RoomId = RoomId::new([7; 32]);
const HOUR_MS: u64 = 3_600_000;

fn account(name: &str) -> Account {
    format!("{name}@acme.test").parse().expect("an account")
}

fn shelf(path: &Path) -> Shelf {
    open(Box::new(Directory::open(path).expect("a directory")))
}

fn open(store: Box<dyn Store>) -> Shelf {
    let allowance =
        Allowance { file_bytes: 1 << 20, account_bytes: 1 << 21, domain_bytes: 5 << 19, valid_s: 3_600 };
    Shelf::open(store, allowance).expect("readable")
}

/// The bytes of some blob with a size that blobs have, and its record.
fn blob(number: u8, size: u64) -> (Record, Vec<u8>) {
    let length = media::Plan::of(size).expect("small").blob_bytes();
    let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 ^ number).collect();
    let record = Record {
        blob: BlobId::new([number; 16]),
        room: ROOM,
        account: account("alice"),
        bytes: length,
        hash: Sha256::digest(&bytes).into(),
        begun: NOW,
    };
    (record, bytes)
}

fn put(shelf: &Shelf, record: &Record, bytes: &[u8]) -> Result<State, ErrorCode> {
    let mut state = shelf.begin(record.clone(), NOW).map_err(|error| error.code)?;
    for piece in bytes.chunks(100_000) {
        let place = (&record.account, &record.blob);
        state = shelf.append(place, state.received, piece, NOW).map_err(|error| error.code)?;
    }
    Ok(state)
}

fn get(shelf: &Shelf, record: &Record) -> Result<Vec<u8>, ErrorCode> {
    let mut bytes = Vec::new();
    loop {
        let piece = shelf.read((&ROOM, &record.blob), bytes.len() as u64, 70_000, NOW)?;
        bytes.extend_from_slice(&piece.bytes);
        if bytes.len() as u64 == piece.total {
            return Ok(bytes);
        }
    }
}

// [MEDIA-12] [MEDIA-14]
#[test]
fn a_blob_comes_out_as_it_went_in_and_over_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let (record, bytes) = blob(1, 300_000);
    let first = shelf(dir.path());
    assert_eq!(put(&first, &record, &bytes), Ok(State { received: record.bytes, complete: true }));
    assert_eq!(get(&first, &record), Ok(bytes.clone()));
    drop(first);
    let second = shelf(dir.path());
    assert_eq!(get(&second, &record), Ok(bytes));
    let again = second.begin(record.clone(), NOW).expect("the same");
    assert!(again.complete, "what is here is not asked for again");
}

// [MEDIA-14]
#[test]
fn an_interrupted_blob_goes_on_where_it_was_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory");
    let (record, bytes) = blob(1, 300_000);
    let place = (&record.account, &record.blob);
    let first = shelf(dir.path());
    first.begin(record.clone(), NOW).expect("begun");
    first.append(place, 0, &bytes[..100_000], NOW).expect("taken");
    // Nobody may have it before it is whole.
    assert_eq!(get(&first, &record), Err(ErrorCode::NotFound));
    drop(first);
    let second = shelf(dir.path());
    let state = second.begin(record.clone(), NOW).expect("known");
    assert_eq!(state, State { received: 100_000, complete: false });
    // A piece whose answer was lost changes nothing.
    assert_eq!(second.append(place, 0, &bytes[..100_000], NOW), Ok(state));
    assert_eq!(put_rest(&second, &record, &bytes, state.received), Ok(()));
    assert_eq!(get(&second, &record), Ok(bytes));
}

// [MEDIA-14]
#[test]
fn a_blob_whose_last_byte_was_there_is_whole_after_a_crash_or_gone() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: String| dir.path().join(name);
    let (good, bytes) = blob(1, 300_000);
    let (bad, other) = blob(2, 300_000);
    let first = shelf(dir.path());
    for (record, bytes) in [(&good, &bytes), (&bad, &other)] {
        assert!(put(&first, record, bytes).expect("taken").complete);
    }
    drop(first);
    for record in [&good, &bad] {
        std::fs::rename(path(record.blob.to_string()), path(format!("{}.part", record.blob)))
            .expect("undone");
    }
    let damaged = path(format!("{}.part", bad.blob));
    let mut content = std::fs::read(&damaged).expect("there");
    *content.last_mut().expect("a byte") ^= 1;
    std::fs::write(&damaged, content).expect("written");
    let second = shelf(dir.path());
    assert_eq!(second.begin(good.clone(), NOW), Ok(State { received: good.bytes, complete: true }));
    assert_eq!(get(&second, &good), Ok(bytes));
    assert!(!damaged.exists());
    assert_eq!(
        second.begin(bad.clone(), NOW),
        Ok(State { received: 0, complete: false }),
        "from its beginning"
    );
    assert_eq!(put(&second, &bad, &other), Ok(State { received: bad.bytes, complete: true }));
}

fn put_rest(shelf: &Shelf, record: &Record, bytes: &[u8], from: u64) -> Result<(), ErrorCode> {
    let mut at = from;
    for piece in bytes[from as usize..].chunks(100_000) {
        let state = shelf.append((&record.account, &record.blob), at, piece, NOW);
        at = state.map_err(|error| error.code)?.received;
    }
    Ok(())
}

// [MEDIA-14]
#[test]
fn pieces_that_do_not_belong_are_refused_by_name_and_harm_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let shelf = shelf(dir.path());
    let (record, bytes) = blob(1, 300_000);
    shelf.begin(record.clone(), NOW).expect("begun");
    let alice = (&record.account, &record.blob);
    let least = limits::MEDIA_CHUNK_BYTES;
    shelf.append(alice, 0, &bytes[..least], NOW).expect("taken");
    let there = least as u64;
    let (mallory, unknown) = (account("mallory"), BlobId::new([9; 16]));
    let too_long = vec![0; limits::MEDIA_PIECE_BYTES_MAX + 1];
    for (place, offset, piece, error) in [
        (alice, there + 100, &bytes[200..300], ErrorCode::Conflict),
        (alice, 50, &bytes[50..least + 50], ErrorCode::Conflict),
        (alice, there, &[][..], ErrorCode::Malformed),
        (alice, there, &bytes[least..least + 1], ErrorCode::Malformed),
        (alice, there, &bytes[least..2 * least - 1], ErrorCode::Malformed),
        (alice, there, &too_long[..], ErrorCode::TooLarge),
        (alice, record.bytes - 1, &[1, 2][..], ErrorCode::Malformed),
        (alice, u64::MAX, &[1][..], ErrorCode::Malformed),
        ((&mallory, &record.blob), there, &bytes[least..2 * least], ErrorCode::NotFound),
        ((&record.account, &unknown), 0, &bytes[..100], ErrorCode::NotFound),
    ] {
        let refused = shelf.append(place, offset, piece, NOW).expect_err("it does not belong");
        assert_eq!(refused.code, error, "at {offset}");
    }
    assert_eq!(put_rest(&shelf, &record, &bytes, there), Ok(()));
    assert_eq!(get(&shelf, &record), Ok(bytes));
}

// [MEDIA-14]
#[test]
fn a_lie_about_the_hash_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let shelf = shelf(dir.path());
    let (mut record, bytes) = blob(1, 10);
    record.hash = [0; 32];
    assert_eq!(put(&shelf, &record, &bytes), Err(ErrorCode::BadSignature));
    assert_eq!(get(&shelf, &record), Err(ErrorCode::NotFound));
    assert_eq!(shelf.usage(), blobs::Usage::default());
    assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 0);
}

// [MEDIA-10] [MEDIA-11]
#[test]
fn what_may_not_be_begun_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let shelf = shelf(dir.path());
    let (record, bytes) = blob(1, 10);
    put(&shelf, &record, &bytes).expect("taken");
    let refused = |record: Record| shelf.begin(record, NOW).expect_err("refused").code;
    let (large, _) = blob(2, (1 << 20) + 1);
    assert_eq!(refused(large), ErrorCode::TooLarge);
    assert_eq!(refused(Record { bytes: 5_000, ..blob(2, 10).0 }), ErrorCode::Malformed);
    // Another blob under an id that is taken.
    assert_eq!(refused(Record { room: RoomId::new([1; 32]), ..record.clone() }), ErrorCode::Conflict);
    assert_eq!(refused(Record { account: account("bob"), ..record.clone() }), ErrorCode::Conflict);
    assert_eq!(refused(Record { hash: [0; 32], ..record.clone() }), ErrorCode::Conflict);
    // The account is full, then the domain.
    let of_alice = (2..100).map(|number| blob(number, 900_000));
    let taken = of_alice.take_while(|(record, _)| shelf.begin(record.clone(), NOW).is_ok()).count();
    assert_eq!(taken, 2);
    assert_eq!(refused(blob(50, 900_000).0), ErrorCode::Quota);
    let of_bob = |number| Record { account: account("bob"), ..blob(number, 100_000).0 };
    let taken = (60..100).take_while(|number| shelf.begin(of_bob(*number), NOW).is_ok()).count();
    assert!((1..20).contains(&taken), "{taken}");
    assert_eq!(refused(of_bob(100)), ErrorCode::Quota);
    assert_eq!(get(&shelf, &record), Ok(bytes), "and what is here stays");
}

#[test]
fn many_small_blobs_are_as_dear_as_a_large_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let shelf = shelf(dir.path());
    let taken = (0..=255).take_while(|number| shelf.begin(blob(*number, 1).0, NOW).is_ok()).count();
    assert_eq!(taken, (1 << 21) / 65_536);
}

// [MEDIA-12]
#[test]
fn nobody_can_tell_why_there_is_no_blob() {
    let dir = tempfile::tempdir().expect("a directory");
    let shelf = shelf(dir.path());
    let (record, bytes) = blob(1, 10);
    put(&shelf, &record, &bytes).expect("taken");
    shelf.begin(blob(2, 10).0, NOW).expect("begun");
    let over = NOW.plus_ms(HOUR_MS);
    for (room, id, now) in [
        (RoomId::new([1; 32]), record.blob, NOW),
        (ROOM, BlobId::new([9; 16]), NOW),
        (ROOM, BlobId::new([2; 16]), NOW),
        (ROOM, record.blob, over),
    ] {
        assert_eq!(shelf.read((&room, &id), 0, 1, now), Err(ErrorCode::NotFound));
    }
    assert_eq!(shelf.read((&ROOM, &record.blob), record.bytes, 1, NOW), Err(ErrorCode::Malformed));
    assert_eq!(shelf.read((&ROOM, &record.blob), u64::MAX, 1, NOW), Err(ErrorCode::Malformed));
    let piece = shelf.read((&ROOM, &record.blob), record.bytes - 3, usize::MAX, NOW).expect("its end");
    assert_eq!(piece.bytes, bytes[bytes.len() - 3..]);
}

// [MEDIA-11]
#[test]
fn what_is_over_and_what_does_not_grow_goes_and_makes_room() {
    let dir = tempfile::tempdir().expect("a directory");
    let allowance = Allowance {
        file_bytes: 1 << 20,
        account_bytes: 1 << 21,
        domain_bytes: 1 << 21,
        valid_s: 10 * limits::MEDIA_UNFINISHED_S,
    };
    let store = Box::new(Directory::open(dir.path()).expect("a directory"));
    let shelf = Shelf::open(store, allowance).expect("readable");
    let (whole, bytes) = blob(1, 10);
    put(&shelf, &whole, &bytes).expect("taken");
    shelf.begin(blob(2, 10).0, NOW).expect("begun");
    shelf.sweep(NOW.plus_ms(limits::MEDIA_UNFINISHED_S * 1_000 - 1));
    assert_eq!(shelf.usage().blobs, 2);
    shelf.sweep(NOW.plus_ms(limits::MEDIA_UNFINISHED_S * 1_000));
    assert_eq!(shelf.usage().blobs, 1, "what does not grow goes");
    shelf.sweep(NOW.plus_ms(10 * limits::MEDIA_UNFINISHED_S * 1_000));
    assert_eq!(shelf.usage(), blobs::Usage::default());
    assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 0);
}

#[test]
fn a_damaged_blob_is_cleared_away_at_the_start_and_nothing_else_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let (record, bytes) = blob(1, 10);
    put(&shelf(dir.path()), &record, &bytes).expect("taken");
    let complete = std::fs::read(dir.path().join(record.blob.to_string())).expect("there");
    let id = |number: u8| BlobId::new([number; 16]).to_string();
    for (name, content) in [
        (id(5), complete.clone()),
        (format!("{}.part", id(6)), Vec::new()),
        (id(7), vec![0xff; 5_000]),
        (format!("{}.part", id(8)), complete[..500].to_vec()),
        ("notes.txt".to_owned(), b"x".to_vec()),
    ] {
        std::fs::write(dir.path().join(name), content).expect("written");
    }
    let shelf = shelf(dir.path());
    assert_eq!(shelf.usage().blobs, 1);
    assert_eq!(get(&shelf, &record), Ok(bytes));
    let mut left: Vec<_> =
        std::fs::read_dir(dir.path()).expect("there").map(|entry| entry.expect("one").file_name()).collect();
    left.sort();
    assert_eq!(left, [record.blob.to_string().as_str(), "notes.txt"]);
}

/// A disk that fails while a blob is hashed.
struct Failing(Directory);

impl Store for Failing {
    fn load(&self) -> io::Result<Loaded> {
        self.0.load()
    }

    fn create(&self, record: &Record) -> io::Result<()> {
        self.0.create(record)
    }

    fn append(&self, blob: &BlobId, received: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.append(blob, received, bytes)
    }

    fn digest(&self, _: &BlobId) -> io::Result<[u8; 32]> {
        Err(io::ErrorKind::TimedOut.into())
    }

    fn finish(&self, blob: &BlobId) -> io::Result<()> {
        self.0.finish(blob)
    }

    fn read(&self, blob: &BlobId, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.read(blob, offset, length)
    }

    fn remove(&self, blob: &BlobId) -> io::Result<()> {
        self.0.remove(blob)
    }
}

#[test]
fn what_cannot_be_read_at_the_start_is_left_and_keeps_nothing_else_from_being_had() {
    let dir = tempfile::tempdir().expect("a directory");
    let (record, bytes) = blob(1, 10);
    let (unhashed, _) = blob(2, 10);
    let first = shelf(dir.path());
    put(&first, &record, &bytes).expect("taken");
    put(&first, &unhashed, &blob(2, 10).1).expect("taken");
    drop(first);
    let path = |name: &str| dir.path().join(name);
    let whole = path(&unhashed.blob.to_string());
    let unfinished = path(&format!("{}.part", unhashed.blob));
    std::fs::rename(&whole, &unfinished).expect("undone");
    let id = |number: u8| BlobId::new([number; 16]).to_string();
    // Neither of them can be read by anybody, whoever runs this.
    std::os::unix::fs::symlink(id(5), path(&id(5))).expect("a link to itself");
    std::fs::create_dir(path(&format!("{}.part", id(6)))).expect("a directory");
    let shelf = open(Box::new(Failing(Directory::open(dir.path()).expect("a directory"))));
    assert_eq!((shelf.usage().blobs, shelf.usage().unreadable), (1, 3));
    assert_eq!(get(&shelf, &record), Ok(bytes));
    assert!(path(&id(5)).symlink_metadata().is_ok() && path(&format!("{}.part", id(6))).exists());
    drop(shelf);
    // At the next start the disk is well again.
    let shelf = open(Box::new(Directory::open(dir.path()).expect("a directory")));
    assert_eq!((shelf.usage().blobs, shelf.usage().unreadable), (2, 2));
    assert!(whole.exists() && !unfinished.exists());
}
