//! Runs the check `token_wish` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/token_wish.rs"]
mod token_wish;

libfuzzer_sys::fuzz_target!(|data: &[u8]| token_wish::check(data));
