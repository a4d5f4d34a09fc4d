#![no_main]
//! Fuzzes `fuzz::chain`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::chain(bytes));
