//! The screen without a terminal: what stands on it, and what keys bring about.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod files;
mod keys;
mod layout;
mod stage;
