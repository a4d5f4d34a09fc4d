//! Every way to change a blob on its way is noticed at the chunk where it was changed.

use machine::Seeded;

use super::*;

const ROOM: RoomId = RoomId::new([7; 32]);
const BLOB: BlobId = BlobId::new([8; 16]);

fn file(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

/// Key, header and sealed chunks of a file of this size.
fn sealed(size: usize) -> (FileKey, [u8; HEADER_BYTES], Vec<Vec<u8>>) {
    let mut entropy = Seeded::new(1);
    let key = FileKey::random(&mut entropy);
    let (cipher, header) =
        Cipher::to_seal(&key, (&ROOM, &BLOB), size as u64, &mut entropy).expect("within the limit");
    let bytes = file(size);
    let mut rest = bytes.as_slice();
    let chunks = (0..cipher.plan().chunks()).map(|index| {
        let (chunk, behind) = rest.split_at(cipher.plan().file_bytes(index));
        rest = behind;
        cipher.seal(index, chunk).expect("a chunk")
    });
    (key, header, chunks.collect())
}

fn opened(
    (key, header, chunks): (&FileKey, &[u8], &[Vec<u8>]),
    place: (&RoomId, &BlobId),
    size: u64,
) -> Result<Vec<u8>, ErrorCode> {
    let cipher = Cipher::to_open(key, place, size, header)?;
    if chunks.len() as u64 != cipher.plan().chunks() {
        return Err(ErrorCode::Malformed);
    }
    let mut file = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        file.extend(cipher.open(index as u64, chunk.clone())?);
    }
    Ok(file)
}

// [MEDIA-3]
#[test]
fn a_file_comes_out_as_it_went_in() {
    for size in [0, 1, 4_095, 4_096, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let (key, header, chunks) = sealed(size);
        let length: usize = HEADER_BYTES + chunks.iter().map(Vec::len).sum::<usize>();
        assert_eq!(length as u64, Plan::of(size as u64).expect("small").blob_bytes());
        assert_eq!(opened((&key, &header, &chunks), (&ROOM, &BLOB), size as u64), Ok(file(size)));
    }
}

// [MEDIA-3] [MEDIA-4]
#[test]
fn a_chunk_is_good_in_its_own_place_of_its_own_file_only() {
    let size = 200_000;
    let (key, header, chunks) = sealed(size);
    let open = |header: &[u8], chunks: &[Vec<u8>], place, size| opened((&key, header, chunks), place, size);
    let swapped = [chunks[1].clone(), chunks[0].clone(), chunks[2].clone(), chunks[3].clone()];
    let twice = [chunks[0].clone(), chunks[0].clone(), chunks[2].clone(), chunks[3].clone()];
    for changed in [swapped.as_slice(), &twice] {
        assert_eq!(open(&header, changed, (&ROOM, &BLOB), 200_000), Err(ErrorCode::BadSignature));
    }
    // Cut off at a chunk's end, with a size that fits: the chunk before was not sealed as the last.
    assert_eq!(open(&header, &chunks[..3], (&ROOM, &BLOB), 3 * 65_536), Err(ErrorCode::BadSignature));
    for at in 0..chunks.len() {
        for flip in [0, chunks[at].len() / 2, chunks[at].len() - 1] {
            let mut changed = chunks.clone();
            changed[at][flip] ^= 1;
            assert_eq!(open(&header, &changed, (&ROOM, &BLOB), 200_000), Err(ErrorCode::BadSignature));
        }
        let mut short = chunks.clone();
        short[at].pop();
        assert_eq!(open(&header, &short, (&ROOM, &BLOB), 200_000), Err(ErrorCode::Malformed));
    }
    let (other_room, other_blob) = (RoomId::new([1; 32]), BlobId::new([1; 16]));
    assert_eq!(open(&header, &chunks, (&other_room, &BLOB), 200_000), Err(ErrorCode::BadSignature));
    assert_eq!(open(&header, &chunks, (&ROOM, &other_blob), 200_000), Err(ErrorCode::BadSignature));
    let mut prefix = header;
    prefix[10] ^= 1;
    assert_eq!(open(&prefix, &chunks, (&ROOM, &BLOB), 200_000), Err(ErrorCode::BadSignature));
    let another = FileKey::random(&mut Seeded::new(2));
    let outcome = opened((&another, &header, &chunks), (&ROOM, &BLOB), 200_000);
    assert_eq!(outcome, Err(ErrorCode::BadSignature));
}

// [MEDIA-3]
#[test]
fn a_header_of_another_version_is_not_guessed_at() {
    let (key, header, chunks) = sealed(10);
    for at in [0, 7, 27, 31] {
        let mut changed = header;
        changed[at] ^= 1;
        let outcome = opened((&key, &changed, &chunks), (&ROOM, &BLOB), 10);
        assert_eq!(outcome, Err(ErrorCode::Unsupported), "{at}");
    }
    assert_eq!(opened((&key, &header[..31], &chunks), (&ROOM, &BLOB), 10), Err(ErrorCode::Malformed));
}

// [MEDIA-4]
#[test]
fn a_lie_about_the_size_is_noticed() {
    let (key, header, chunks) = sealed(10);
    for (size, error) in [
        (9, ErrorCode::Malformed),
        (4_097, ErrorCode::Malformed),
        (100_000, ErrorCode::Malformed),
        (u64::MAX, ErrorCode::TooLarge),
    ] {
        assert_eq!(opened((&key, &header, &chunks), (&ROOM, &BLOB), size), Err(error), "{size}");
    }
    // Longer within the padding: the file then ends in zeros, as whoever sent it says.
    assert_eq!(opened((&key, &header, &chunks), (&ROOM, &BLOB), 11).map(|file| file.len()), Ok(11));
}

#[test]
fn a_file_that_shrank_or_grew_while_it_was_read_is_not_sealed() {
    let mut entropy = Seeded::new(3);
    let key = FileKey::random(&mut entropy);
    let (cipher, _) = Cipher::to_seal(&key, (&ROOM, &BLOB), 10, &mut entropy).expect("small");
    for bytes in [0, 9, 11] {
        assert_eq!(cipher.seal(0, &vec![1; bytes]), Err(ErrorCode::Malformed));
    }
    assert_eq!(cipher.seal(1, &[]), Err(ErrorCode::Malformed));
}
