#![no_main]
//! Fuzzes `fuzz::bot_action`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::bot_action(bytes));
