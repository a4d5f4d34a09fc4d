//! The rows. Times are milliseconds since 1970 unless a name says otherwise.

mod account;
mod audit;
mod peer;
mod room;

pub use account::{AccountRow, ClaimRow, DeviceRow, EntryRow, InvitationRow, KeyPackageRow, PasswordRow};
pub use audit::AuditRow;
pub use peer::{AnswerRow, DocumentRow, OutboxRow, PeerRow, QuarantineRow};
pub use room::{EventRow, MemberRow, PendingRow, ProgressRow, RoomRow};
