//! Runs the check `policy_file` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/policy_file.rs"]
mod policy_file;

libfuzzer_sys::fuzz_target!(|data: &[u8]| policy_file::check(data));
