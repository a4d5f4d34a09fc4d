//! Values in the input of a case: texts, numbers, and bytes as lower-case hexadecimal digits.

use data_encoding::HEXLOWER;
use prost::Message;
use serde_json::Value;

/// The input of a case is not of the form that its procedure wants: a fault of the file.
pub(crate) type Read<T> = anyhow::Result<T>;

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

pub(crate) fn message(message: &impl Message) -> String {
    hex(message.encode_to_vec())
}

pub(crate) fn text<'a>(input: &'a Value, name: &str) -> Read<&'a str> {
    input.get(name).and_then(Value::as_str).ok_or_else(|| anyhow::anyhow!("no text {name:?}"))
}

pub(crate) fn number(input: &Value, name: &str) -> Read<u64> {
    input.get(name).and_then(Value::as_u64).ok_or_else(|| anyhow::anyhow!("no number {name:?}"))
}

pub(crate) fn bytes(input: &Value, name: &str) -> Read<Vec<u8>> {
    Ok(HEXLOWER.decode(text(input, name)?.as_bytes())?)
}

pub(crate) fn array<const N: usize>(input: &Value, name: &str) -> Read<[u8; N]> {
    <[u8; N]>::try_from(bytes(input, name)?).map_err(|_| anyhow::anyhow!("{name:?} is not {N} bytes"))
}

/// A protobuf message of the vector file itself, which is not what a case is about.
pub(crate) fn decoded<M: Message + Default>(input: &Value, name: &str) -> Read<M> {
    Ok(M::decode(bytes(input, name)?.as_slice())?)
}

pub(crate) fn list<M: Message + Default>(input: &Value, name: &str) -> Read<Vec<M>> {
    let values =
        input.get(name).and_then(Value::as_array).ok_or_else(|| anyhow::anyhow!("no list {name:?}"))?;
    values
        .iter()
        .map(|value| {
            let text = value.as_str().ok_or_else(|| anyhow::anyhow!("{name:?} holds no texts"))?;
            Ok(M::decode(HEXLOWER.decode(text.as_bytes())?.as_slice())?)
        })
        .collect()
}
