#![no_main]
//! Fuzzes `fuzz::session`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::session(bytes));
