#![no_main]
//! Fuzzes `fuzz::node_frames`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::node_frames(bytes));
