#![no_main]
//! Fuzzes `fuzz::link`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::link(bytes));
