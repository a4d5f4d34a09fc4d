//! The protocols that are negotiated on the one UDP port.

/// Between a device and its home node (`spec/07-sync.md`).
pub const ALPN_CLIENT: &[u8] = b"comity-client/1";

/// Between the nodes of two domains (`spec/06-federation.md`).
pub const ALPN_FEDERATION: &[u8] = b"comity-federation/1";
