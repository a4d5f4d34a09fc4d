//! The shape of a message, checked before it is decoded: one pass over the bytes, guided by tables
//! that are generated from `spec/proto`, without allocation. A decoder alone would let the last of
//! several values win, so that two programs could read one message differently, and would build
//! whatever structure the bytes ask for.

use std::str;

use crate::{ErrorCode, limits, proto};

include!(concat!(env!("OUT_DIR"), "/shapes.rs"));

/// A message whose shape is known: every message of `spec/proto`.
pub trait Frame: prost::Message + Default {
    /// Its fields.
    const SHAPE: &'static Shape;
}

/// The fields of a message; field number 1 is at index 0.
#[derive(Debug)]
pub struct Shape {
    fields: &'static [Option<Field>],
}

#[derive(Clone, Copy, Debug)]
struct Field {
    kind: Kind,
    /// The bit that stands for it among the fields seen; `None` if it is repeated.
    place: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    U64,
    U32,
    Bool,
    Enum,
    Bytes,
    Text,
    Message(&'static Shape),
}

/// Checks that `bytes` are a message of this shape (`spec/02-frames.md`).
///
/// # Errors
/// `TooLarge` if repeated fields have more than `FRAME_ELEMENTS_MAX` elements in all, else
/// `Malformed`.
pub fn check(shape: &Shape, bytes: &[u8]) -> Result<(), ErrorCode> {
    Pass { unknown: 0, elements: 0 }.message(shape, bytes, 1)
}

/// What is counted over the whole of one frame.
struct Pass {
    unknown: usize,
    elements: usize,
}

impl Pass {
    fn message(&mut self, shape: &Shape, mut bytes: &[u8], depth: usize) -> Result<(), ErrorCode> {
        // [FRAME-6] Bounded depth also bounds this recursion.
        if depth > limits::FRAME_NESTING_MAX {
            return Err(ErrorCode::Malformed);
        }
        let mut seen = 0_u64;
        while !bytes.is_empty() {
            let (number, wire_type) = tag(&mut bytes)?;
            let known = number.checked_sub(1).and_then(|index| shape.fields.get(index));
            let Some(Some(field)) = known else {
                self.unknown += 1;
                // [FRAME-7]
                if self.unknown > limits::FRAME_UNKNOWN_FIELDS_MAX {
                    return Err(ErrorCode::Malformed);
                }
                skip(&mut bytes, wire_type)?;
                continue;
            };
            match field.place {
                Some(place) => {
                    // [FRAME-5] A field that is not repeated, and a oneof, stands at most once.
                    let bit = 1_u64 << place;
                    if seen & bit != 0 {
                        return Err(ErrorCode::Malformed);
                    }
                    seen |= bit;
                }
                None => {
                    // [FRAME-8]
                    self.elements += 1;
                    if self.elements > limits::FRAME_ELEMENTS_MAX {
                        return Err(ErrorCode::TooLarge);
                    }
                }
            }
            self.value(field.kind, wire_type, &mut bytes, depth)?;
        }
        Ok(())
    }

    fn value(&mut self, kind: Kind, wire_type: u8, bytes: &mut &[u8], depth: usize) -> Result<(), ErrorCode> {
        let numeric = matches!(kind, Kind::U64 | Kind::U32 | Kind::Bool | Kind::Enum);
        if wire_type != if numeric { VARINT } else { DELIMITED } {
            return Err(ErrorCode::Malformed);
        }
        let number_max = match kind {
            Kind::U64 => u64::MAX,
            Kind::U32 => u64::from(u32::MAX),
            Kind::Bool => 1,
            Kind::Enum => 0x7fff_ffff,
            Kind::Bytes => return delimited(bytes).map(|_| ()),
            Kind::Text => {
                let text = delimited(bytes)?;
                return str::from_utf8(text).map(|_| ()).map_err(|_| ErrorCode::Malformed);
            }
            Kind::Message(shape) => return self.message(shape, delimited(bytes)?, depth + 1),
        };
        // [FRAME-4]
        if varint(bytes)? <= number_max { Ok(()) } else { Err(ErrorCode::Malformed) }
    }
}

const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const DELIMITED: u8 = 2;
const FIXED_32: u8 = 5;

/// Field number, above zero, and wire type.
fn tag(bytes: &mut &[u8]) -> Result<(usize, u8), ErrorCode> {
    let tag = u32::try_from(varint(bytes)?).map_err(|_| ErrorCode::Malformed)?;
    let number = usize::try_from(tag >> 3).map_err(|_| ErrorCode::Malformed)?;
    if number == 0 { Err(ErrorCode::Malformed) } else { Ok((number, (tag & 7) as u8)) }
}

/// [FRAME-7] Passes over a field that is not known, whose value is not looked into.
fn skip(bytes: &mut &[u8], wire_type: u8) -> Result<(), ErrorCode> {
    match wire_type {
        VARINT => varint(bytes).map(|_| ()),
        FIXED_64 => take(bytes, 8).map(|_| ()),
        DELIMITED => delimited(bytes).map(|_| ()),
        FIXED_32 => take(bytes, 4).map(|_| ()),
        _ => Err(ErrorCode::Malformed),
    }
}

fn delimited<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], ErrorCode> {
    let count = usize::try_from(varint(bytes)?).map_err(|_| ErrorCode::Malformed)?;
    take(bytes, count)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], ErrorCode> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(ErrorCode::Malformed)?;
    *bytes = rest;
    Ok(taken)
}

/// [FRAME-4] A number in its shortest form: seven bits to a byte, least significant first.
fn varint(bytes: &mut &[u8]) -> Result<u64, ErrorCode> {
    if let Some((&byte @ ..0x80, rest)) = bytes.split_first() {
        *bytes = rest;
        return Ok(u64::from(byte));
    }
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(ErrorCode::Malformed)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if (shift == 63 && part > 1) || (byte == 0 && shift > 0) {
            return Err(ErrorCode::Malformed);
        }
        number |= part << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(ErrorCode::Malformed)
}

#[cfg(test)]
mod tests;
