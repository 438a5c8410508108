//! What tests need besides Rust: a table of tools, how each is found, how it is installed, and who needs it.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// One thing from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    pub(crate) what: What,
    /// The tests that cannot run without it, as a person would look for them.
    pub(crate) tests: &'static str,
}

/// Where a thing comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A program on the path that answers `--version` or `version`, from a Debian package.
    Program {
        program: &'static str,
        major_min: u32,
        debian: &'static str,
    },
    /// A file that a Debian package brings: what answers no question about its version.
    File {
        file: &'static str,
        debian: &'static str,
    },
    /// An npm package in one exact version, kept in `PORTCULLIS_TEST_NPM`. Two versions of one package have two folders.
    Npm {
        folder: &'static str,
        package: &'static str,
        version: &'static str,
    },
}

/// What npm packages are for.
pub(crate) const MATCHER: &str = "matchers against path-to-regexp itself (crates/audit, the_answers_are_those_of_the_real_packages)";

const TLS: &str = "clients of others in TLS (crates/gateway, tls)";

const INSTRUCTIONS: &str = "instructions per decision (cargo xtask instructions)";

const QUICKSTART: &str = "a real application behind the guard (crates/portcullis, json_server_is_guarded_as_the_readme_shows)";

const SNIPPETS: &str = "what applications copy, in its own language (crates/portcullis, snippets)";

const TOKENS: &str = "tokens and keys read by other programs (crates/portcullis, token)";

const BROWSER: &str = "a browser before a guarded application (crates/portcullis, browser)";

/// In the order in which they are installed. Debian 12 has Node 18, and that is new enough for all of them.
pub(crate) const NEEDS: &[Need] = &[
    program("node", 18, "nodejs", MATCHER),
    program("npm", 9, "npm", MATCHER),
    // Express 4, Next.js with Clerk, and Express 5 each have a generation of their own.
    npm("path-to-regexp-0", "path-to-regexp", "0.1.13", MATCHER),
    npm("path-to-regexp-6", "path-to-regexp", "6.3.0", MATCHER),
    npm("path-to-regexp-8", "path-to-regexp", "8.4.2", MATCHER),
    npm("json-server", "json-server", "0.17.4", QUICKSTART),
    program("go", 1, "golang-go", SNIPPETS),
    file("/usr/bin/python3", "python3", SNIPPETS),
    file(
        "/usr/lib/python3/dist-packages/cryptography/__init__.py",
        "python3-cryptography",
        SNIPPETS,
    ),
    program("curl", 7, "curl", TLS),
    file("/usr/bin/openssl", "openssl", TLS),
    file(
        "/usr/lib/python3/dist-packages/jwt/__init__.py",
        "python3-jwt",
        TOKENS,
    ),
    file("/usr/bin/chromium", "chromium", BROWSER),
    file("/usr/bin/certutil", "libnss3-tools", BROWSER),
    npm("next", "next", "15.5.29", BROWSER),
    npm("react", "react", "19.3.1", BROWSER),
    npm("react-dom", "react-dom", "19.3.1", BROWSER),
    npm("playwright-core", "playwright-core", "1.65.1", BROWSER),
    program("valgrind", 3, "valgrind", INSTRUCTIONS),
];

const fn program(
    program: &'static str,
    major_min: u32,
    debian: &'static str,
    tests: &'static str,
) -> Need {
    let what = What::Program {
        program,
        major_min,
        debian,
    };
    Need { what, tests }
}

const fn file(file: &'static str, debian: &'static str, tests: &'static str) -> Need {
    let what = What::File { file, debian };
    Need { what, tests }
}

const fn npm(
    folder: &'static str,
    package: &'static str,
    version: &'static str,
    tests: &'static str,
) -> Need {
    let what = What::Npm {
        folder,
        package,
        version,
    };
    Need { what, tests }
}

