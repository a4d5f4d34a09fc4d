//! Who the device is, and how its node is recognised: what a login leaves behind.

use bytes::Bytes;
use engine::device::{DeviceKeys, Enrolment};
use identity::{DeviceCertificate, KeyKind};
use prost::Message as _;
use wire::{DeviceId, ErrorCode, proto};

use crate::{ClientError, home::Home, seal::SealedDir};

const PROFILE: &str = "profile";
const ENROLMENT: &str = "enrolment";
const ACCOUNT_KEY: &str = "account.key";
const DEVICE_KEY: &str = "device.key";

/// The file `profile`, and `enrolment` until the node has confirmed it.
#[derive(Clone, PartialEq, prost::Message)]
struct ProfileFile {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(bytes = "bytes", tag = "2")]
    device: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    fingerprint: Bytes,
    #[prost(string, repeated, tag = "4")]
    endpoints: Vec<String>,
    #[prost(message, optional, tag = "5")]
    keys: Option<proto::AccountKeys>,
    /// There is a database: one that is missing was taken away.
    #[prost(bool, tag = "6")]
    stored: bool,
}

/// A device that has logged in.
pub(crate) struct Profile {
    /// Where it belongs.
    pub(crate) home: Home,
    /// What it proves itself with.
    pub(crate) keys: DeviceKeys,
    /// Whether it has had a database.
    pub(crate) stored: bool,
}

impl Profile {
    /// Reads the profile of a directory.
    ///
    /// # Errors
    /// `NoDevice`, or `Storage` if a file is damaged or missing.
    pub(crate) fn load(dir: &SealedDir) -> Result<Self, ClientError> {
        let Some((file, mut home, device)) = read(dir, PROFILE)? else {
            return Err(ClientError::NoDevice(dir.dir().dir().to_owned()));
        };
        home.recall(dir)?;
        let secret = dir
            .read_key(DEVICE_KEY, KeyKind::Device)?
            .ok_or_else(|| ClientError::storage(dir.path(DEVICE_KEY), "it is missing"))?;
        let keys = file.keys.unwrap_or_default();
        let certificate = keys
            .certificates
            .iter()
            .find(|signed| DeviceCertificate::parse(signed).is_ok_and(|parsed| parsed.device() == device))
            .cloned();
        let (Some(binding), Some(certificate)) = (keys.binding, certificate) else {
            return Err(damaged(dir, PROFILE));
        };
        let keys = DeviceKeys { account: home.account.clone(), device, secret, binding, certificate };
        Ok(Self { home, keys, stored: file.stored })
    }

    /// Writes the profile of a finished login; from now on the directory is a device.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn save(
        dir: &SealedDir,
        home: &Home,
        device: DeviceId,
        keys: &proto::AccountKeys,
    ) -> Result<(), ClientError> {
        write(dir, PROFILE, home, device, keys)?;
        dir.remove(ENROLMENT)
    }

    /// Keeps in mind that there is a database from now on, which is on the disk.
    ///
    /// # Errors
    /// `NoDevice`, `Storage`.
    pub(crate) fn mark_stored(dir: &SealedDir) -> Result<(), ClientError> {
        let Some((file, _, _)) = read(dir, PROFILE)? else {
            return Err(ClientError::NoDevice(dir.dir().dir().to_owned()));
        };
        dir.write(PROFILE, &ProfileFile { stored: true, ..file }.encode_to_vec())
    }

    /// Keeps an enrolment that is not confirmed, so that a lost answer can be asked for again with
    /// the same keys.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn save_enrolment(
        dir: &SealedDir,
        home: &Home,
        enrolment: &Enrolment,
    ) -> Result<(), ClientError> {
        dir.write_key(ACCOUNT_KEY, KeyKind::Account, &enrolment.account_key)?;
        dir.write_key(DEVICE_KEY, KeyKind::Device, &enrolment.device_key)?;
        write(dir, ENROLMENT, home, enrolment.device, &enrolment.keys)
    }

    /// The enrolment that was begun in this directory for this home, if any.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn load_enrolment(dir: &SealedDir, home: &Home) -> Result<Option<Enrolment>, ClientError> {
        let Some((file, begun, device)) = read(dir, ENROLMENT)? else { return Ok(None) };
        let account_key = dir.read_key(ACCOUNT_KEY, KeyKind::Account)?;
        let device_key = dir.read_key(DEVICE_KEY, KeyKind::Device)?;
        let same = begun.account == home.account && begun.fingerprint == home.fingerprint;
        let (true, Some(account_key), Some(device_key), Some(keys)) =
            (same, account_key, device_key, file.keys)
        else {
            return Ok(None);
        };
        Ok(Some(Enrolment { account: begun.account, account_key, device, device_key, keys }))
    }
}

fn read(dir: &SealedDir, name: &str) -> Result<Option<(ProfileFile, Home, DeviceId)>, ClientError> {
    let Some(bytes) = dir.read(name)? else { return Ok(None) };
    let parse = || -> Result<_, ErrorCode> {
        let file = ProfileFile::decode(bytes.as_slice()).map_err(|_| ErrorCode::Malformed)?;
        let home = Home {
            account: file.account.parse()?,
            fingerprint: file.fingerprint.as_ref().try_into().map_err(|_| ErrorCode::Malformed)?,
            endpoints: file.endpoints.clone(),
            newest: None,
        };
        let device = DeviceId::try_from(file.device.as_ref())?;
        Ok((file, home, device))
    };
    parse().map(Some).map_err(|_| damaged(dir, name))
}

fn write(
    dir: &SealedDir,
    name: &str,
    home: &Home,
    device: DeviceId,
    keys: &proto::AccountKeys,
) -> Result<(), ClientError> {
    let file = ProfileFile {
        account: home.account.to_string(),
        device: device.to_bytes(),
        fingerprint: Bytes::copy_from_slice(&home.fingerprint),
        endpoints: home.endpoints.clone(),
        keys: Some(keys.clone()),
        stored: false,
    };
    dir.write(name, &file.encode_to_vec())
}

fn damaged(dir: &SealedDir, name: &str) -> ClientError {
    ClientError::storage(dir.path(name), "it is damaged")
}
