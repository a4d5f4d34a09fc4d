//! Everything that Comity asks of MLS (RFC 9420), in Comity's words: what a member's device does in
//! a room's group, and what the hub can check without reading anything (`spec/08-encryption.md`).
//! This is the only crate that names OpenMLS; its types end here. Nothing here stores or sends:
//! state comes in as rows and goes out as the difference to them.
//!
//! Randomness is the entropy that each operation is given, with one exception: HPKE draws the
//! ephemeral keys of a commit's path and Welcome from the operating system. With the same entropy
//! key packages, foundings and messages come out byte for byte the same; commits to others differ
//! in bytes, and in nothing that is decided on them.

pub mod content;
mod delta;
mod fault;
mod framing;
mod group_view;
mod key_package;
mod leaf;
mod member;
mod observer;
mod provider;
mod reader;
mod rows;
mod store;
mod suite;

pub use framing::{Framing, ephemeral_framing, framing};
pub use group_view::{GroupView, confirmation};
pub use key_package::{KeyPackageInfo, OwnKeyPackage, check_key_package, make_key_packages, welcome_targets};
pub use leaf::{DeviceKeys, Leaf};
pub use member::{Change, CommitBundle, Entrance, Joined, Member, Processed, StagedChange};
pub use observer::{Observed, ObservedProposal, Observer};
pub use rows::{RowChange, Rows};
