//! The lock file: it is there, it comes from one source, and what must stay out stays out.

use toml_edit::{DocumentMut, Item};

use crate::{problem::Problem, tree::Tree};

/// The only source, apart from this repository.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Who names a package for the case that another one brings it (`ring?/std`): the lock file lists it even where nobody builds
/// it. Whether anybody does, [`super::built`] asks.
const NAMES_ONLY: &[(&str, &str)] = &[("ring", "quinn-proto"), ("ring", "rustls-webpki")];

/// Packages that must not come in, not even through others, and why.
pub(super) const UNWANTED: &[(&str, &str)] = &[
    (
        "ring",
        "one crypto provider is enough to patch, and it is aws-lc-rs",
    ),
    ("openssl", "no C TLS library whose version the system picks"),
    (
        "openssl-sys",
        "no C TLS library whose version the system picks",
    ),
    (
        "openssl-src",
        "no C TLS library whose version the system picks",
    ),
    (
        "native-tls",
        "no C TLS library whose version the system picks",
    ),
];

/// What is wrong with `Cargo.lock`.
pub(super) fn problems(tree: &Tree) -> Vec<Problem> {
    let problem = |message: String| Problem::new("Cargo.lock", message);
    let Some(text) = tree.text("Cargo.lock") else {
        return vec![problem(
            "it is missing: what is built must be written down".to_owned(),
        )];
    };
    let lock: DocumentMut = match text.parse() {
        Ok(lock) => lock,
        Err(error) => return vec![problem(format!("it is not TOML: {}", error.message()))],
    };
    let packages = lock.get("package").and_then(Item::as_array_of_tables);
    let mut problems = Vec::new();
    for package in packages.into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(Item::as_str);
        let name = text("name").unwrap_or_default();
        if let Some((_, why)) = UNWANTED.iter().find(|(unwanted, _)| *unwanted == name)
            && !is_only_named(&lock, name)
        {
            problems.push(problem(format!(
                "`{name}` is in it: {why} (`cargo tree -i {name}` shows who brings it)"
            )));
        }
        if let Some(source) = text("source").filter(|source| *source != SOURCE) {
            problems.push(problem(format!("`{name}` comes from `{source}`")));
        }
    }
    problems
}

/// Whether all who depend on a package only name it.
fn is_only_named(lock: &DocumentMut, name: &str) -> bool {
    let packages = lock.get("package").and_then(Item::as_array_of_tables);
    let mut depending = packages.into_iter().flatten().filter_map(|package| {
        let list = package.get("dependencies")?.as_array()?;
        // Where there are two of a name, its version follows it.
        let mut names = list
            .iter()
            .filter_map(|one| one.as_str()?.split(' ').next());
        names.any(|one| one == name).then_some(package)
    });
    let mut is_named = false;
    let all_name = depending.all(|package| {
        is_named = true;
        let who = package
            .get("name")
            .and_then(Item::as_str)
            .unwrap_or_default();
        NAMES_ONLY.contains(&(name, who))
    });
    is_named && all_name
}

#[cfg(test)]
mod tests {
    use super::{SOURCE, UNWANTED, problems};
    use crate::tree::made;

    fn shown(name: &str, source: &str) -> Vec<String> {
        let lock = format!("version = 4\n[[package]]\nname = '{name}'\nsource = '{source}'\n");
        let tree = made::tree(&[("Cargo.lock", &lock)]);
        problems(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_lock_file_of_wanted_packages_is_quiet() {
        assert_eq!(shown("serde", SOURCE), [""; 0]);
        assert_eq!(shown("ring-buffer", SOURCE), [""; 0]);
    }

    #[test]
    fn every_unwanted_package_is_found() {
        for (name, why) in UNWANTED {
            let says = shown(name, SOURCE);
            assert!(says.len() == 1 && says[0].contains(why), "{says:?}");
        }
    }

    #[test]
    fn what_is_only_named_is_quiet_until_another_one_brings_it() {
        let package = |name: &str, of: &str| {
            format!("[[package]]\nname = '{name}'\nsource = '{SOURCE}'\ndependencies = [{of}]\n")
        };
        let shown = |bringing: &[&str]| {
            let lock: String = bringing.iter().map(|who| package(who, "'ring'")).collect();
            let lock = format!("version = 4\n{}{lock}", package("ring", ""));
            problems(&made::tree(&[("Cargo.lock", &lock)])).len()
        };
        assert_eq!(shown(&["rustls-webpki"]), 0);
        assert_eq!(shown(&["rustls-webpki", "rustls"]), 1);
        assert_eq!(shown(&["serde"]), 1);
    }

    #[test]
    fn another_source_is_found() {
        let says = shown("serde", "git+https://example.com/serde");
        assert_eq!(
            says,
            ["Cargo.lock: `serde` comes from `git+https://example.com/serde`"]
        );
    }

    #[test]
    fn a_missing_or_broken_lock_file_is_found() {
        assert_eq!(problems(&made::tree(&[])).len(), 1);
        assert_eq!(
            problems(&made::tree(&[("Cargo.lock", "[[package]\n")])).len(),
            1
        );
    }
}
