//! Fetches a blob through the home node, decrypts and checks it piece by piece, and saves the file.

use std::{path::PathBuf, time::Duration};

use media::{Cipher, FileKey, HEADER_BYTES, Plan};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast;
use wire::{
    BlobId, DomainName, ErrorCode, RoomId, limits,
    proto::{self, BlobPiece, GetBlob},
};

use super::{
    line::{Line, Patience},
    save::Part,
    spool::plan,
    stream::MediaStream,
};
use crate::{
    ClientError,
    view::{Happening, Saved, Transfer},
};

/// What is to be fetched, and where it is to go.
#[derive(Debug)]
pub(crate) struct Download {
    /// The room.
    pub(crate) room: RoomId,
    /// The domain of the account that sent it.
    pub(crate) domain: DomainName,
    /// What its sender has said of it.
    pub(crate) file: proto::File,
    /// A directory, or the file itself.
    pub(crate) to: PathBuf,
    /// Whether a file that is there may be replaced.
    pub(crate) replace: bool,
    /// How long to go on without getting anything.
    pub(crate) patience: Duration,
}

/// Fetches a file; what was fetched before an interruption is not fetched again.
///
/// # Errors
/// `Refused`: `Conflict` if there is such a file, `NotFound` if the node has no such blob for this
/// account, `BadSignature` or `Malformed` if it is not what the sender has said; `Storage`.
pub(crate) async fn fetch(
    download: Download,
    (mut line, happenings): (Line, broadcast::Sender<Happening>),
) -> Result<Saved, ClientError> {
    let Download { room, file, .. } = &download;
    let blob = BlobId::try_from(file.blob.as_ref())?;
    let plan = plan(file)?;
    let mut part = Part::open(&download.to, &file.name, &blob, download.replace)?;
    let mut patience = Patience::new(download.patience);
    let tell = |done| {
        let total = plan.blob_bytes();
        // Nobody may be listening.
        let _ =
            happenings.send(Happening::Transfer(Transfer { room: *room, blob, upload: false, done, total }));
    };
    let mut fetched = None;
    loop {
        match attempt(&download, blob, (&mut part, &mut fetched), (&mut line, &mut patience), &tell).await {
            Ok(()) => break,
            Err(ClientError::Refused(error)) => {
                if let Err(error) = patience.again(error).await {
                    let wrong = [ErrorCode::BadSignature, ErrorCode::Malformed, ErrorCode::Unsupported];
                    // What is good so far is not fetched again.
                    if wrong.contains(&error.code) || part.length().is_ok_and(|length| length == 0) {
                        part.discard();
                    }
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
    let path = tokio::task::spawn_blocking(|| part.finish()).await.map_err(|_| ErrorCode::Internal)??;
    Ok(Saved { path, size: file.size })
}

/// What was decrypted, and the hash of what was fetched.
struct Fetched {
    cipher: Cipher,
    hasher: Sha256,
    /// The next chunk.
    index: u64,
    /// Bytes of it, and of those after it.
    waiting: Vec<u8>,
}

async fn attempt(
    download: &Download,
    blob: BlobId,
    (part, fetched): (&mut Part, &mut Option<Fetched>),
    (line, patience): (&mut Line, &mut Patience),
    tell: &impl Fn(u64),
) -> Result<(), ClientError> {
    let connection = line.connection(patience).await?;
    let mut stream = MediaStream::open(&connection).await?;
    let plan = plan(&download.file)?;
    let mut piece = async |offset: u64, length: usize| {
        let get = GetBlob {
            room: download.room.to_bytes(),
            blob: blob.to_bytes(),
            domain: download.domain.to_string(),
            offset,
            length: u32::try_from(length).unwrap_or(u32::MAX),
        };
        let piece = stream.get(get).await?;
        check_piece(&plan, offset, length, piece)
    };
    let fetched = match fetched {
        Some(fetched) => fetched,
        None => {
            let header = piece(0, HEADER_BYTES).await?;
            fetched.insert(Fetched::resume(download, blob, &header, part)?)
        }
    };
    loop {
        let at = fetched.offset();
        tell(at);
        if at == plan.blob_bytes() {
            break;
        }
        let bytes = piece(at, limits::MEDIA_PIECE_BYTES_MAX).await?;
        fetched.take(&bytes, part)?;
        patience.refresh();
    }
    // [MEDIA-4]
    let hash: [u8; 32] = fetched.hasher.clone().finalize().into();
    if hash.as_slice() == download.file.hash.as_ref() { Ok(()) } else { Err(ErrorCode::BadSignature.into()) }
}

/// The bytes of a piece, if it can be what was asked for of this blob.
fn check_piece(plan: &Plan, offset: u64, length: usize, piece: BlobPiece) -> Result<Vec<u8>, ClientError> {
    let bytes = piece.bytes.len();
    let fits = bytes as u64 <= plan.blob_bytes().saturating_sub(offset);
    if piece.total != plan.blob_bytes() || piece.offset != offset || !fits || !(1..=length).contains(&bytes) {
        return Err(ErrorCode::Malformed.into());
    }
    Ok(piece.bytes.to_vec())
}

impl Fetched {
    /// Goes on behind the whole chunks that are in the part: they are encrypted again, so that the hash
    /// is of all that was fetched, and notices if they were changed meanwhile.
    fn resume(
        download: &Download,
        blob: BlobId,
        header: &[u8],
        part: &mut Part,
    ) -> Result<Self, ClientError> {
        let key = FileKey::try_from(download.file.key.as_ref())?;
        let cipher = Cipher::to_open(&key, (&download.room, &blob), download.file.size, header)?;
        let mut hasher = Sha256::new();
        hasher.update(header);
        let chunk_bytes = limits::MEDIA_CHUNK_BYTES as u64;
        let whole = part.length()?.min(download.file.size) / chunk_bytes;
        for index in 0..whole {
            let bytes = part.read(limits::MEDIA_CHUNK_BYTES)?;
            hasher.update(cipher.seal(index, &bytes)?);
        }
        part.cut(whole * chunk_bytes)?;
        Ok(Self { cipher, hasher, index: whole, waiting: Vec::new() })
    }

    /// Where in the blob the next byte is.
    const fn offset(&self) -> u64 {
        self.cipher.plan().offset(self.index) + self.waiting.len() as u64
    }

    fn take(&mut self, bytes: &[u8], part: &mut Part) -> Result<(), ClientError> {
        self.hasher.update(bytes);
        self.waiting.extend_from_slice(bytes);
        loop {
            let sealed = self.cipher.plan().sealed_bytes(self.index);
            if sealed == 0 || self.waiting.len() < sealed {
                return Ok(());
            }
            let rest = self.waiting.split_off(sealed);
            let chunk = std::mem::replace(&mut self.waiting, rest);
            part.write(&self.cipher.open(self.index, chunk)?)?;
            self.index += 1;
        }
    }
}
