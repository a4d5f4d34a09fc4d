//! Key packages: made by a device, checked by its node and by whoever adds it.

use bytes::Bytes;
use machine::{Entropy, Timestamp};
use openmls::prelude::{
    Extension, Extensions, KeyPackage, KeyPackageIn, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    OpenMlsProvider as _, ProtocolVersion, UnknownExtension, Welcome,
};
use tls_codec::{Deserialize as _, Serialize as _, Size as _};
use wire::{ErrorCode, limits};

use crate::{
    DeviceKeys, Leaf, Rows, fault,
    provider::{Crypto, DeviceSigner, Provider},
    reader::Reader,
    store::Store,
    suite,
};

/// How long before it was made a package is valid, for clocks that are behind.
const SLACK_S: u64 = 86_400;

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
    let one_time = (0..count).map(|_| false);
    one_time.chain(last_resort.then_some(true)).map(|last| make(keys, now, last, entropy)).collect()
}

/// Checks a package by itself: size, form, version, suite, validity, capabilities, both signatures.
///
/// # Errors
/// `TooLarge`, `Malformed`, `Unsupported` (version, suite, capabilities), `BadSignature`, `Expired`,
/// `ClockSkew` if it is not valid yet.
pub fn check_key_package(bytes: &[u8], now: Timestamp) -> Result<KeyPackageInfo, ErrorCode> {
    let crypto = Crypto::default();
    let package = parse(bytes, &crypto)?;
    let (not_before, not_after) = validity(&package)?;
    if now.as_s() >= not_after {
        return Err(ErrorCode::Expired);
    }
    if now.as_s() < not_before {
        return Err(ErrorCode::ClockSkew);
    }
    Ok(KeyPackageInfo {
        leaf: Leaf::of_node(0, package.leaf_node())?,
        hash: reference(&package, &crypto)?,
        not_after_s: not_after,
        last_resort: package.last_resort(),
    })
}

/// The references of the key packages that a Welcome is for, in its order: a device looks for one
/// of its own among them.
///
/// # Errors
/// `TooLarge`, `Malformed`, `Unsupported` for another suite.
pub fn welcome_targets(welcome: &[u8]) -> Result<Vec<[u8; 32]>, ErrorCode> {
    let welcome = parse_welcome(welcome)?;
    welcome
        .secrets()
        .iter()
        .map(|secrets| secrets.new_member().as_slice().try_into().map_err(|_| ErrorCode::Malformed))
        .collect()
}

pub(crate) fn parse_welcome(bytes: &[u8]) -> Result<Welcome, ErrorCode> {
    if bytes.len() > limits::WELCOME_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    let message = MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| ErrorCode::Malformed)?;
    match message.extract() {
        MlsMessageBodyIn::Welcome(welcome) if welcome.ciphersuite() == suite::SUITE => Ok(welcome),
        MlsMessageBodyIn::Welcome(_) => Err(ErrorCode::Unsupported),
        _ => Err(ErrorCode::Malformed),
    }
}

/// Everything but the time.
pub(crate) fn parse(bytes: &[u8], crypto: &Crypto) -> Result<KeyPackage, ErrorCode> {
    if bytes.len() > limits::KEY_PACKAGE_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    suite_of(bytes)?;
    let message = MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| ErrorCode::Malformed)?;
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
        return Err(ErrorCode::Malformed);
    };
    let package = validate(package, crypto)?;
    check_form(&package)?;
    Ok(package)
}

/// What no clock decides about a package whose signatures hold: the hub and every member check it
/// again when a commit adds it, for the committer may have had it from anywhere.
pub(crate) fn check_form(package: &KeyPackage) -> Result<Leaf, ErrorCode> {
    // As an MLSMessage: version and wire format stand before it.
    if package.tls_serialized_len() + 4 > limits::KEY_PACKAGE_BYTES_MAX {
        return Err(ErrorCode::TooLarge);
    }
    // [MLS-22]
    if *package.life_time() != suite::lifetime() {
        return Err(ErrorCode::Malformed);
    }
    validity(package)?;
    Leaf::of_node(0, package.leaf_node())
}

