//! The end-to-end-encrypted client as a machine: it decides what a device believes, stores, shows
//! and sends. A driver (`cli/client`, the simulator, later a browser) owns socket, clock and disk.
//!
//! The driver's loop is that of every machine here: `handle(now, input)` as often as there is
//! input, then `poll()` until it is empty.
//!
//! - [`Output::Persist`]: write all records of the list in **one** transaction, then hand in
//!   [`Input::Persisted`]. Whatever was derived from it, frames and notices alike, comes out of
//!   `poll` only afterwards (rule R3). Several inputs that are handled before a `poll` share one
//!   list: that is the group commit of a client.
//! - If the write fails, hand in [`Input::Failed`]; the engine forgets everything and stays silent.
//!   Open a new one from what the store holds (a rolled-back decryption cannot be repeated on the
//!   live object).
//! - [`Output::Recall`]: read a part of a timeline and hand it in with [`Input::Recalled`].
//! - [`Output::WakeAt`]: hand in [`Input::Tick`] at that time or later; the newest one replaces
//!   those before.
//!
//! `spec/07-sync.md` and `spec/08-encryption.md` say what is decided here.

mod command;
mod engine;
mod input;
mod intent;
mod notice;
mod output;
mod presence;
mod request;
mod room;
mod session;
mod stage;
mod sync;
mod trust;

pub mod device;
pub mod record;
pub mod view;

pub use command::{Command, CommandId, Target};
pub use engine::Engine;
pub use input::Input;
pub use notice::{Notice, Outcome, Warning};
pub use output::Output;
pub use record::{Record, Snapshot, Table};
