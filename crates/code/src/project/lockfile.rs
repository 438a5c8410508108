//! The exact versions that lock files chose for the direct dependencies of each package.

use std::collections::BTreeMap;

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::manifest::Package;
use super::{folder_of, outline};

/// Largest lock file that is read; without it, requirements stand as written.
pub(super) const LOCK_BYTES_MAX: u64 = 16 << 20;

/// What a lock file of some kind says.
type Reader = fn(&str, &mut [&mut Package], &str);

/// How the lock file of this name is read.
fn reader(name: &str) -> Option<Reader> {
    match name {
        "package-lock.json" | "npm-shrinkwrap.json" => Some(npm),
        "pnpm-lock.yaml" => Some(pnpm),
        "yarn.lock" => Some(yarn),
        "bun.lock" => Some(bun),
        _ => None,
    }
}

/// Whether a file of this name is a lock file.
pub(super) fn is_lock_file(path: &str) -> bool {
    reader(path.rsplit('/').next().unwrap_or(path)).is_some()
}

/// Writes the versions into the packages: each belongs to the nearest lock file upwards.
pub(super) fn apply(packages: &mut [Package], locks: &[&str], load: &super::Load<'_>) {
    // The outermost first, so that a nearer one has the last word.
    let mut locks: Vec<&str> = locks.to_vec();
    locks.sort_unstable_by_key(|path| (path.matches('/').count(), *path));
    for path in locks {
        let (folder, name) = (
            folder_of(path).unwrap_or(""),
            path.rsplit('/').next().unwrap_or(path),
        );
        let (Some(read), Ok(text)) = (reader(name), load(path)) else {
            continue;
        };
        let mut below: Vec<&mut Package> = packages
            .iter_mut()
            .filter(|package| inside(folder, &package.dir).is_some())
            .collect();
        read(folder, &mut below, &text);
    }
}

/// The globs and the catalogue of a `pnpm-workspace.yaml`.
pub(super) fn workspace(packages: &mut [Package], folder: &str, text: &str) {
    let (mut globs, mut catalogue) = (Vec::new(), BTreeMap::new());
    for (keys, value) in outline::lines(text) {
        match keys.as_slice() {
            ["packages", "-"] => globs.push(value.to_owned()),
            ["catalog", name] => {
                catalogue.insert(("default".to_owned(), (*name).to_owned()), value);
            }
            ["catalogs", of, name] => {
                catalogue.insert(((*of).to_owned(), (*name).to_owned()), value);
            }
            _ => {}
        }
    }
    for package in packages {
        if package.dir == folder {
            package.workspaces.append(&mut globs);
        }
        if catalogue.is_empty() || inside(folder, &package.dir).is_none() {
            continue;
        }
        for (name, requirement) in &package.dependencies {
            let Some(of) = requirement.strip_prefix("catalog:") else {
                continue;
            };
            let of = if of.is_empty() { "default" } else { of };
            if let Some(version) = catalogue.get(&(of.to_owned(), name.clone())) {
                package.locked.insert(name.clone(), (*version).to_owned());
            }
        }
    }
}

/// A folder relative to another; none when it is not inside.
fn inside<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() || path == folder {
        return Some(if folder.is_empty() { path } else { "" });
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

fn lock(package: &mut Package, name: &str, version: &str) {
    // `1.2.3(react@19.0.0)` in pnpm's words; a link is a folder of the workspace and has no version.
    let version = version.split(['(', '_']).next().unwrap_or(version);
    if package.dependencies.contains_key(name)
        && version.starts_with(|first: char| first.is_ascii_digit())
    {
        package.locked.insert(name.to_owned(), version.to_owned());
    }
}

fn pnpm(folder: &str, packages: &mut [&mut Package], text: &str) {
    let at: FxHashMap<String, usize> = packages
        .iter()
        .enumerate()
        .map(|(at, it)| (inside(folder, &it.dir).unwrap_or("").to_owned(), at))
        .collect();
    for (keys, value) in outline::lines(text) {
        let (importer, name) = match keys.as_slice() {
            ["importers", importer, _, name, "version"] => (*importer, *name),
            [
                "dependencies" | "devDependencies" | "optionalDependencies",
                name,
                "version",
            ] => (".", *name),
            // What follows describes the packages themselves: long, and of no use here.
            ["packages" | "snapshots"] => return,
            _ => continue,
        };
        let importer = if importer == "." { "" } else { importer };
        if let Some(package) = at.get(importer).and_then(|at| packages.get_mut(*at)) {
            lock(package, name, value);
        }
    }
}

fn npm(folder: &str, packages: &mut [&mut Package], text: &str) {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let version = |it: Option<&Value>| Some(it?.get("version")?.as_str()?.to_owned());
    let installed = |path: &str| version(value.get("packages").and_then(|it| it.get(path)));
    for package in packages {
        let dir = inside(folder, &package.dir).unwrap_or("").to_owned();
        let names: Vec<String> = package.dependencies.keys().cloned().collect();
        for name in names {
            // Node looks beside the importer first, then upwards.
            let found = installed(&format!("{dir}/node_modules/{name}"))
                .or_else(|| installed(&format!("node_modules/{name}")))
                .or_else(|| version(value.get("dependencies").and_then(|it| it.get(&name))));
            if let Some(found) = found {
                lock(package, &name, &found);
            }
        }
    }
}

fn yarn(_: &str, packages: &mut [&mut Package], text: &str) {
    let mut chosen: FxHashMap<&str, &str> = FxHashMap::default();
    let mut asked: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(heads) = line
            .strip_suffix(':')
            .filter(|it| !it.starts_with([' ', '#']))
        {
            asked = heads
                .split(',')
                .map(|head| head.trim().trim_matches('"'))
                .collect();
        } else if let Some(version) = line.strip_prefix("  version") {
            let version = version.trim_start_matches(':').trim().trim_matches('"');
            chosen.extend(asked.drain(..).map(|head| (head, version)));
        }
    }
    // The newer yarn writes all that one version answers into one pair of quotes, and says `npm:`.
    for package in packages {
        let wanted: Vec<(String, String)> = package
            .dependencies
            .iter()
            .map(|(name, requirement)| (name.clone(), requirement.clone()))
            .collect();
        for (name, requirement) in wanted {
            let keys = [
                format!("{name}@{requirement}"),
                format!("{name}@npm:{requirement}"),
            ];
            if let Some(version) = keys.iter().find_map(|key| chosen.get(key.as_str())) {
                lock(package, &name, version);
            }
        }
    }
}

