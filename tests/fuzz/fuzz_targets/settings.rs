#![no_main]
//! Fuzzes `fuzz::settings`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::settings(bytes));
