//! Runs the check `canon_path` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/canon_path.rs"]
mod canon_path;

libfuzzer_sys::fuzz_target!(|data: &[u8]| canon_path::check(data));
