//! Runs the check `decide` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/decide.rs"]
mod decide;

libfuzzer_sys::fuzz_target!(|data: &[u8]| decide::check(data));
