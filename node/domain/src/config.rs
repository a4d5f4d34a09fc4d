//! What a core is told about itself when it is made.

use wire::{
    DomainName, SecretKey,
    proto::{ContactPolicy, Signed},
};

/// The identity and the policies of this domain.
pub struct CoreConfig {
    /// The domain that this node serves.
    pub domain: DomainName,
    /// This domain's own documents, oldest first, from seq 1 on.
    pub documents: Vec<Signed>,
    /// Signs room events where this domain is hub; listed in the newest document (`EVENT`).
    pub event_key: SecretKey,
    /// Signs account bindings; listed in the newest document (`BINDING`).
    pub binding_key: SecretKey,
    /// The contact policy of accounts that have not set their own.
    pub policy: ContactPolicy,
    /// Whether a password may enrol an account.
    pub passwords: bool,
    /// Whether its accounts are told who of them is here ([SYNC-32]).
    pub presence: bool,
    /// Shown by `comity status`: the program's version.
    pub version: String,
    /// Shown by `comity status`: the address that is listened on.
    pub listen: String,
}
