//! Runs the check `header_set` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/header_set.rs"]
mod header_set;

libfuzzer_sys::fuzz_target!(|data: &[u8]| header_set::check(data));