fn validate(package: KeyPackageIn, crypto: &Crypto) -> Result<KeyPackage, ErrorCode> {
    package.validate(crypto, ProtocolVersion::Mls10).map_err(|error| fault::key_package(&error))
}

// [MLS-1] Before the whole is parsed: a package of another suite is no fault of its maker.
fn suite_of(bytes: &[u8]) -> Result<(), ErrorCode> {
    let mut reader = Reader::new(bytes);
    let (outer, wire_format, inner) = (reader.u16()?, reader.u16()?, reader.u16()?);
    if wire_format != 5 {
        return Err(ErrorCode::Malformed);
    }
    if (outer, inner, reader.u16()?) != (1, 1, suite::SUITE_NUMBER) {
        return Err(ErrorCode::Unsupported);
    }
    Ok(())
}

// [MLS-21]
fn validity(package: &KeyPackage) -> Result<(u64, u64), ErrorCode> {
    let own = |extension: &Extension| {
        matches!(extension, Extension::LastResort(_) | Extension::Unknown(suite::KEY_PACKAGE_VALIDITY, _))
    };
    if !package.extensions().iter().all(own) {
        return Err(ErrorCode::Unsupported);
    }
    let extension = package.extensions().unknown(suite::KEY_PACKAGE_VALIDITY);
    let mut reader = Reader::new(&extension.ok_or(ErrorCode::Malformed)?.0);
    let (not_before, not_after) = (reader.u64()?, reader.u64()?);
    reader.end()?;
    let valid_s = not_after.checked_sub(not_before).ok_or(ErrorCode::Malformed)?;
    if valid_s == 0 || valid_s > limits::KEY_PACKAGE_VALID_S + SLACK_S {
        return Err(ErrorCode::Malformed);
    }
    Ok((not_before, not_after))
}

fn reference(package: &KeyPackage, crypto: &Crypto) -> Result<[u8; 32], ErrorCode> {
    let reference = package.hash_ref(crypto).map_err(|_| ErrorCode::Internal)?;
    reference.as_slice().try_into().map_err(|_| ErrorCode::Internal)
}

fn make(
    keys: &DeviceKeys,
    now: Timestamp,
    last_resort: bool,
    entropy: &mut dyn Entropy,
) -> Result<OwnKeyPackage, ErrorCode> {
    let provider = Provider::with_store(Store::default());
    provider.seed(entropy);
    let mut valid = Vec::with_capacity(16);
    valid.extend_from_slice(&now.as_s().saturating_sub(SLACK_S).to_be_bytes());
    valid.extend_from_slice(&now.as_s().saturating_add(limits::KEY_PACKAGE_VALID_S).to_be_bytes());
    let validity = Extension::Unknown(suite::KEY_PACKAGE_VALIDITY, UnknownExtension(valid));
    let mut builder = KeyPackage::builder()
        .key_package_lifetime(suite::lifetime())
        .key_package_extensions(Extensions::single(validity).map_err(|_| ErrorCode::Internal)?)
        .leaf_node_capabilities(suite::capabilities());
    if last_resort {
        builder = builder.mark_as_last_resort();
    }
    let bundle = builder
        .build(suite::SUITE, &provider, &DeviceSigner(&keys.secret), keys.credential())
        .map_err(|_| ErrorCode::Internal)?;
    let package = bundle.key_package();
    let message = MlsMessageOut::from(package.clone());
    Ok(OwnKeyPackage {
        bytes: message.tls_serialize_detached().map_err(|_| ErrorCode::Internal)?.into(),
        hash: reference(package, provider.crypto())?,
        last_resort,
        rows: provider.store().rows(),
    })
}
