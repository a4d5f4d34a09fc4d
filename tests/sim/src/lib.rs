//! The whole federation in one thread, from one seed: the real nodes over disks in memory, the real
//! engines of the devices, and between them a network that delays, reorders, cuts and partitions.
//! Machines die at any write. The checkers know the promises of `spec/architecture.md` and nothing
//! of the code that keeps them.
//!
//! - `cargo test -p sim` plays the conversations in `scenarios/` and 200 random runs (`SIM_SEEDS`
//!   changes the number);
//! - `cargo run --release -p sim -- --seeds 5000` plays more, `-- --seed 17` plays one again and
//!   prints what happened;
//! - `UPDATE_EXPECT=1 cargo test -p sim` rewrites the transcripts in `scenarios/`.

#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a simulator ends at the first thing that is not as it should be"
)]

pub mod checker;
pub mod device;
pub mod fault;
pub mod history;
pub mod network;
pub mod node;
pub mod schedule;
pub mod script;
pub mod setup;
pub mod show;
pub mod workload;
pub mod world;

pub use world::World;
