//! The corpora of the fuzz targets of decisions, of kept records and of the trail, under the same checks on every run of the tests.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../../../../fuzz/checks/decide.rs"]
mod decide;
#[path = "../../../../fuzz/checks/store_record.rs"]
mod store_record;
#[path = "../../../../fuzz/checks/trail.rs"]
mod trail;

/// Runs a check on all that the fuzzer found worth keeping.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        let outcome = catch_unwind(|| check(&data));
        assert!(outcome.is_ok(), "{target}: {}", path.display());
        count += 1;
    }
    assert!(count >= 10, "{target}: only {count} inputs");
}

#[test]
fn decide_holds() {
    replay("decide", decide::check);
}

#[test]
fn store_record_holds() {
    replay("store_record", store_record::check);
}

#[test]
fn trail_holds() {
    replay("trail", trail::check);
}
