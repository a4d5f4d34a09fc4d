//! The encryption of a file's chunks: XChaCha20-Poly1305, with the chunk's place in its nonce and the
//! file's place in what is authenticated.

use chacha20poly1305::{AeadInPlace as _, Key, KeyInit as _, Tag, XChaCha20Poly1305, XNonce};
use machine::Entropy;
use wire::{BlobId, ErrorCode, RoomId};
use zeroize::Zeroizing;

use crate::Plan;

/// The first bytes of every blob.
pub const HEADER_BYTES: usize = 32;

const MAGIC: [u8; 8] = *b"comityF1";
const PREFIX_BYTES: usize = 19;
const TAG_BYTES: usize = 16;
/// Keeps what is authenticated here apart from everything else in the protocol.
const LABEL: &[u8] = b"comity/v1/File\0";

/// The secret of one file: made at random, told in the message, never to a node.
#[derive(Clone)]
pub struct FileKey(Zeroizing<[u8; 32]>);

impl FileKey {
    /// A new one.
    pub fn random(entropy: &mut impl Entropy) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice());
        Self(key)
    }

    /// The bytes, for the message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for FileKey {
    type Error = ErrorCode;

    fn try_from(bytes: &[u8]) -> Result<Self, ErrorCode> {
        bytes.try_into().map(|key| Self(Zeroizing::new(key))).map_err(|_| ErrorCode::Malformed)
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey")
    }
}

/// Seals and opens the chunks of one file, in any order.
pub struct Cipher {
    aead: XChaCha20Poly1305,
    prefix: [u8; PREFIX_BYTES],
    authenticated: Vec<u8>,
    plan: Plan,
}

impl Cipher {
    /// For a file that is to be sent, and the header of its blob. A key has one file.
    ///
    /// # Errors
    /// `TooLarge` over `FILE_BYTES_MAX`.
    pub fn to_seal(
        key: &FileKey,
        (room, blob): (&RoomId, &BlobId),
        size: u64,
        entropy: &mut impl Entropy,
    ) -> Result<(Self, [u8; HEADER_BYTES]), ErrorCode> {
        let mut header = [0; HEADER_BYTES];
        let (magic, rest) = header.split_at_mut(MAGIC.len());
        magic.copy_from_slice(&MAGIC);
        if let Some(prefix) = rest.get_mut(..PREFIX_BYTES) {
            entropy.fill(prefix);
        }
        Ok((Self::with_header(key, (room, blob), size, &header)?, header))
    }

    /// For a blob that begins with this header.
    ///
    /// # Errors
    /// `Unsupported` for a header of another version; `Malformed` for another length; `TooLarge` for
    /// a size over `FILE_BYTES_MAX`.
    pub fn to_open(
        key: &FileKey,
        place: (&RoomId, &BlobId),
        size: u64,
        header: &[u8],
    ) -> Result<Self, ErrorCode> {
        let header: &[u8; HEADER_BYTES] = header.try_into().map_err(|_| ErrorCode::Malformed)?;
        Self::with_header(key, place, size, header)
    }

    // [MEDIA-3]
    fn with_header(
        key: &FileKey,
        (room, blob): (&RoomId, &BlobId),
        size: u64,
        header: &[u8; HEADER_BYTES],
    ) -> Result<Self, ErrorCode> {
        let (magic, rest) = header.split_at(MAGIC.len());
        let (prefix, zeros) = rest.split_at(PREFIX_BYTES);
        if magic != MAGIC || zeros.iter().any(|byte| *byte != 0) {
            return Err(ErrorCode::Unsupported);
        }
        let plan = Plan::of(size)?;
        let mut authenticated = LABEL.to_vec();
        authenticated.extend_from_slice(header);
        authenticated.extend_from_slice(room.as_bytes());
        authenticated.extend_from_slice(blob.as_bytes());
        Ok(Self {
            aead: XChaCha20Poly1305::new(Key::from_slice(key.as_bytes())),
            prefix: prefix.try_into().map_err(|_| ErrorCode::Malformed)?,
            authenticated,
            plan,
        })
    }

    /// The lengths of this file.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Encrypts the bytes of the file that are in this chunk, with the padding behind them.
    ///
    /// # Errors
    /// `Malformed` if they are not as many as the plan says: the file is not what it was.
    pub fn seal(&self, index: u64, file: &[u8]) -> Result<Vec<u8>, ErrorCode> {
        let bytes = self.plan.chunk_bytes(index);
        if bytes == 0 || file.len() != self.plan.file_bytes(index) {
            return Err(ErrorCode::Malformed);
        }
        let mut chunk = Vec::with_capacity(bytes + TAG_BYTES);
        chunk.extend_from_slice(file);
        chunk.resize(bytes, 0);
        let nonce = self.nonce(index)?;
        let tag = self
            .aead
            .encrypt_in_place_detached(&nonce, &self.authenticated, &mut chunk)
            .map_err(|_| ErrorCode::Internal)?;
        chunk.extend_from_slice(&tag);
        Ok(chunk)
    }

    /// Decrypts a chunk: the bytes of the file that are in it.
    ///
    /// # Errors
    /// `BadSignature` if it is not the chunk that was sealed in this place of this file; `Malformed`
    /// if its length is not the plan's, or if the padding is not zero.
    pub fn open(&self, index: u64, mut chunk: Vec<u8>) -> Result<Vec<u8>, ErrorCode> {
        if chunk.is_empty() || chunk.len() != self.plan.sealed_bytes(index) {
            return Err(ErrorCode::Malformed);
        }
        let tag = chunk.split_off(self.plan.chunk_bytes(index));
        // [MEDIA-4]
        self.aead
            .decrypt_in_place_detached(
                &self.nonce(index)?,
                &self.authenticated,
                &mut chunk,
                Tag::from_slice(&tag),
            )
            .map_err(|_| ErrorCode::BadSignature)?;
        let padding = chunk.split_off(self.plan.file_bytes(index));
        if padding.iter().any(|byte| *byte != 0) {
            return Err(ErrorCode::Malformed);
        }
        Ok(chunk)
    }

    // [MEDIA-3] Which chunk it is, and whether it is the last: so none can be moved or left out.
    fn nonce(&self, index: u64) -> Result<XNonce, ErrorCode> {
        let index = u32::try_from(index).map_err(|_| ErrorCode::TooLarge)?;
        let mut nonce = XNonce::default();
        let (prefix, place) = nonce.split_at_mut(PREFIX_BYTES);
        prefix.copy_from_slice(&self.prefix);
        let (number, last) = place.split_at_mut(4);
        number.copy_from_slice(&index.to_be_bytes());
        last.copy_from_slice(&[u8::from(self.plan.is_last(u64::from(index)))]);
        Ok(nonce)
    }
}

#[cfg(test)]
mod tests;
