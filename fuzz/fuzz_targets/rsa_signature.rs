//! Runs the check `rsa_signature` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/rsa_signature.rs"]
mod rsa_signature;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rsa_signature::check(data));
