#![no_main]
//! Fuzzes `fuzz::peering_ticket`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::peering_ticket(bytes));
