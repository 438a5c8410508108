//! `Repository`: what the git program says of the folder that is audited.
//!
//! The folder may be a stranger's, and git runs programs that the configuration of a repository names. Each call switches off
//! what could: hooks, the monitor of files, external and converting diffs, filters, lazy fetches, questions.

mod hunks;

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis_report::{Changed, harmless_line};

use crate::failure::Failure;

/// Most bytes that an answer of git may have.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// Options before each command, in pairs of `-c` and `name=value`.
const CONFIGURED: [&str; 4] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=true",
    "core.untrackedCache=false",
];
/// What of a filter runs a program.
const FILTERS: &str = r"^filter\..*\.(clean|smudge|process)$";

/// A folder in a repository, and one of its revisions.
#[derive(Debug)]
pub(crate) struct Repository {
    dir: PathBuf,
    /// As it was named.
    name: String,
    /// The commit.
    id: String,
    /// Filters that are switched off.
    filters: Vec<String>,
}

impl Repository {
    /// The revision `name`, in the repository in which the folder lies. `option` is what asks for it.
    pub(crate) fn at(dir: &Path, name: &str, option: &str) -> Result<Self, Failure> {
        let mut repository = Self {
            dir: dir.to_owned(),
            name: name.to_owned(),
            id: String::new(),
            filters: Vec::new(),
        };
        let wanted = format!("{name}^{{commit}}");
        let found = repository.ask(&["rev-parse", "--verify", "--end-of-options", &wanted]);
        let found = found.map_err(|error| error.of(option))?;
        let id = found.text.trim().to_owned();
        if found.code != Some(0) || id.is_empty() {
            let dir = dir.display();
            return Err(Failure::usage(
                if found.told.contains("not a git repository") {
                    format!("`{option}` needs a git repository, and `{dir}` lies in none")
                } else if found.told.contains("dubious ownership") {
                    format!(
                        "git does not trust the repository of `{dir}`: {}",
                        found.told
                    )
                } else {
                    format!(
                        "there is no revision `{}` in the repository of `{dir}`; fetch it first (a build machine often has only the newest commit)",
                        harmless_line(name)
                    )
                },
            ));
        }
        repository.id = id;
        let named = ["config", "--null", "--name-only", "--get-regexp", FILTERS];
        let named = repository.ask(&named).map_err(|error| error.of(option))?;
        repository.filters = named
            .text
            .split_terminator('\0')
            .map(str::to_owned)
            .collect();
        Ok(repository)
    }

    /// The commit that the revision is.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The revision as it was named.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What changed in the folder since the revision and what is there now parted, files that nobody added yet among it.
    pub(crate) fn changed(&self, option: &str) -> Result<Changed, Failure> {
        let base = self
            .ask(&["merge-base", &self.id, "HEAD"])
            .map_err(|error| error.of(option))?;
        let base = match (base.code, base.text.trim()) {
            (Some(0), id) if !id.is_empty() => id.to_owned(),
            _ => self.id.clone(),
        };
        let diff = self.must(
            option,
            &[
                "diff",
                "--relative",
                "--no-color",
                "--no-ext-diff",
                "--no-textconv",
                "--no-renames",
                "--ignore-submodules=all",
                "--unified=0",
                "--inter-hunk-context=0",
                "--src-prefix=a/",
                "--dst-prefix=b/",
                &base,
                "--",
                ".",
            ],
        )?;
        let mut changed = hunks::read(&diff);
        let others = self.must(
            option,
            &["ls-files", "--others", "--exclude-standard", "-z"],
        )?;
        for file in others.split_terminator('\0') {
            changed.add_whole(file.to_owned());
        }
        Ok(changed)
    }

    /// A file of the revision, by its path in the folder; none where it has no such file. A link is no file.
    pub(crate) fn file(&self, path: &str, option: &str) -> Result<Option<String>, Failure> {
        let listed = self.must(option, &["ls-tree", "-z", &self.id, "--", path])?;
        let Some(entry) = listed.split_terminator('\0').next() else {
            return Ok(None);
        };
        let mut words = entry.split_whitespace();
        let (mode, kind, blob) = (words.next(), words.next(), words.next());
        let (Some("100644" | "100755"), Some("blob"), Some(blob)) = (mode, kind, blob) else {
            return Err(Failure::usage(format!(
                "`{}` is no file in `{}`",
                harmless_line(path),
                harmless_line(&self.name)
            )));
        };
        self.must(option, &["cat-file", "blob", blob]).map(Some)
    }

