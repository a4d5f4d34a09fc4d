#![no_main]
//! Fuzzes `fuzz::member`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::member(bytes));
