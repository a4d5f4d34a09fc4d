#![no_main]
//! Fuzzes `fuzz::node_config`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::node_config(bytes));
