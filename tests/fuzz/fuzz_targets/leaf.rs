#![no_main]
//! Fuzzes `fuzz::leaf`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::leaf(bytes));
