//! Which blobs are taken, kept and given: the rules of `spec/09-media.md`, section 3, over whatever
//! holds the bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use machine::Timestamp;
use wire::{Account, BlobId, ErrorCode, RoomId, WireError, limits, proto::BlobPiece};

use crate::{Found, Record, Store};

/// What a small blob counts for: so the bounds on bytes bound the number too.
const COUNTED_BYTES_MIN: u64 = 65_536;
/// When somebody may ask again for a blob that another stream is writing.
const BUSY_MS: u64 = 250;

/// How much is kept, and for how long; an administrator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The largest file.
    pub file_bytes: u64,
    /// What one account may have here.
    pub account_bytes: u64,
    /// What all accounts together may have here.
    pub domain_bytes: u64,
    /// How long a blob is kept.
    pub valid_s: u64,
}

/// How far a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// So many bytes are durable.
    pub received: u64,
    /// All of them are, and they are what was announced.
    pub complete: bool,
}

/// What is kept, for those who watch a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Blobs, unfinished ones included.
    pub blobs: u64,
    /// The bytes that they count for.
    pub bytes: u64,
    /// Those that could not be read at the start: nobody gets them until a start at which they can be.
    pub unreadable: u64,
}

/// All blobs of a domain.
pub struct Shelf {
    store: Box<dyn Store>,
    allowance: Allowance,
    held: Mutex<Held>,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

#[derive(Default)]
struct Held {
    blobs: BTreeMap<BlobId, Blob>,
    of_account: BTreeMap<Account, u64>,
    bytes: u64,
    unreadable: u64,
    /// Those that a stream is writing at this moment.
    busy: BTreeSet<BlobId>,
}

struct Blob {
    record: Record,
    state: State,
    touched: Timestamp,
}

impl Shelf {
    /// What this store holds. A blob on which the device fails is left as it is and not held: it may be
    /// good, and the others are to be had.
    ///
    /// # Errors
    /// Those of the device, if it does not even say what is there.
    pub fn open(store: Box<dyn Store>, allowance: Allowance) -> io::Result<Self> {
        let loaded = store.load()?;
        let mut held = Held { unreadable: loaded.unreadable, ..Held::default() };
        for found in loaded.found {
            match settled(store.as_ref(), &found) {
                Ok(Some(state)) => held.add(Blob { record: found.record, state, touched: found.touched }),
                Ok(None) => {}
                Err(error) => {
                    held.unreadable += 1;
                    tracing::error!(blob = %found.record.blob, %error, "a file cannot be read; it is left as it is");
                }
            }
        }
        if held.unreadable > 0 {
            let files = held.unreadable;
            tracing::error!(
                files,
                "files cannot be given out; look at their owner and the disk, then restart"
            );
        }
        Ok(Self { store, allowance, held: Mutex::new(held) })
    }

    /// [MEDIA-10] [MEDIA-11] Takes a blob, or says how far it is if it was begun before.
    ///
    /// # Errors
    /// `Malformed` for a size that no blob has, `TooLarge`, `Quota`, `Conflict` if the id stands for
    /// another blob; `RateLimited` while another stream writes it; `StorageFull`, `Internal`.
    pub fn begin(&self, record: Record, now: Timestamp) -> Result<State, WireError> {
        if !media::is_blob_bytes(record.bytes) {
            return Err(ErrorCode::Malformed.into());
        }
        let most = media::Plan::of(self.allowance.file_bytes)?;
        if record.bytes > most.blob_bytes() {
            return Err(WireError::with_value(ErrorCode::TooLarge, self.allowance.file_bytes));
        }
        let mut held = self.lock();
        if let Some(known) = held.blobs.get(&record.blob) {
            let same = Record { begun: known.record.begun, ..record } == known.record;
            return if same { Ok(known.state) } else { Err(ErrorCode::Conflict.into()) };
        }
        let counted = counted(&record);
        let of_account = held.of_account.get(&record.account).copied().unwrap_or_default();
        let full = of_account.saturating_add(counted) > self.allowance.account_bytes
            || held.bytes.saturating_add(counted) > self.allowance.domain_bytes;
        if full {
            return Err(ErrorCode::Quota.into());
        }
        let state = State { received: 0, complete: false };
        let blob = record.blob;
        held.add(Blob { record: record.clone(), state, touched: now });
        held.occupy(&blob)?;
        drop(held);
        let made = self.store.create(&record);
        let mut held = self.lock();
        held.busy.remove(&blob);
        if let Err(error) = made {
            held.remove(&blob);
            return Err(refusal(&error).into());
        }
        Ok(state)
    }

