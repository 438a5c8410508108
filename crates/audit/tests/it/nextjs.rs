//! What is found of Next.js applications: every fixture's own list, and what small programs say.

use std::path::Path;

use portcullis_audit::{
    discover::nextjs::{Discovered, discover},
    matcher::{Coverage, SampleKind},
    route::Route,
};
use portcullis_code::{
    machine::{Effect, Machine, Semantics},
    project::{Options, Project},
    value::{CallId, Value},
};

/// Nothing is known of any library.
struct Nothing;

impl Semantics for Nothing {
    fn call(&self, _: &mut Machine<'_>, _: CallId) -> Effect {
        Effect::Opaque
    }
}

fn on<T>(project: &Project, see: impl FnOnce(&mut Machine<'_>, Discovered) -> T) -> T {
    let mut machine = Machine::new(project, &Nothing);
    machine.load_all();
    let found = discover(&mut machine);
    see(&mut machine, found)
}

fn files(files: &[(&str, &str)]) -> Project {
    Project::from_files(
        files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect(),
    )
}

/// `GET /api/x file:line`, sorted.
fn lines(project: &Project, routes: &[Route]) -> Vec<String> {
    let mut lines: Vec<String> = routes
        .iter()
        .map(|route| {
            let (line, _) = project.position(route.site.module, route.site.span.start);
            let file = &project.module(route.site.module).file;
            format!("{} {} {file}:{line}", route.method, route.path)
        })
        .collect();
    lines.sort();
    lines
}

fn found(sources: &[(&str, &str)]) -> Vec<String> {
    let project = files(sources);
    on(&project, |_, found| lines(&project, &found.routes))
}

#[test]
fn every_fixture_is_found_as_it_says() {
    let edges = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/apps/edges");
    let mut seen = 0;
    for entry in std::fs::read_dir(&edges).expect("the fixtures") {
        let folder = entry.expect("an entry").path();
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("nextjs-") {
            continue;
        }
        let text = std::fs::read_to_string(folder.join("expected-routes.json")).expect("a list");
        let expected: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        let mut expected: Vec<String> = expected
            .iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().expect("text").to_owned();
                format!("{} {}", text("method"), text("path"))
            })
            .collect();
        expected.sort();
        let project = Project::open(&folder, &Options::default(), &|_, _| ()).expect("a project");
        let mut got: Vec<String> = on(&project, |_, found| {
            let rows = found.routes.iter();
            rows.map(|route| format!("{} {}", route.method, route.path))
                .collect()
        });
        got.sort();
        assert_eq!(got, expected, "{name}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen} fixtures");
}
