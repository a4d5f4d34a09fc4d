#![no_main]
//! Fuzzes `fuzz::account`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::account(bytes));
