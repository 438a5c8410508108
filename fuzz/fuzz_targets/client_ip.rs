//! Runs the check `client_ip` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/client_ip.rs"]
mod client_ip;

libfuzzer_sys::fuzz_target!(|data: &[u8]| client_ip::check(data));
