//! Runs the check `host_name` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/host_name.rs"]
mod host_name;

libfuzzer_sys::fuzz_target!(|data: &[u8]| host_name::check(data));
