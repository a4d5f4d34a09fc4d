#![no_main]
//! Fuzzes `fuzz::observer`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::observer(bytes));
