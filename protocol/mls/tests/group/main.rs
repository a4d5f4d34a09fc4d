//! What rooms do with groups, with the hub watching: every test drives members and an observer through
//! the same log and compares them after each step.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics has failed, which is what it is for"
)]

mod commit_race;
mod damage;
mod lifecycle;
mod messages;
mod packages;
mod rejoin;
mod rogue;
mod walk;
mod world;