    /// [MEDIA-14] Adds bytes to a blob of this account; when the last of them are there, it is complete.
    ///
    /// # Errors
    /// `NotFound` if the account has not begun it; `TooLarge` or `Malformed` for a piece that cannot
    /// be of it; `Conflict` if it does not begin where the blob ends here; `BadSignature` if the whole
    /// is not what was announced, and it is forgotten then; `RateLimited`, `StorageFull`, `Internal`.
    pub fn append(
        &self,
        (account, blob): (&Account, &BlobId),
        offset: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<State, WireError> {
        let mut held = self.lock();
        let known = held.blobs.get(blob).filter(|known| known.record.account == *account);
        let known = known.ok_or(ErrorCode::NotFound)?;
        let (state, record) = (known.state, known.record.clone());
        match check_piece(&record, state, offset, bytes.len()) {
            Ok(true) => {}
            // It is here already: the answer to it was lost.
            Ok(false) => return Ok(state),
            Err(code) => return Err(code.into()),
        }
        held.occupy(blob)?;
        drop(held);
        let outcome = self.write(&record, state.received, bytes);
        let mut held = self.lock();
        held.busy.remove(blob);
        match outcome {
            Ok(state) => {
                if let Some(known) = held.blobs.get_mut(blob) {
                    known.state = state;
                    known.touched = now;
                }
                Ok(state)
            }
            // Nothing is lost of what was acknowledged before, and the next try begins there.
            Err(code @ (ErrorCode::StorageFull | ErrorCode::Quota)) => Err(code.into()),
            Err(code) => {
                held.remove(blob);
                drop(held);
                if let Err(error) = self.store.remove(blob) {
                    tracing::warn!(%error, "a blob that is of no use could not be removed");
                }
                Err(code.into())
            }
        }
    }

    fn write(&self, record: &Record, received: u64, bytes: &[u8]) -> Result<State, ErrorCode> {
        self.store.append(&record.blob, received, bytes).map_err(|error| refusal(&error))?;
        let received = received + bytes.len() as u64;
        if received < record.bytes {
            return Ok(State { received, complete: false });
        }
        let digest = self.store.digest(&record.blob).map_err(|error| refusal(&error))?;
        if digest != record.hash {
            return Err(ErrorCode::BadSignature);
        }
        self.store.finish(&record.blob).map_err(|error| refusal(&error))?;
        Ok(State { received, complete: true })
    }

    /// [MEDIA-12] A piece of a complete blob of this room.
    ///
    /// # Errors
    /// `NotFound` for one that is not here, not complete, over, or of another room: they cannot be
    /// told apart. `Malformed` for an offset behind its end, `Internal`.
    pub fn read(
        &self,
        (room, blob): (&RoomId, &BlobId),
        offset: u64,
        length: usize,
        now: Timestamp,
    ) -> Result<BlobPiece, ErrorCode> {
        let total = {
            let held = self.lock();
            let known = held.blobs.get(blob).ok_or(ErrorCode::NotFound)?;
            let there = known.state.complete && known.record.room == *room && !self.is_over(known, now);
            if !there {
                return Err(ErrorCode::NotFound);
            }
            known.record.bytes
        };
        if offset >= total {
            return Err(ErrorCode::Malformed);
        }
        let left = usize::try_from(total - offset).unwrap_or(usize::MAX);
        let length = length.clamp(1, limits::MEDIA_PIECE_BYTES_MAX).min(left);
        let bytes = self.store.read(blob, offset, length).map_err(|error| refusal(&error))?;
        if bytes.len() != length {
            tracing::error!(%blob, "a blob is shorter than it was");
            return Err(ErrorCode::Internal);
        }
        Ok(BlobPiece { offset, bytes: bytes.into(), total })
    }

    /// [MEDIA-11] Removes what is over, and what was begun and does not grow.
    pub fn sweep(&self, now: Timestamp) {
        let mut held = self.lock();
        let over = held.blobs.iter().filter(|(blob, known)| {
            !held.busy.contains(*blob) && (self.is_over(known, now) || is_given_up(known, now))
        });
        let over: Vec<BlobId> = over.map(|(blob, _)| *blob).collect();
        for blob in &over {
            held.remove(blob);
        }
        drop(held);
        for blob in &over {
            if let Err(error) = self.store.remove(blob) {
                tracing::warn!(%error, "a blob that is over could not be removed; the next start does it");
            }
        }
        if !over.is_empty() {
            tracing::info!(blobs = over.len(), "files that are over were removed");
        }
    }

    /// How much is kept.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let held = self.lock();
        Usage { blobs: held.blobs.len() as u64, bytes: held.bytes, unreadable: held.unreadable }
    }

