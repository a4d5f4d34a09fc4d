#![no_main]
//! Fuzzes `fuzz::stream`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::stream(bytes));
