//! The log of what administrators did and of what concerns the security of the domain.

use bytes::Bytes;

/// One entry. Key: `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place: 1, 2, 3 ...
    pub seq: u64,
    /// Encoded `AuditEntry`: the exact bytes that the next entry's `prev_hash` is of.
    pub entry: Bytes,
}
