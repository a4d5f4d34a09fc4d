//! How a file of some size is padded and cut: every length and offset follows from the size.

use wire::{ErrorCode, limits};

use crate::HEADER_BYTES;

/// What the authentication of a chunk adds to it.
const TAG_BYTES: u64 = 16;
const CHUNK_BYTES: u64 = limits::MEDIA_CHUNK_BYTES as u64;
const SEALED_BYTES: u64 = CHUNK_BYTES + TAG_BYTES;

/// The lengths of a file and of its blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    size: u64,
    padded: u64,
}

/// [MEDIA-2] The size to which a file is padded: `FILE_BYTES_MIN`, or the size rounded up so that of its
/// binary digits only the first few, about as many as the logarithm of their number, are not zero. At
/// most a sixteenth longer, and few sizes are left that a node could tell apart.
#[must_use]
pub const fn padded(size: u64) -> u64 {
    let least = limits::FILE_BYTES_MIN as u64;
    if size <= least {
        return least;
    }
    let exponent = size.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1 << (exponent - kept)) - 1;
    size.saturating_add(mask) & !mask
}

/// [MEDIA-2] Whether some file has a blob of so many bytes.
#[must_use]
pub fn is_blob_bytes(bytes: u64) -> bool {
    let Some(sealed) = bytes.checked_sub(HEADER_BYTES as u64) else { return false };
    let chunks = sealed.div_ceil(SEALED_BYTES);
    let Some(inner) = sealed.checked_sub(chunks * TAG_BYTES) else { return false };
    padded(inner) == inner && Plan::of(inner).is_ok_and(|plan| plan.blob_bytes() == bytes)
}

impl Plan {
    /// The plan for a file of this size.
    ///
    /// # Errors
    /// `TooLarge` over `FILE_BYTES_MAX`.
    pub fn of(size: u64) -> Result<Self, ErrorCode> {
        if size > padded(limits::FILE_BYTES_MAX as u64) {
            return Err(ErrorCode::TooLarge);
        }
        Ok(Self { size, padded: padded(size) })
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of the blob: header, padded file and one tag for each chunk.
    #[must_use]
    pub const fn blob_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + self.padded + self.chunks() * TAG_BYTES
    }

    /// How many chunks there are; at least one.
    #[must_use]
    pub const fn chunks(&self) -> u64 {
        self.padded.div_ceil(CHUNK_BYTES)
    }

    /// Where in the blob a chunk begins; behind the last one, where the blob ends.
    #[must_use]
    pub const fn offset(&self, index: u64) -> u64 {
        let whole = HEADER_BYTES as u64 + index.saturating_mul(SEALED_BYTES);
        if whole < self.blob_bytes() { whole } else { self.blob_bytes() }
    }

    /// How many bytes a chunk has in the blob; 0 for one that there is not.
    #[must_use]
    pub const fn sealed_bytes(&self, index: u64) -> usize {
        match self.chunk_bytes(index) {
            0 => 0,
            bytes => bytes + TAG_BYTES as usize,
        }
    }

    /// How many bytes of the padded file a chunk holds.
    #[must_use]
    pub const fn chunk_bytes(&self, index: u64) -> usize {
        within(self.padded, index)
    }

    /// How many bytes of the file itself a chunk holds; the others are padding.
    #[must_use]
    pub const fn file_bytes(&self, index: u64) -> usize {
        within(self.size, index)
    }

    /// Whether a chunk is the last one.
    #[must_use]
    pub const fn is_last(&self, index: u64) -> bool {
        index + 1 == self.chunks()
    }
}

/// How many of the first `end` bytes lie in the chunk of this index.
const fn within(end: u64, index: u64) -> usize {
    let rest = end.saturating_sub(index.saturating_mul(CHUNK_BYTES));
    if rest < CHUNK_BYTES { rest as usize } else { CHUNK_BYTES as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [MEDIA-2]
    #[test]
    fn padding_is_small_and_leaves_few_sizes() {
        for size in (0..300_000).chain((1..1_000).map(|step| step * 1_048_573)) {
            let padded = padded(size);
            assert!(padded >= size.max(4_096), "{size}");
            assert!(size < 4_096 || (padded - size) * 16 <= size, "{size} becomes {padded}");
            assert_eq!(super::padded(padded), padded, "{size}");
        }
        let mut sizes: Vec<u64> = (4_096..1_048_576).map(padded).collect();
        sizes.dedup();
        assert!(sizes.len() < 200, "{} sizes below a mebibyte", sizes.len());
    }

    // [MEDIA-2]
    #[test]
    fn the_chunks_cover_the_blob_and_the_file_without_gap() {
        for size in [0, 1, 4_096, 4_097, 65_535, 65_536, 65_537, 131_072, 5 << 20, 1 << 30] {
            let plan = Plan::of(size).expect("within the limit");
            let (mut at, mut file) = (HEADER_BYTES as u64, 0);
            for index in 0..plan.chunks() {
                assert_eq!(plan.offset(index), at);
                assert!(plan.sealed_bytes(index) > TAG_BYTES as usize);
                at += plan.sealed_bytes(index) as u64;
                file += plan.file_bytes(index) as u64;
            }
            assert_eq!((at, file), (plan.blob_bytes(), size));
            assert_eq!(plan.offset(plan.chunks()), at);
            assert_eq!(plan.sealed_bytes(plan.chunks()), 0);
            assert!(is_blob_bytes(plan.blob_bytes()), "{size}");
        }
        assert_eq!(Plan::of(2 << 30), Err(ErrorCode::TooLarge));
    }

    // [MEDIA-2]
    #[test]
    fn only_lengths_of_padded_files_are_lengths_of_blobs() {
        let least = Plan::of(0).expect("small").blob_bytes();
        let known: Vec<u64> = (least..40_000).filter(|bytes| is_blob_bytes(*bytes)).collect();
        assert_eq!(known.first(), Some(&least));
        let expected = (0..38_000).map(|size| Plan::of(size).expect("small").blob_bytes());
        let mut expected: Vec<u64> = expected.filter(|bytes| *bytes < 40_000).collect();
        expected.dedup();
        assert_eq!(known, expected);
        for bytes in [0, 1, 47, 48, least - 1, u64::MAX, u64::MAX - 16] {
            assert!(!is_blob_bytes(bytes), "{bytes}");
        }
    }
}
