#![no_main]
//! Fuzzes `fuzz::peer_hello`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::peer_hello(bytes));
