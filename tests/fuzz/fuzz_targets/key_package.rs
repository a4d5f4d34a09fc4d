#![no_main]
//! Fuzzes `fuzz::key_package`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::key_package(bytes));
