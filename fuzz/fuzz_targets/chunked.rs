//! Runs the check `chunked` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/chunked.rs"]
mod chunked;

libfuzzer_sys::fuzz_target!(|data: &[u8]| chunked::check(data));
