//! What each fuzz target does with its bytes: decodes them as a stranger would send them, and checks
//! what must hold of whatever is accepted. Nothing here may panic but for a broken promise.

#![forbid(unsafe_code)]

pub mod corpus;
mod device;
mod files;
mod frames;
mod groups;
mod names;
mod peers;
mod people;
mod statements;

pub use device::node_frames;
pub use files::{bot_action, hook_report, manifest, node_config, owner_socket, seal, settings};
pub use frames::{frame, stream};
pub use groups::{content, group_view, join, key_package, member, observer};
pub use names::{key_file, name, peering_ticket, ticket};
pub use peers::{event, link, peer_hello};
pub use statements::{account, chain, leaf, session, statement};
