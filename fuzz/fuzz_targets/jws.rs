//! Runs the check `jws` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/jws.rs"]
mod jws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| jws::check(data));
