//! Runs the check `event_line` on whatever libFuzzer makes.
#![no_main]

#[path = "../checks/event_line.rs"]
mod event_line;

libfuzzer_sys::fuzz_target!(|data: &[u8]| event_line::check(data));
