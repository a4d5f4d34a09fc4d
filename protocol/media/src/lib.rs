//! Files as they leave a device: padded, cut into chunks, and each chunk encrypted in its place
//! (`spec/09-media.md`). This crate knows bytes and lengths; it reads no file and asks no node.

mod cipher;
mod name;
mod plan;

pub use cipher::{Cipher, FileKey, HEADER_BYTES};
pub use name::{to_save, to_send};
pub use plan::{Plan, is_blob_bytes, padded};
