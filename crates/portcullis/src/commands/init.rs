//! `portcullis init`: writes the first policy of an application.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _, stderr};
use std::path::{Path, PathBuf};

use portcullis_audit::Options;
use portcullis_report::harmless;

use super::read_folder;
use crate::args::InitArgs;
use crate::commit;
use crate::drafting::{Draft, Told, draft};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::explaining::rehearsal::plural;
use crate::failure::Failure;
use crate::guarding::enforced_without_identity;
use crate::output;
use crate::policy_source::NAME;

pub(crate) fn run(args: &InitArgs, environment: &Environment) -> Result<Exit, Failure> {
    let file = (!args.stdout).then(|| {
        let beside = || args.dir.join(NAME);
        args.output.clone().unwrap_or_else(beside)
    });
    if let Some(file) = &file
        && file.symlink_metadata().is_ok()
    {
        return Err(is_there(file));
    }
    // The policy that is there is not asked: what it says of a type would come back as what the code looks like.
    let mut options = Options::on(environment.today);
    options.include_tests = args.include_tests;
    options.covers_pages = true;
    options.commit = commit::of(&args.dir);
    let audited = read_folder(&args.dir, &options, environment)?;
    if let Some(nothing) = nothing_found(&audited) {
        say(&nothing);
        return Ok(Exit::NothingToRead);
    }
    let told = Told {
        upstream: args.upstream.clone(),
        public_url: args.public_url.clone(),
    };
    let draft = draft(&audited, &told, &enforced_without_identity())?;
    match &file {
        Some(file) => write_new(file, &draft.text)?,
        None => output::write(&draft.text, None)?,
    }
    say(&summary(&draft, file.as_deref(), &args.dir));
    Ok(Exit::Clean)
}

/// Why there is nothing to write, if there is nothing.
fn nothing_found(audited: &portcullis_audit::Audited) -> Option<String> {
    let report = &audited.report;
    if report.files_read == 0 {
        return Some(
            "nothing was read, and nothing written: run in the folder of the application"
                .to_owned(),
        );
    }
    if !report.routes.is_empty() || !audited.served.pages.is_empty() {
        return None;
    }
    let unread = match report.unread.len() {
        0 => String::new(),
        count => format!(" and {count} not read"),
    };
    Some(format!(
        "no route was found in {} file{}{unread}, and nothing was written; docs/guide/policy.md shows how a `[[route]]` is written by hand",
        report.files_read,
        plural(report.files_read),
    ))
}

/// Makes the file. One that came to be there meanwhile is not touched either.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            is_there(file)
        } else {
            Failure::caused(&format!("cannot write `{}`", file.display()), error)
        }
    };
    let mut made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .map_err(|error| failed(&error))?;
    made.write_all(text.as_bytes())
        .and_then(|()| made.sync_all())
        .map_err(|error| {
            // The beginning of a policy can be a policy, which says less.
            drop(std::fs::remove_file(file));
            failed(&error)
        })
}

fn is_there(file: &Path) -> Failure {
    Failure::usage(format!(
        "`{}` is there already, and init overwrites nothing: `--output FILE` writes another beside it, `--stdout` prints it, and `portcullis audit` says what the code has that the policy does not",
        file.display()
    ))
}

fn summary(draft: &Draft, file: Option<&Path>, dir: &Path) -> String {
    let words = ["route", "page", "function"];
    let found: Vec<String> = words
        .iter()
        .zip(draft.found)
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{count} {word}{}", plural(count)))
        .collect();
    let [entries, of_functions, statics] = draft.entries;
    let name = file.map_or_else(
        || "a policy".to_owned(),
        |file| format!("`{}`", file.display()),
    );
    let verb = if file.is_some() { "wrote" } else { "printed" };
    let mut text = format!(
        "{verb} {name}: {} in {} entr{}, {statics} static path{}\n",
        found.join(", "),
        entries + of_functions,
        if entries + of_functions == 1 {
            "y"
        } else {
            "ies"
        },
        plural(statics),
    );
    let findings: Vec<String> = draft
        .findings
        .iter()
        .rev()
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let findings = if findings.is_empty() {
        String::new()
    } else {
        format!(" (the audit's findings: {})", findings.join(", "))
    };
    text.push_str(&format!(
        "{} line{} `# todo`{findings}\n",
        draft.todos,
        if draft.todos == 1 { " says" } else { "s say" }
    ));
    if draft.not_said > 0 {
        text.push_str(&format!(
            "{} thing{} the application answers could not be said, and {} in the file with the reason\n",
            draft.not_said,
            plural(draft.not_said),
            if draft.not_said == 1 { "stands" } else { "stand" }
        ));
    }
    let folder: PathBuf = dir.to_owned();
    text.push_str(&next(file, &folder));
    text
}

fn next(file: Option<&Path>, dir: &Path) -> String {
    let Some(file) = file else {
        return "next: keep it as `portcullis.toml`, and read it from top to bottom".to_owned();
    };
    let check = format!("portcullis policy check {}", file.display());
    let is_beside = file == dir.join(NAME);
    let named = if is_beside {
        String::new()
    } else {
        format!(" --policy {}", file.display())
    };
    format!(
        "next: read it from top to bottom; `{check}`; `portcullis audit {}{named}`",
        dir.display()
    )
}

fn say(words: &str) {
    // With standard error closed nobody listens.
    drop(writeln!(stderr(), "{}", harmless(words)));
}
