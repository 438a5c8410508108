//! The rows that the project brings, and how they are found.

use portcullis_audit::library::{Library, Meaning, Segment, Symbol, Version};

/// Reads a path as rows write it, so that a test shows what code would have called.
fn segments(path: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    for piece in path.split('.') {
        let name = piece.trim_end_matches("()").trim_end_matches("[]");
        if !name.is_empty() {
            segments.push(Segment::Member(name));
        }
        let mut suffix = &piece[name.len()..];
        while let Some(rest) = suffix.strip_prefix("()") {
            segments.push(Segment::Call);
            suffix = rest;
        }
        if suffix == "[]" {
            segments.push(Segment::Index);
        }
    }
    segments
}

#[test]
fn builtin_loads() {
    let library = Library::builtin().expect("every file loads");
    assert!(!library.all().is_empty());
}

#[test]
fn a_row_is_found_in_its_versions_only() {
    let library = Library::builtin().expect("every file loads");
    let path = segments("auth()");
    let count = |version: Option<&str>| {
        let versions = |_: &str| version.and_then(Version::from_requirement);
        library
            .rows("@clerk/nextjs/server", &path, &versions)
            .filter(|found| matches!(found.row.meaning, Meaning::Caller(_)))
            .count()
    };
    assert!(count(Some("^5.1.0")) == 1);
    assert!(Symbol::parse("a..b()").is_err());
}
