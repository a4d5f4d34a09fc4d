#![no_main]
//! Fuzzes `fuzz::key_file`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::key_file(bytes));
