//! Runs the check `api_key` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/api_key.rs"]
mod api_key;

libfuzzer_sys::fuzz_target!(|data: &[u8]| api_key::check(data));
