//! A device's proof of itself, bound to the TLS session in which it is given.

use bytes::Bytes;
use machine::Timestamp;
use wire::proto::SessionHello;
use wire::{Account, DeviceId, ErrorCode, PublicKey, SecretKey, WireError, limits, signed};

/// The label of the TLS exporter whose 32 bytes are signed; its context is empty.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-comity-session";

const LABEL: &str = "comity/v1/SessionHello";

/// The proof for one TLS session.
#[must_use]
pub fn sign(
    device_key: &SecretKey,
    account: &Account,
    device: DeviceId,
    exporter: &[u8; 32],
    now: Timestamp,
) -> SessionHello {
    let signature = device_key.sign(&input(exporter, account, device, now.as_ms()));
    SessionHello {
        account: account.to_string(),
        device_id: device.to_bytes(),
        time_ms: now.as_ms(),
        signature: Bytes::copy_from_slice(&signature),
    }
}

/// Who a hello says it is from; the caller looks up that device's key.
///
/// # Errors
/// `Malformed`.
pub fn claim(hello: &SessionHello) -> Result<(Account, DeviceId), ErrorCode> {
    Ok((hello.account.parse()?, DeviceId::try_from(hello.device_id.as_ref())?))
}

/// [ID-18] Verifies a hello with the key of the device that it claims to be.
///
/// # Errors
/// `Malformed`; `AuthFailed` if the device's key did not sign it for this TLS session; `ClockSkew`
/// with the time here if the device's clock is off by more than `CLOCK_SKEW_MS`.
pub fn verify(
    hello: &SessionHello,
    device_key: &PublicKey,
    exporter: &[u8; 32],
    now: Timestamp,
) -> Result<(), WireError> {
    let (account, device) = claim(hello)?;
    device_key
        .verify(&input(exporter, &account, device, hello.time_ms), &hello.signature)
        .map_err(|_| ErrorCode::AuthFailed)?;
    if hello.time_ms.abs_diff(now.as_ms()) > limits::CLOCK_SKEW_MS {
        return Err(WireError::with_value(ErrorCode::ClockSkew, now.as_ms()));
    }
    Ok(())
}

/// `label ‖ 0 ‖ exporter ‖ account length (1 byte × 2) ‖ account ‖ device id ‖ time_ms`, numbers
/// most significant byte first.
fn input(exporter: &[u8; 32], account: &Account, device: DeviceId, time_ms: u64) -> Vec<u8> {
    let account = account.as_str().as_bytes();
    let mut body = Vec::with_capacity(32 + 2 + account.len() + 16 + 8);
    body.extend_from_slice(exporter);
    body.extend_from_slice(&u16::try_from(account.len()).unwrap_or(u16::MAX).to_be_bytes());
    body.extend_from_slice(account);
    body.extend_from_slice(device.as_bytes());
    body.extend_from_slice(&time_ms.to_be_bytes());
    signed::input(LABEL, &body)
}

#[cfg(test)]
mod tests;
