#![no_main]
//! Fuzzes `fuzz::frame`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::frame(bytes));
