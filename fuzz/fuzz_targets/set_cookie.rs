//! Runs the check `set_cookie` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/set_cookie.rs"]
mod set_cookie;

libfuzzer_sys::fuzz_target!(|data: &[u8]| set_cookie::check(data));
