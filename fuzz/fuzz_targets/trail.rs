//! Runs the check `trail` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/trail.rs"]
mod trail;

libfuzzer_sys::fuzz_target!(|data: &[u8]| trail::check(data));
