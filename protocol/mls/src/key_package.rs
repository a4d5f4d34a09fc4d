//! Key packages: made by a device, checked by its node and by whoever adds it.

use bytes::Bytes;
use machine::{Entropy, Timestamp};
use wire::ErrorCode;

use crate::{DeviceKeys, Leaf, Rows};

/// A key package of this device.
pub struct OwnKeyPackage {
    /// `MLSMessage(KeyPackage)`, to upload.
    pub bytes: Bytes,
    /// Its reference: a Welcome names it ([`welcome_targets`]).
    pub hash: [u8; 32],
    /// May be used for more than one room.
    pub last_resort: bool,
    /// Its private keys, to store until a Welcome uses them. To be deleted in the transaction that
    /// stores the joined room, unless it is the last resort.
    pub rows: Rows,
}

/// What a key package says.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPackageInfo {
    /// Whose it is; `index` is 0. To be checked with `identity::check_leaf`.
    pub leaf: Leaf,
    /// Its reference, unique to it.
    pub hash: [u8; 32],
    /// Not to be used from this second on.
    pub not_after_s: u64,
    /// May be used for more than one room.
    pub last_resort: bool,
}

/// Makes `count` one-time packages, and one last-resort package more if asked for, valid for
/// `KEY_PACKAGE_VALID_S`.
///
/// # Errors
/// `Internal`.
pub fn make_key_packages(
    keys: &DeviceKeys,
    now: Timestamp,
    count: usize,
    last_resort: bool,
    entropy: &mut dyn Entropy,
) -> Result<Vec<OwnKeyPackage>, ErrorCode> {
    let _ = (keys, now, count, last_resort, entropy);
    Err(ErrorCode::Internal)
}

/// Checks a package by itself: size, form, version, suite, lifetime, capabilities, both signatures.
///
/// # Errors
/// `TooLarge`, `Malformed`, `Unsupported` (version, suite, capabilities), `BadSignature`, `Expired`,
/// `ClockSkew` if it is not valid yet.
pub fn check_key_package(bytes: &[u8], now: Timestamp) -> Result<KeyPackageInfo, ErrorCode> {
    let _ = (bytes, now);
    Err(ErrorCode::Internal)
}

/// The references of the key packages that a Welcome is for, in its order: a device looks for one
/// of its own among them.
///
/// # Errors
/// `TooLarge`, `Malformed`, `Unsupported` for another suite.
pub fn welcome_targets(welcome: &[u8]) -> Result<Vec<[u8; 32]>, ErrorCode> {
    let _ = welcome;
    Err(ErrorCode::Internal)
}
