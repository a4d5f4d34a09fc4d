#![no_main]
//! Fuzzes `fuzz::seal`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::seal(bytes));
