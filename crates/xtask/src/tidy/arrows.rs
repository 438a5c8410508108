//! The arrows of `ARCHITECTURE.md`: which crate of ours may use which, read from every manifest.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, TableLike};

use crate::{problem::Problem, tree::Tree};

/// A crate, and the crates of ours it may use.
struct Arrows {
    from: &'static str,
    uses: &'static [&'static str],
    /// Allowed in its tests as well, for what `uses` leaves out.
    in_tests: &'static [&'static str],
}

const ARROWS: &[Arrows] = &[
    Arrows {
        from: "policy",
        uses: &[],
        in_tests: &[],
    },
    Arrows {
        from: "report",
        uses: &["policy"],
        in_tests: &[],
    },
    Arrows {
        from: "code",
        uses: &[],
        in_tests: &[],
    },
    Arrows {
        from: "audit",
        uses: &["policy", "report", "code"],
        in_tests: &[],
    },
    Arrows {
        from: "rsa",
        uses: &[],
        in_tests: &[],
    },
    Arrows {
        from: "guard",
        uses: &["policy", "rsa"],
        in_tests: &[],
    },
    Arrows {
        from: "state",
        uses: &["policy", "guard"],
        in_tests: &[],
    },
    Arrows {
        from: "gateway",
        uses: &["policy", "guard", "state"],
        in_tests: &[],
    },
    Arrows {
        from: "catalogue",
        uses: &["policy"],
        in_tests: &[],
    },
    Arrows {
        from: "portcullis",
        uses: &[
            "policy",
            "report",
            "code",
            "audit",
            "guard",
            "state",
            "gateway",
            "catalogue",
        ],
        in_tests: &[],
    },
    Arrows {
        from: "xtask",
        uses: &[],
        in_tests: &[],
    },
];

/// Crates of others that only one crate of ours may use, by the beginning of their names.
const KEPT_IN: &[(&str, &str)] = &[("oxc_", "code"), ("sqlx", "state")];

/// Dependencies against the arrows, crates without a row, rows without a crate, crates that escape the lints.
pub(super) fn problems(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let shared = shared_names(tree, &mut problems);
    let manifests = manifests(tree, &mut problems);
    let ours: BTreeMap<String, &str> = manifests
        .iter()
        .filter_map(|(_, folder, manifest)| Some((package_name(manifest)?, *folder)))
        .collect();
    for (path, folder, manifest) in &manifests {
        let Some(arrows) = ARROWS.iter().find(|arrows| arrows.from == *folder) else {
            problems.push(Problem::new(
                path,
                format!("crate `{folder}` has no row in the table of arrows"),
            ));
            continue;
        };
        if !inherits_lints(manifest) {
            problems.push(Problem::new(
                path,
                "the lints of the workspace are not switched on: `[lints] workspace = true`",
            ));
        }
        for dependency in dependencies(manifest, &shared) {
            problems.extend(judge(path, arrows, &dependency, &ours));
        }
    }
    // An archive or a made tree may hold a part of the house; the whole house has all its rooms.
    if tree.has("ARCHITECTURE.md") {
        for arrows in ARROWS {
            if !manifests
                .iter()
                .any(|(_, folder, _)| *folder == arrows.from)
            {
                problems.push(Problem::new(
                    "ARCHITECTURE.md",
                    format!("crate `{}` has arrows and does not exist", arrows.from),
                ));
            }
        }
    }
    problems
}

fn judge(
    path: &str,
    arrows: &Arrows,
    dependency: &Dependency,
    ours: &BTreeMap<String, &str>,
) -> Option<Problem> {
    let name = dependency.package.as_str();
    if let Some(to) = ours.get(name) {
        let allowed =
            arrows.uses.contains(to) || (dependency.only_tests && arrows.in_tests.contains(to));
        let how = if dependency.only_tests {
            ", not even in tests"
        } else {
            ""
        };
        return (!allowed)
            .then(|| Problem::new(path, format!("`{}` may not use `{to}`{how}", arrows.from)));
    }
    let (_, keeper) = KEPT_IN.iter().find(|(start, _)| name.starts_with(start))?;
    (*keeper != arrows.from)
        .then(|| Problem::new(path, format!("only `{keeper}` may use `{name}`")))
}

/// One entry of a dependency table.
struct Dependency {
    /// The package's own name, whatever the manifest calls it.
    package: String,
    only_tests: bool,
}

fn dependencies(manifest: &DocumentMut, shared: &BTreeMap<String, String>) -> Vec<Dependency> {
    let mut found = tables(manifest.as_table(), shared);
    let targets = manifest.get("target").and_then(Item::as_table_like);
    for (_, target) in targets.into_iter().flat_map(TableLike::iter) {
        if let Some(target) = target.as_table_like() {
            found.extend(tables(target, shared));
        }
    }
    found
}

fn tables(holder: &dyn TableLike, shared: &BTreeMap<String, String>) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (name, only_tests) in [
        ("dependencies", false),
        ("build-dependencies", false),
        ("build_dependencies", false),
        ("dev-dependencies", true),
        ("dev_dependencies", true),
    ] {
        let table = holder.get(name).and_then(Item::as_table_like);
        for (key, entry) in table.into_iter().flat_map(TableLike::iter) {
            let package = if is_true(entry, "workspace") {
                shared.get(key).map_or(key, String::as_str)
            } else {
                renamed(entry).unwrap_or(key)
            };
            found.push(Dependency {
                package: package.to_owned(),
                only_tests,
            });
        }
    }
    found
}

