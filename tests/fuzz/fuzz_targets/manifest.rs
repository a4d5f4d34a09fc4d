#![no_main]
//! Fuzzes `fuzz::manifest`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::manifest(bytes));
