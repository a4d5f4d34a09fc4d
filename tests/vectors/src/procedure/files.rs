//! Files on their way (`spec/09-media.md`).

use media::{Cipher, FileKey, HEADER_BYTES, Plan};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wire::{BlobId, ErrorCode, RoomId};

use super::{Outcome, named};
use crate::field::{self, Read};

/// What the length of a blob is, by the size of the file in it.
pub(super) fn blob_length(input: &Value) -> Read<Outcome> {
    let size = field::number(input, "size")?;
    Ok(named(Plan::of(size).map(
        |plan| json!({ "padded": media::padded(size), "chunks": plan.chunks(), "blob": plan.blob_bytes() }),
    )))
}

/// Whether some file has a blob of this length.
pub(super) fn blob(input: &Value) -> Read<Outcome> {
    let bytes = field::number(input, "bytes")?;
    Ok(if media::is_blob_bytes(bytes) { Ok(json!({})) } else { Err(ErrorCode::Malformed.name().to_owned()) })
}

fn cipher(input: &Value, header: &[u8]) -> Read<Result<Cipher, ErrorCode>> {
    let key = FileKey::try_from(field::bytes(input, "key")?.as_slice())?;
    let room: RoomId = field::text(input, "room")?.parse()?;
    let blob = BlobId::new(field::array(input, "blob")?);
    Ok(Cipher::to_open(&key, (&room, &blob), field::number(input, "size")?, header))
}

/// One chunk in its place.
pub(super) fn file_chunk(input: &Value) -> Read<Outcome> {
    let cipher = cipher(input, &field::bytes(input, "header")?)?;
    let (index, chunk) = (field::number(input, "index")?, field::bytes(input, "chunk")?);
    let opened = cipher.and_then(|cipher| cipher.open(index, chunk));
    Ok(named(
        opened.map(|bytes| json!({ "bytes": bytes.len(), "sha256": field::hex(Sha256::digest(bytes)) })),
    ))
}

/// A whole blob, and what the message says of it.
pub(super) fn file(input: &Value) -> Read<Outcome> {
    let (bytes, hash) = (field::bytes(input, "bytes")?, field::array::<32>(input, "hash")?);
    let (header, mut rest) = bytes.split_at_checked(HEADER_BYTES).unwrap_or((&bytes, &[]));
    let cipher = cipher(input, header)?;
    let run = || -> Result<Value, ErrorCode> {
        let cipher = cipher?;
        let plan = *cipher.plan();
        if plan.blob_bytes() != bytes.len() as u64 {
            return Err(ErrorCode::Malformed);
        }
        let mut file = Vec::new();
        for index in 0..plan.chunks() {
            let (chunk, behind) =
                rest.split_at_checked(plan.sealed_bytes(index)).ok_or(ErrorCode::Malformed)?;
            file.extend(cipher.open(index, chunk.to_vec())?);
            rest = behind;
        }
        // [MEDIA-4]
        if <[u8; 32]>::from(Sha256::digest(&bytes)) != hash {
            return Err(ErrorCode::BadSignature);
        }
        Ok(json!({ "sha256": field::hex(Sha256::digest(file)) }))
    };
    Ok(named(run()))
}

/// The name of a file.
pub(super) fn file_name(input: &Value) -> Read<Outcome> {
    let name = field::text(input, "text")?;
    Ok(named(wire::text::check_file_name(name).map(|()| json!({}))))
}
