//! What a domain does: the synchronous core of a node. [`Core`] takes inputs, decides with the rules
//! of `protocol/`, collects everything that one drain of the input queue writes into one
//! [`store::Batch`], and lets nothing out that was derived from it before it is durable. It knows no
//! socket, no clock and no runtime, so the simulator runs the very code that serves.
//!
//! The loop of a driver:
//!
//! 1. take one input, then up to `GROUP_COMMIT_INPUTS_MAX` more that are already waiting, and give
//!    them to [`Core::handle_all`];
//! 2. `while let Some(output) = core.poll()`: for [`Output::Persist`] commit the batch at once and
//!    report it with [`Core::persisted`] or [`Core::failed`]; everything else goes where it says;
//! 3. if an [`Output::WakeAt`] was given, feed [`Input::Tick`] at that time.

mod admin;
mod admit;
mod claim_gather;
mod config;
mod core;
mod dispatch;
mod drain;
mod fan_out;
mod group;
mod id;
mod input;
mod link_table;
mod media;
mod order;
mod output;
mod pace;
mod password;
mod peer;
mod ports;
mod presence;
mod pump;
mod quiet;
mod request;
mod restoring;
mod room_table;
mod roster;
mod seen;
mod send;
mod session;
mod token_bucket;
mod trace;
mod tries;
mod turn;
mod waiting;

pub use config::CoreConfig;
pub use core::Core;
pub use id::{AdminId, ConnId, MediaId, ProofId, RequestId, SessionId, StreamId};
pub use input::{Input, MediaAsk};
pub use output::{MediaGrant, Output};
pub use ports::{Authenticator, Kept, Question, Reply, Secret, Verdict};
pub use trace::TARGET as TRACE_TARGET;
pub use tries::Network;
