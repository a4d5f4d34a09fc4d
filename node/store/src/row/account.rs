//! Accounts of this domain and what is kept for them.

use bytes::Bytes;
use wire::{
    Account, DeviceId, PublicKey, RoomId,
    proto::{AccountStanding, ContactPolicy},
};

/// One account of this domain. Key: `account`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The account.
    pub account: Account,
    /// SHA-256 of the one-time code; `None` once it was used.
    pub code_hash: Option<[u8; 32]>,
    /// The code is void from this time on.
    pub code_expires_ms: u64,
    /// Encoded `AccountKeys`; `None` until enrolled.
    pub keys: Option<Bytes>,
    /// Whom the account hears from in other domains.
    pub policy: ContactPolicy,
    /// What the administrator made of it.
    pub standing: AccountStanding,
    /// Since when it stands like that; 0 if it always has.
    pub standing_since_ms: u64,
}

/// What is kept of an account's password. Key: `account`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordRow {
    /// The account.
    pub account: Account,
    /// From which the password cannot be had; in the form of whoever judges it.
    pub kept: String,
}

impl std::fmt::Debug for PasswordRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PasswordRow(of {})", self.account)
    }
}

/// One device in the current device list of an account. Key: `account, device`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// The account.
    pub account: Account,
    /// The device.
    pub device: DeviceId,
    /// Its signature key.
    pub key: PublicKey,
    /// The position up to which the device has persisted its entries.
    pub cursor: u64,
}

/// One uploaded key package. Key: `account, device, hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackageRow {
    /// The account.
    pub account: Account,
    /// The device.
    pub device: DeviceId,
    /// SHA-256 of `package`.
    pub hash: [u8; 32],
    /// MLSMessage(KeyPackage).
    pub package: Bytes,
    /// Handed out again and again when no other is left.
    pub last_resort: bool,
    /// Seconds since 1970.
    pub not_after_s: u64,
    /// Handed out already (never true of a last-resort package).
    pub claimed: bool,
}

/// The answer to a claim, repeated for the same id. Key: `peer, claim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// The domain that asked, this one for its own devices.
    pub peer: wire::DomainName,
    /// The id that the asking device made.
    pub claim: [u8; 16],
    /// When.
    pub time_ms: u64,
    /// Encoded `ClaimedAccount` of this domain, one per account asked for, as `ClaimedKeyPackages`.
    pub answer: Bytes,
}

/// An entry of an account's sync stream that is not an event. Key: `position`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Its place in the domain's positions.
    pub position: u64,
    /// For all devices of this account.
    pub account: Account,
    /// For this device only, if set.
    pub device: Option<DeviceId>,
    /// Encoded `Entry`, without position.
    pub entry: Bytes,
}

/// An invitation that waits for the account's answer. Key: `account, room`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRow {
    /// Who is invited.
    pub account: Account,
    /// To which room.
    pub room: RoomId,
    /// Encoded `Join`.
    pub join: Bytes,
    /// When.
    pub time_ms: u64,
}
