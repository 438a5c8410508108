//! The corpus of the fuzz target of signatures, under the same check on every run of the tests.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../../../../fuzz/checks/rsa_signature.rs"]
mod rsa_signature;

#[test]
fn rsa_signature_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/rsa_signature");
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        let outcome = catch_unwind(|| rsa_signature::check(&data));
        assert!(outcome.is_ok(), "rsa_signature: {}", path.display());
        count += 1;
    }
    assert!(count >= 10, "rsa_signature: only {count} inputs");
}
