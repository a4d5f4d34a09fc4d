#![no_main]
//! Fuzzes `fuzz::hook_report`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::hook_report(bytes));
