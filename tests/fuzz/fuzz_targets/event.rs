#![no_main]
//! Fuzzes `fuzz::event`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::event(bytes));
