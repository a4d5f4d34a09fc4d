//! The rules of the link between two domains, as plain state and functions: who speaks, how items
//! are numbered, batched, acknowledged, answered and resumed, which of two connections is kept, and
//! when to try again (`spec/06-federation.md`). What the items mean is decided elsewhere; nothing
//! here opens a connection or reads a clock.

pub mod hello;
mod inbound;
mod outbound;
mod retry;
mod tie_break;

pub use inbound::Inbound;
pub use outbound::{Acked, Outbound};
pub use retry::{Retry, undeliverable_before};
pub use tie_break::{Dialler, Keep, tie_break};
