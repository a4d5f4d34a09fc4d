#![no_main]
//! Fuzzes `fuzz::name`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::name(bytes));
