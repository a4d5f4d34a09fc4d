//! The one way in which two programs of this protocol speak TLS: version 1.3, key exchange
//! X25519MLKEM768, raw Ed25519 public keys (RFC 7250), no certificates and no resumption
//! (`spec/02-frames.md`). Whose key it is, the application decides after the handshake.

mod alpn;
mod config;
mod raw_key;
mod signer;
#[cfg(test)]
mod tests;
mod verifier;

pub use alpn::{ALPN_CLIENT, ALPN_FEDERATION};
pub use config::{client_config, server_config};
pub use identity::{PublicKey, SecretKey};
pub use raw_key::peer_key;
