//! Runs the check `store_record` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/store_record.rs"]
mod store_record;

libfuzzer_sys::fuzz_target!(|data: &[u8]| store_record::check(data));
