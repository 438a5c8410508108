//! Says which sources the program is made of: what another program kept is not believed.

use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut hash = DefaultHasher::new();
    for part in ["audit", "code", "policy", "report"] {
        let folder = root.join(part).join("src");
        println!("cargo::rerun-if-changed={}", folder.display());
        add(&folder, &mut hash);
    }
    // The parser is another program's.
    let lock = root.join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    hash.write(&std::fs::read(lock).unwrap_or_default());
    println!("cargo::rustc-env=PORTCULLIS_SOURCES={:016x}", hash.finish());
}

/// Adds every file below a folder, in one order.
fn add(folder: &Path, hash: &mut DefaultHasher) {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            add(&path, hash);
        } else {
            hash.write(path.file_name().unwrap_or_default().as_encoded_bytes());
            hash.write(&std::fs::read(&path).unwrap_or_default());
        }
    }
}
