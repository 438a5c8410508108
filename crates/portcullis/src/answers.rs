//! The catalogue beside what the program has: no answer may name a rule, control, event or reason that is not there.

use clap::CommandFactory as _;
use portcullis_audit::RULES;
use portcullis_catalogue::{Answer, Catalogue};
use portcullis_guard::reason::Reason;
use portcullis_state::keys::SecretFault;

use crate::args::Args;
use crate::failure::Failure;
use crate::guarding::{WRITTEN, is_enforced};

/// The catalogue that the project brings. One that counts what does not exist as an answer is told to nobody.
pub(crate) fn catalogue() -> Result<Catalogue, Failure> {
    let catalogue = Catalogue::builtin().map_err(|error| Failure::internal(&error.to_string()))?;
    match unfounded(&catalogue).as_slice() {
        [] => Ok(catalogue),
        faults => Err(Failure::internal(&faults.join("; "))),
    }
}

/// Whether the program has this.
pub(crate) fn exists(answer: &Answer) -> bool {
    match answer {
        Answer::Rule(id) => RULES.iter().any(|rule| rule.id == id),
        Answer::Control(control) => is_enforced(*control),
        Answer::Event(kind) => WRITTEN.contains(kind),
        Answer::Reason(code) => Reason::is_code(code),
        Answer::Secret(code) => SecretFault::CODES.contains(&code.as_str()),
        Answer::Command(words) => is_command(&Args::command(), words),
    }
}

/// Whether the words, which hyphens join, lead to a command.
fn is_command(command: &clap::Command, words: &str) -> bool {
    let (first, rest) = words.split_once('-').unwrap_or((words, ""));
    let next = command.find_subcommand(first);
    next.is_some_and(|next| rest.is_empty() || is_command(next, rest))
}

/// Every answer that names what is not there, with its file and line.
fn unfounded(catalogue: &Catalogue) -> Vec<String> {
    let mut faults = Vec::new();
    for requirement in catalogue.requirements() {
        for answer in requirement.answers().filter(|answer| !exists(answer)) {
            let (file, line, id) = (requirement.seed.file(), requirement.line, &requirement.id);
            faults.push(format!("{file}:{line}: {id}: `{answer}` does not exist"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use portcullis_catalogue::{Catalogue, Seed};

    use super::{exists, unfounded};
    use crate::guarding::WRITTEN;

    fn answered_by(answer: &str) -> Catalogue {
        let text = format!(
            "[[requirement]]\nid = \"S0-X-01\"\nsection = \"s\"\ntitle = \"t\"\nlevel = \"must\"\n\
             applies_when = [\"always\"]\nverb = \"audit\"\nanswered_by = []\npartly_by = [\"{answer}\"]\n"
        );
        Catalogue::read(&[(Seed::Seed000, &text)]).unwrap()
    }

    #[test]
    fn every_answer_of_the_catalogue_exists() {
        let catalogue = Catalogue::builtin().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(unfounded(&catalogue), [""; 0]);
    }

    #[test]
    fn what_exists_may_answer() {
        for answer in [
            "rule:csrf-missing",
            "control:rate_limit",
            "event:guard_allowed",
            "reason:route_unknown",
            "reason:path_dot_segment",
            "secret:missing",
            "command:guard",
            "command:trail-query",
        ] {
            assert_eq!(unfounded(&answered_by(answer)), [""; 0]);
        }
    }

    #[test]
    fn what_does_not_exist_is_found() {
        for answer in [
            // A rule of no file, a control that is not enforced yet, an event that nobody writes yet, codes of nothing, a
            // command that there is not.
            "rule:csrf-missings",
            "control:ownership",
            "event:authn_login_success",
            "reason:csrf_token_lost",
            "secret:misplaced",
            "command:trail-queries",
            "command:trail-query-again",
        ] {
            assert_eq!(
                unfounded(&answered_by(answer)),
                [format!(
                    "seed-000.toml:1: S0-X-01: `{answer}` does not exist"
                )]
            );
        }
    }

    #[test]
    fn an_answer_is_what_it_says_it_is() {
        let rule_as_reason = "reason:rate_limit".parse().unwrap();
        assert!(!exists(&rule_as_reason), "that is a control");
    }

    /// `WRITTEN` is what the sources of the running guard name, and nothing else.
    #[test]
    fn the_events_that_the_guard_writes_are_listed() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = vec![here.join("src/commands/guard.rs")];
        collect(&here.join("src/commands/guard"), &mut sources);
        collect(&here.join("../gateway/src"), &mut sources);
        let mut named = BTreeSet::new();
        for source in &sources {
            let text = fs::read_to_string(source).unwrap();
            for after in text.split("EventKind::").skip(1) {
                let name = after
                    .split(|character: char| !character.is_alphanumeric())
                    .next();
                named.insert(name.unwrap().to_owned());
            }
        }
        let listed: BTreeSet<String> = WRITTEN.iter().map(|kind| format!("{kind:?}")).collect();
        assert_eq!(named, listed, "`WRITTEN` in guarding.rs has them all");
    }

    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
}
