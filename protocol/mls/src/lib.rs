//! Everything that Comity asks of MLS (RFC 9420), in Comity's words: what a member's device does in
//! a room's group, and what the hub can check without reading anything (`spec/08-encryption.md`).
//! This is the only crate that names OpenMLS; its types end here. Nothing here stores or sends:
//! state comes in as rows and goes out as the difference to them.

pub mod content;
mod delta;
mod fault;
mod framing;
mod key_package;
mod leaf;
mod member;
mod observer;
mod provider;
mod reader;
mod rows;
mod store;
mod suite;

pub use framing::{Framing, framing};
pub use key_package::{KeyPackageInfo, OwnKeyPackage, check_key_package, make_key_packages, welcome_targets};
pub use leaf::{DeviceKeys, Leaf};
pub use member::{Change, CommitBundle, Member, Processed, StagedChange};
pub use observer::{Observed, ObservedProposal, Observer};
pub use rows::{RowChange, Rows};