/// What the workspace calls its dependencies, and what they are.
fn shared_names(tree: &Tree, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let manifest = tree.text("Cargo.toml").unwrap_or_default();
    let manifest: DocumentMut = match manifest.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            problems.push(Problem::new("Cargo.toml", one_line(&error)));
            return BTreeMap::new();
        }
    };
    let table = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Item::as_table_like);
    table
        .into_iter()
        .flat_map(TableLike::iter)
        .map(|(key, entry)| (key.to_owned(), renamed(entry).unwrap_or(key).to_owned()))
        .collect()
}

/// Path, folder name and contents of every member's manifest.
fn manifests<'t>(
    tree: &'t Tree,
    problems: &mut Vec<Problem>,
) -> Vec<(&'t str, &'t str, DocumentMut)> {
    let mut found = Vec::new();
    for (path, text) in tree.texts() {
        let folder = path
            .strip_prefix("crates/")
            .and_then(|rest| rest.strip_suffix("/Cargo.toml"));
        let Some(folder) = folder.filter(|folder| !folder.contains('/')) else {
            continue;
        };
        match text.parse() {
            Ok(manifest) => found.push((path, folder, manifest)),
            Err(error) => problems.push(Problem::new(path, one_line(&error))),
        }
    }
    found
}

fn package_name(manifest: &DocumentMut) -> Option<String> {
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn inherits_lints(manifest: &DocumentMut) -> bool {
    manifest
        .get("lints")
        .is_some_and(|lints| is_true(lints, "workspace"))
}

fn is_true(entry: &Item, key: &str) -> bool {
    entry.get(key).and_then(Item::as_bool) == Some(true)
}

fn renamed(entry: &Item) -> Option<&str> {
    entry.get("package").and_then(Item::as_str)
}

fn one_line(error: &toml_edit::TomlError) -> String {
    format!("it is not TOML: {}", error.message())
}

#[cfg(test)]
mod tests {
    use super::problems;
    use crate::tree::made;

    const ROOT: &str = "[workspace.dependencies]\nportcullis-policy = { path = 'crates/policy' }\n\
        the_code = { path = 'crates/code', package = 'portcullis-code' }\noxc_parser = '=0.146.0'\n";

    fn shown(name: &str, dependencies: &str) -> Vec<String> {
        let member = |name: &str, rest: &str| {
            format!("[package]\nname = 'portcullis-{name}'\n[lints]\nworkspace = true\n{rest}")
        };
        let path = format!("crates/{name}/Cargo.toml");
        let tree = made::tree(&[
            ("Cargo.toml", ROOT),
            ("crates/policy/Cargo.toml", &member("policy", "")),
            ("crates/code/Cargo.toml", &member("code", "")),
            (&path, &member(name, dependencies)),
        ]);
        problems(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn along_the_arrows_is_quiet() {
        let shared = "[dependencies]\nportcullis-policy.workspace = true\nserde = '1'\n";
        assert_eq!(shown("report", shared), [""; 0]);
        assert_eq!(
            shown("audit", "[dependencies]\nthe_code = { workspace = true }\n"),
            [""; 0]
        );
        assert_eq!(
            shown("code", "[dependencies.oxc_parser]\nworkspace = true\n"),
            [""; 0]
        );
    }

    #[test]
    fn against_the_arrows_is_found_however_it_is_written() {
        let says = ["crates/report/Cargo.toml: `report` may not use `code`"];
        for dependencies in [
            "[dependencies]\nportcullis-code = { path = '../code' }\n",
            "[dependencies]\nportcullis-code.path = '../code'\n",
            "[dependencies]\nthe_code.workspace = true\n",
            "[dependencies.reader]\npackage = 'portcullis-code'\npath = '../code'\n",
            "[build-dependencies]\nportcullis-code = { path = '../code' }\n",
            "[target.'cfg(unix)'.dependencies]\nportcullis-code = { path = '../code' }\n",
        ] {
            assert_eq!(shown("report", dependencies), says, "{dependencies}");
        }
    }

    #[test]
    fn tests_have_arrows_too() {
        for table in ["dev-dependencies", "target.'cfg(unix)'.dev-dependencies"] {
            assert_eq!(
                shown("report", &format!("[{table}]\nthe_code.workspace = true\n")),
                ["crates/report/Cargo.toml: `report` may not use `code`, not even in tests"]
            );
        }
    }

    #[test]
    fn a_parser_outside_its_crate_is_found() {
        assert_eq!(
            shown(
                "audit",
                "[dependencies]\nast = { package = 'oxc_ast', version = '1' }\n"
            ),
            ["crates/audit/Cargo.toml: only `code` may use `oxc_ast`"]
        );
    }

    #[test]
    fn a_crate_nobody_placed_and_one_without_lints_are_found() {
        assert_eq!(
            shown("shed", ""),
            ["crates/shed/Cargo.toml: crate `shed` has no row in the table of arrows"]
        );
        let tree = made::tree(&[("crates/policy/Cargo.toml", "[package]\nname = 'p'\n")]);
        assert!(
            problems(&tree)[0]
                .to_string()
                .contains("[lints] workspace = true")
        );
    }

    #[test]
    fn a_room_that_is_missing_is_found() {
        let tree = made::tree(&[("ARCHITECTURE.md", "")]);
        let first = problems(&tree)[0].to_string();
        assert_eq!(
            first,
            "ARCHITECTURE.md: crate `policy` has arrows and does not exist"
        );
    }

    #[test]
    fn a_manifest_that_does_not_parse_is_found() {
        let tree = made::tree(&[("crates/policy/Cargo.toml", "[package\n")]);
        assert!(problems(&tree)[0].to_string().contains("it is not TOML"));
    }
}