    fn is_over(&self, blob: &Blob, now: Timestamp) -> bool {
        now.since_ms(blob.record.begun) >= self.allowance.valid_s.saturating_mul(1_000)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, blob: Blob) {
        let counted = counted(&blob.record);
        self.bytes = self.bytes.saturating_add(counted);
        *self.of_account.entry(blob.record.account.clone()).or_default() += counted;
        self.blobs.insert(blob.record.blob, blob);
    }

    fn remove(&mut self, blob: &BlobId) {
        let Some(blob) = self.blobs.remove(blob) else { return };
        let counted = counted(&blob.record);
        self.bytes = self.bytes.saturating_sub(counted);
        if let Some(bytes) = self.of_account.get_mut(&blob.record.account) {
            *bytes = bytes.saturating_sub(counted);
            if *bytes == 0 {
                self.of_account.remove(&blob.record.account);
            }
        }
    }

    fn occupy(&mut self, blob: &BlobId) -> Result<(), WireError> {
        if self.busy.insert(*blob) {
            return Ok(());
        }
        Err(WireError { code: ErrorCode::RateLimited, retry_after_ms: BUSY_MS, value: 0 })
    }
}

/// How far a blob is that was found; `None` if it is not what was announced, and gone. It may have ended
/// between the last piece and what follows from it, and no piece would come any more.
fn settled(store: &dyn Store, found: &Found) -> io::Result<Option<State>> {
    let record = &found.record;
    if found.complete || found.received != record.bytes {
        return Ok(Some(State { received: found.received, complete: found.complete }));
    }
    if store.digest(&record.blob)? != record.hash {
        store.remove(&record.blob)?;
        return Ok(None);
    }
    store.finish(&record.blob)?;
    Ok(Some(State { received: found.received, complete: true }))
}

const fn counted(record: &Record) -> u64 {
    if record.bytes < COUNTED_BYTES_MIN { COUNTED_BYTES_MIN } else { record.bytes }
}

fn is_given_up(blob: &Blob, now: Timestamp) -> bool {
    !blob.state.complete && now.since_ms(blob.touched) >= limits::MEDIA_UNFINISHED_S * 1_000
}

/// Whether the piece is to be written; it is not if all of it is here.
fn check_piece(record: &Record, state: State, offset: u64, length: usize) -> Result<bool, ErrorCode> {
    if length == 0 {
        return Err(ErrorCode::Malformed);
    }
    if length > limits::MEDIA_PIECE_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    match offset.checked_add(length as u64) {
        Some(end) if end <= state.received => Ok(false),
        // Every piece is a write that has to reach the disk: a blob is not to be had of crumbs.
        Some(end) if end < record.bytes && offset == state.received && length < limits::MEDIA_CHUNK_BYTES => {
            Err(ErrorCode::Malformed)
        }
        Some(end) if end <= record.bytes && offset == state.received => Ok(true),
        Some(end) if end <= record.bytes => Err(ErrorCode::Conflict),
        _ => Err(ErrorCode::Malformed),
    }
}

/// What the asker is told when the device fails.
fn refusal(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
        _ => {
            tracing::error!(%error, "the device that holds files failed");
            ErrorCode::Internal
        }
    }
}