    /// The lines of the revision's files that have a text in them: file and line.
    pub(crate) fn lines_with(
        &self,
        text: &str,
        option: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let asked = [
            "grep",
            "-z",
            "-I",
            "--no-color",
            "--no-textconv",
            "--fixed-strings",
            "-e",
            text,
            &self.id,
            "--",
            ".",
        ];
        let found = self.ask(&asked).map_err(|error| error.of(option))?;
        // 1 is the answer for nothing found.
        if !matches!(found.code, Some(0 | 1)) {
            return Err(found.failure(option));
        }
        let before = format!("{}:", self.id);
        let lines = found.text.split_terminator('\n').filter_map(|line| {
            let (file, text) = line.strip_prefix(&before)?.split_once('\0')?;
            Some((file.to_owned(), text.to_owned()))
        });
        Ok(lines.collect())
    }

    fn must(&self, option: &str, args: &[&str]) -> Result<String, Failure> {
        let answer = self.ask(args).map_err(|error| error.of(option))?;
        if answer.code == Some(0) {
            Ok(answer.text)
        } else {
            Err(answer.failure(option))
        }
    }

    fn ask(&self, args: &[&str]) -> Result<Answer, NoAnswer> {
        let mut command = Command::new("git");
        command.current_dir(&self.dir);
        for set in CONFIGURED {
            command.args(["-c", set]);
        }
        for filter in &self.filters {
            command.args(["-c", &format!("{filter}=")]);
            // One that must run fails where it is switched off.
            if let Some((driver, _)) = filter.rsplit_once('.') {
                command.args(["-c", &format!("{driver}.required=false")]);
            }
        }
        for (name, value) in [
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_PAGER", "cat"),
            ("LC_ALL", "C"),
        ] {
            command.env(name, value);
        }
        command.env_remove("GIT_EXTERNAL_DIFF");
        command.env_remove("GIT_DIFF_OPTS");
        command.args(args.iter().map(OsString::from));
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        let mut child = command.spawn().map_err(NoAnswer::Start)?;
        let told = child.stderr.take();
        let told = std::thread::spawn(move || told.map(|it| read(it, 1 << 16)));
        let text = child.stdout.take().map(|it| read(it, ANSWER_BYTES_MAX));
        let text = match text.transpose() {
            Ok(Some(Some(text))) => text,
            other => {
                // It waits for somebody who reads on.
                let ended = child.kill().and_then(|()| child.wait());
                return Err(match (other, ended) {
                    (Err(error), _) | (_, Err(error)) => NoAnswer::Start(error),
                    _ => NoAnswer::TooLong,
                });
            }
        };
        let code = child.wait().map_err(NoAnswer::Start)?.code();
        let told = told.join().ok().flatten().and_then(Result::ok).flatten();
        let told = told.unwrap_or_default();
        let first = told.lines().next().unwrap_or_default();
        Ok(Answer {
            code,
            text,
            told: harmless_line(first).into_owned(),
        })
    }
}

/// The text, or none where it is longer than may be. What is no UTF-8 becomes a mark: no file that is read is called so.
fn read(from: impl std::io::Read, bytes_max: u64) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    from.take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max);
    Ok(fits.then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// What git said.
struct Answer {
    code: Option<i32>,
    text: String,
    /// The first line of what it complained of.
    told: String,
}

impl Answer {
    fn failure(&self, option: &str) -> Failure {
        Failure::usage(format!(
            "git could not answer for `{option}`: {}",
            self.told
        ))
    }
}

/// Why git said nothing.
enum NoAnswer {
    Start(std::io::Error),
    TooLong,
}

impl NoAnswer {
    fn of(self, option: &str) -> Failure {
        match self {
            Self::Start(error) => Failure::caused(
                &format!("`{option}` needs the program `git` and a folder to run it in"),
                &error,
            ),
            Self::TooLong => Failure::usage(format!(
                "git has more to say for `{option}` than {ANSWER_BYTES_MAX} bytes"
            )),
        }
    }
}
