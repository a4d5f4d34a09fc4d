#![no_main]
//! Fuzzes `fuzz::content`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::content(bytes));
