//! The file `seal`: how the directory is protected, and the master key, wrapped.

use bytes::Bytes;
use prost::Message as _;

use super::{Key, Protection, cost::Cost, keys};

/// The bytes of an id or a salt.
pub(super) const ID_BYTES: usize = 16;
const VERSION: u32 = 1;
const BOUND: &[u8] = b"comity/v1/seal/wrap\0";

/// The file as it stands on the disk.
#[derive(Clone, PartialEq, prost::Message)]
struct WrapFile {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    protection: u32,
    #[prost(bytes = "bytes", tag = "3")]
    id: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    salt: Bytes,
    #[prost(uint32, tag = "5")]
    memory_kib: u32,
    #[prost(uint32, tag = "6")]
    passes: u32,
    #[prost(bytes = "bytes", tag = "7")]
    sealed: Bytes,
}

/// How the key that wraps the master key is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// argon2id makes it from a passphrase.
    Passphrase { salt: [u8; ID_BYTES], cost: Cost },
    /// The system's keyring holds it.
    Keyring,
    /// It stands in the key file.
    File,
}

/// A wrapped master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrap {
    /// Names the key that wraps, so that it is not taken for another directory's.
    pub(super) id: [u8; ID_BYTES],
    /// How it is had.
    pub(super) how: How,
    sealed: Bytes,
}

impl Wrap {
    /// Wraps the master key.
    pub(super) fn new(id: [u8; ID_BYTES], how: How, with: &Key, master: &Key) -> Option<Self> {
        let bound = bound(&id, how);
        let sealed = with.sealer().seal(keys::nonce(), &bound, &[master.bytes()])?;
        Some(Self { id, how, sealed: sealed.into() })
    }

    /// The master key; `None` if that is not the key that wraps it, or the file is not what was
    /// written. Which of the two cannot be told.
    pub(super) fn open(&self, with: &Key) -> Option<Key> {
        let master = with.sealer().open(&bound(&self.id, self.how), &self.sealed)?;
        Key::from_bytes(&master)
    }

    /// How the directory is protected.
    pub(super) const fn protection(&self) -> Protection {
        match self.how {
            How::Passphrase { .. } => Protection::Passphrase,
            How::Keyring => Protection::Keyring,
            How::File => Protection::File,
        }
    }

    /// The bytes of the file.
    pub(super) fn encode(&self) -> Vec<u8> {
        WrapFile { sealed: self.sealed.clone(), ..header(&self.id, self.how) }.encode_to_vec()
    }

    /// Reads the file. Everything that costs something later is within its bounds afterwards.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let file = WrapFile::decode(bytes).map_err(|_| "it is damaged")?;
        if file.version != VERSION {
            return Err("it was written by another version of this program");
        }
        let id = file.id.as_ref().try_into().map_err(|_| "its id is damaged")?;
        let how = match file.protection {
            1 => How::Passphrase {
                salt: file.salt.as_ref().try_into().map_err(|_| "its salt is damaged")?,
                cost: Cost::new(file.memory_kib, file.passes).ok_or("its cost is out of bounds")?,
            },
            2 => How::Keyring,
            3 => How::File,
            _ => return Err("it names a protection that is not known"),
        };
        if file.sealed.len() != keys::SEAL_BYTES + Key::BYTES {
            return Err("its key is damaged");
        }
        let wrap = Self { id, how, sealed: file.sealed };
        // One form only: nothing may stand in it that the tag does not cover.
        if wrap.encode() == bytes { Ok(wrap) } else { Err("it is damaged") }
    }
}

/// Everything but the wrapped key.
fn header(id: &[u8; ID_BYTES], how: How) -> WrapFile {
    let blank = WrapFile { version: VERSION, id: Bytes::copy_from_slice(id), ..WrapFile::default() };
    match how {
        How::Passphrase { salt, cost } => WrapFile {
            protection: 1,
            salt: Bytes::copy_from_slice(&salt),
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            ..blank
        },
        How::Keyring => WrapFile { protection: 2, ..blank },
        How::File => WrapFile { protection: 3, ..blank },
    }
}

fn bound(id: &[u8; ID_BYTES], how: How) -> Vec<u8> {
    [BOUND, &header(id, how).encode_to_vec()].concat()
}
