#![no_main]
//! Fuzzes `fuzz::group_view`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::group_view(bytes));
