//! Who is who: domain documents and their chain, account bindings, device lists, device
//! certificates, session proofs, tickets and key files (`spec/03-identity.md`). This crate
//! decides whether a statement holds; it reads no file, no clock and no socket.

pub mod account_keys;
pub mod binding;
pub mod certificate;
pub mod chain;
pub mod device_list;
pub mod document;
pub mod domain_keys;
#[cfg(test)]
mod fixture;
pub mod invite;
pub mod key_file;
pub mod leaf;
pub mod peering;
pub mod safety_number;
pub mod sealed_key;
pub mod session;
mod validity;

pub use account_keys::{AccountView, check_account_keys, check_enrolment};
pub use binding::AccountBinding;
pub use certificate::DeviceCertificate;
pub use chain::Chain;
pub use device_list::DeviceList;
pub use document::{DocumentFields, DomainDocument, DomainKey, fingerprint};
pub use domain_keys::DomainKeys;
pub use invite::Ticket;
pub use key_file::{KeyFileError, KeyKind};
pub use leaf::{check_leaf, check_leaf_form};
pub use peering::PeeringTicket;
pub use safety_number::safety_number;
pub use sealed_key::{SealedKey, SealedKeyError};

pub use wire::proto::{AccountMode, KeyUse};
pub use wire::{PublicKey, SecretKey};
