//! Broken, cut and shuffled source: whatever it is, reading and running it ends, and what could not be read is named.

use std::path::{Path, PathBuf};

use portcullis_code::{
    machine::{Effect, Machine, Semantics},
    project::Project,
    value::CallId,
};

/// Everything foreign is opaque.
struct Opaque;

impl Semantics for Opaque {
    fn call(&self, _: &mut Machine<'_>, _: CallId) -> Effect {
        Effect::Opaque
    }
}

/// Every source file of the applications that serve as fixtures.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let entries = std::fs::read_dir(folder).expect("a folder");
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| {
                ["ts", "tsx", "js", "jsx", "mjs", "cjs"]
                    .iter()
                    .any(|e| end == *e)
            }) {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/apps"),
        &mut paths,
    );
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("text");
            (format!("app/{name}"), text)
        })
        .collect()
}

/// A small generator: the same sequence everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// One edit: something is cut out, doubled, moved, put in, or the rest is missing.
fn broken(text: &str, other: &str, random: &mut Random) -> String {
    const PIECES: [&str; 14] = [
        "(", ")", "{", "}", "`", "${", "=>", "async ", "await ", "...", "?.", "\u{0}", "/*",
        "\u{202e}",
    ];
    let bytes: Vec<char> = text.chars().collect();
    let (a, b) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
    let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 200));
    let part = |range: std::ops::Range<usize>| bytes[range].iter().collect::<String>();
    let (before, inside, after) = (part(0..from), part(from..to), part(to..bytes.len()));
    match random.below(6) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{inside}{inside}{after}"),
        2 => format!("{after}{inside}{before}"),
        3 => format!(
            "{before}{}{inside}{after}",
            PIECES[random.below(PIECES.len())]
        ),
        4 => before,
        _ => format!("{before}{other}{after}"),
    }
}

#[test]
fn broken_source_is_read_or_named() {
    let sources = sources();
    assert!(sources.len() > 100, "{} files", sources.len());
    let mut random = Random(42);
    let mut read = 0;
    let mut unread = 0;
    for (name, text) in &sources {
        for _ in 0..6 {
            let (_, other) = &sources[random.below(sources.len())];
            let mut wrong = broken(text, other, &mut random);
            for _ in 0..random.below(3) {
                wrong = broken(&wrong, other, &mut random);
            }
            let project = Project::from_files(vec![(name.clone(), wrong)]);
            if project.modules().is_empty() {
                assert!(
                    !project.unread().is_empty() || !project.skipped().is_empty(),
                    "{name} is neither read nor named"
                );
                unread += 1;
                continue;
            }
            read += 1;
            let mut machine = Machine::new(&project, &Opaque);
            machine.load_all();
        }
    }
    // Both happen, so that neither half is tested on nothing.
    assert!(read > 100 && unread > 100, "{read} read, {unread} not");
}