fn bun(_: &str, packages: &mut [&mut Package], text: &str) {
    let Ok(value) = parse_to_serde_value::<Value>(text, &ParseOptions::default()) else {
        return;
    };
    let chosen = |key: &str| {
        Some(
            value
                .get("packages")?
                .get(key)?
                .get(0)?
                .as_str()?
                .rsplit_once('@')?
                .1
                .to_owned(),
        )
    };
    for package in packages {
        let names: Vec<String> = package.dependencies.keys().cloned().collect();
        for name in names {
            let own = package
                .name
                .as_ref()
                .and_then(|of| chosen(&format!("{of}/{name}")));
            if let Some(version) = own.or_else(|| chosen(&name)) {
                lock(package, &name, &version);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::manifest::Package;
    use super::{apply, workspace};

    fn package(dir: &str, dependencies: &[(&str, &str)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, it)| ((*name).to_owned(), (*it).to_owned()))
            .collect();
        Package {
            dir: dir.to_owned(),
            dependencies,
            ..Package::default()
        }
    }

    fn locked(lock: &str, text: &str, packages: &mut [Package]) {
        apply(packages, &[lock], &|_| Ok(Arc::from(text)));
    }

    #[test]
    fn pnpm_says_what_each_importer_got() {
        let mut packages = [
            package("", &[("a", "^1")]),
            package("apps/web", &[("@s/b", "^2"), ("c", "workspace:*")]),
        ];
        let text = "importers:\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.9.0\n  apps/web:\n    dependencies:\n      '@s/b':\n        version: 2.0.1(a@1.9.0)\n      c:\n        version: link:../c\npackages:\n  a@1.9.0: {}\n";
        locked("pnpm-lock.yaml", text, &mut packages);
        assert_eq!(packages[0].locked["a"], "1.9.0");
        assert_eq!(packages[1].locked["@s/b"], "2.0.1");
        assert!(!packages[1].locked.contains_key("c"));
    }

    #[test]
    fn npm_looks_beside_the_importer_first() {
        let mut packages = [
            package("", &[("a", "^1")]),
            package("web", &[("a", "^2"), ("b", "*")]),
        ];
        let text = r#"{"packages": {"": {"version": "0.1.0"}, "node_modules/a": {"version": "1.1.0"},
            "web/node_modules/a": {"version": "2.2.0"}, "node_modules/b": {"version": "3.0.0"}}}"#;
        locked("package-lock.json", text, &mut packages);
        assert_eq!(packages[0].locked["a"], "1.1.0");
        assert_eq!(packages[1].locked["a"], "2.2.0");
        assert_eq!(packages[1].locked["b"], "3.0.0");
    }

    #[test]
    fn yarn_old_and_new_and_bun() {
        let mut old = [package("", &[("a", "^1"), ("@s/b", "~2")])];
        locked(
            "yarn.lock",
            "a@^1, a@^1.2:\n  version \"1.2.3\"\n\n\"@s/b@~2\":\n  version \"2.0.0\"\n",
            &mut old,
        );
        assert_eq!(
            (old[0].locked["a"].as_str(), old[0].locked["@s/b"].as_str()),
            ("1.2.3", "2.0.0")
        );
        let mut new = [package("", &[("a", "^1")])];
        locked(
            "yarn.lock",
            "\"a@npm:^1, a@npm:^1.1\":\n  version: 1.5.0\n",
            &mut new,
        );
        assert_eq!(new[0].locked["a"], "1.5.0");
        let mut bun = [package("", &[("@s/b", "~2")])];
        locked(
            "bun.lock",
            "{\"packages\": {\"@s/b\": [\"@s/b@2.1.0\", \"\", {}, \"sha\"],}}",
            &mut bun,
        );
        assert_eq!(bun[0].locked["@s/b"], "2.1.0");
    }

    #[test]
    fn a_catalogue_gives_the_requirement() {
        let mut packages = [
            package("", &[]),
            package("web", &[("a", "catalog:"), ("b", "catalog:old")]),
        ];
        workspace(
            &mut packages,
            "",
            "packages:\n- web\ncatalog:\n  a: ^5\ncatalogs:\n  old:\n    b: ^1\n",
        );
        assert_eq!(packages[0].workspaces, ["web"]);
        assert_eq!(
            (
                packages[1].locked["a"].as_str(),
                packages[1].locked["b"].as_str()
            ),
            ("^5", "^1")
        );
    }

    #[test]
    fn nonsense_locks_nothing() {
        for name in [
            "pnpm-lock.yaml",
            "package-lock.json",
            "yarn.lock",
            "bun.lock",
        ] {
            for text in ["", "{", "\u{0}", ":\n:\n- -\n", "[[[[", "\"\n'a':\n"] {
                let mut packages = [package("", &[("a", "^1")])];
                locked(name, text, &mut packages);
                assert!(packages[0].locked.is_empty());
            }
        }
    }
}
