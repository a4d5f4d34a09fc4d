#![no_main]
//! Fuzzes `fuzz::join`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::join(bytes));
