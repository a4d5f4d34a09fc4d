#![no_main]
//! Fuzzes `fuzz::statement`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::statement(bytes));
