//! Runs the check `json_body` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/json_body.rs"]
mod json_body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| json_body::check(data));
