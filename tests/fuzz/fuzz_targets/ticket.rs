#![no_main]
//! Fuzzes `fuzz::ticket`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::ticket(bytes));