impl What {
    /// Whether it is there, in a version that will do.
    pub(crate) fn is_there(&self, npm_folder: &Path) -> bool {
        match self {
            Self::Program {
                program, major_min, ..
            } => {
                // Go alone is asked for a word.
                let version = ["--version", "version"].into_iter().find_map(|word| {
                    let answer = Command::new(program).arg(word).output().ok()?;
                    let said = String::from_utf8_lossy(&answer.stdout);
                    answer.status.success().then(|| major(&said))?
                });
                version.is_some_and(|major| major >= *major_min)
            }
            Self::File { file, .. } => Path::new(file).is_file(),
            Self::Npm {
                folder, version, ..
            } => {
                let manifest = npm_folder
                    .join("node_modules")
                    .join(folder)
                    .join("package.json");
                let manifest = fs::read_to_string(manifest).unwrap_or_default();
                let manifest: Option<Value> = serde_json::from_str(&manifest).ok();
                manifest.is_some_and(|manifest| {
                    manifest.get("version").and_then(Value::as_str) == Some(version)
                })
            }
        }
    }

    /// What a person would call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Program {
                program, major_min, ..
            } => format!("{program} {major_min} or newer"),
            Self::File { file, debian } => format!("`{file}` of {debian}"),
            Self::Npm {
                package, version, ..
            } => format!("npm package {package}@{version}"),
        }
    }
}

/// The first number of `v20.1.0`, `9.2.0` or `valgrind-3.19.0`.
fn major(version: &str) -> Option<u32> {
    version
        .trim()
        .trim_start_matches(|letter: char| !letter.is_ascii_digit())
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{What, major};
    use crate::tree::made;

    #[test]
    fn versions_are_read_as_programs_print_them() {
        for (version, number) in [
            ("v20.20.2\n", Some(20)),
            ("9.2.0\n", Some(9)),
            ("valgrind-3.19.0\n", Some(3)),
            ("", None),
        ] {
            assert_eq!(major(version), number, "{version}");
        }
    }

    #[test]
    fn a_program_is_there_in_a_new_enough_version_or_not() {
        let folder = made::folder(&[("node", "#!/bin/sh\necho v20.20.2\n")]);
        let node = folder.path().join("node");
        fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).unwrap();
        let there = |program, major_min| {
            let debian = "nodejs";
            What::Program {
                program,
                major_min,
                debian,
            }
            .is_there(folder.path())
        };
        let node: &'static str = node.to_str().unwrap().to_owned().leak();
        assert!(there(node, 20) && !there(node, 21));
        assert!(!there("no-such-program", 0));
    }

    #[test]
    fn a_program_may_be_asked_by_a_word() {
        let script = "#!/bin/sh\n[ \"$1\" = version ] && echo go version go1.19.8\n";
        let folder = made::folder(&[("go", script)]);
        let go = folder.path().join("go");
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        let program: &'static str = go.to_str().unwrap().to_owned().leak();
        let there = |major_min| {
            let debian = "golang-go";
            What::Program {
                program,
                major_min,
                debian,
            }
            .is_there(folder.path())
        };
        assert!(there(1) && !there(2));
    }

    #[test]
    fn a_file_is_there_or_not() {
        let folder = made::folder(&[("certutil", "")]);
        let there = |name: &str| {
            let file: &'static str = folder.path().join(name).to_str().unwrap().to_owned().leak();
            let debian = "libnss3-tools";
            What::File { file, debian }.is_there(folder.path())
        };
        assert!(there("certutil") && !there("other"));
    }

    #[test]
    fn an_npm_package_is_there_in_its_exact_version_or_not() {
        let folder = made::folder(&[("node_modules/a/package.json", r#"{"version":"6.3.0"}"#)]);
        let package = |folder, version| What::Npm {
            folder,
            package: "a",
            version,
        };
        assert!(package("a", "6.3.0").is_there(folder.path()));
        assert!(!package("a", "6.3.1").is_there(folder.path()));
        assert!(!package("b", "6.3.0").is_there(folder.path()));
    }
}
