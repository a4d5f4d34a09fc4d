#![no_main]
//! Fuzzes `fuzz::owner_socket`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::owner_socket(bytes));
