//! The first policy of an application, written from what the audit found: `portcullis init`.

mod answered;
mod document;
mod entry;
mod exceptions;
#[cfg(test)]
mod tests;
mod todo;
mod toml_text;

use std::collections::BTreeMap;

use portcullis_audit::Audited;
use portcullis_audit::served::StaticPath;
use portcullis_policy::{Control, FunctionName, PathTemplate, Policy, PublicUrl, Upstream, bounds};
use portcullis_report::Severity;

use crate::failure::Failure;
use answered::{All, CalledByName, NotSaid};
use document::Document;
use entry::Entry;
use todo::Todos;

/// What the code does not say and the caller may.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Where the application listens.
    pub(crate) upstream: Option<Upstream>,
    /// Where browsers know it.
    pub(crate) public_url: Option<PublicUrl>,
}

/// A policy that was written, and its figures.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) text: String,
    /// Routes, pages and functions that were found.
    pub(crate) found: [usize; 3],
    /// Entries of routes, of functions, and of `static`.
    pub(crate) entries: [usize; 3],
    /// Lines that say `# todo`.
    pub(crate) todos: usize,
    /// The findings behind them.
    pub(crate) findings: BTreeMap<Severity, usize>,
    /// What no entry says.
    pub(crate) not_said: usize,
}

/// Writes the policy. `enforced` is what a guard makes sure of.
pub(crate) fn draft(
    audited: &Audited,
    told: &Told,
    enforced: &[Control],
) -> Result<Draft, Failure> {
    let (report, served) = (&audited.report, &audited.served);
    let todos = Todos::of(report);
    let mut all = All::of(report, served, &todos);
    let statics = statics(&served.statics, &mut all.not_said);
    let templates: Vec<PathTemplate> = statics.iter().map(|(path, _)| path.clone()).collect();
    let functions = functions(std::mem::take(&mut all.functions), &mut all.not_said);
    let mut document = Document {
        audited,
        told,
        todos: &todos,
        statics,
        entries: entry::entries(all.answered, &templates),
        functions,
        open_action: all.open_action,
        not_said: all.not_said,
        exceptions: String::new(),
    };
    let policy = settle(&mut document)?;
    document.exceptions = exceptions::section(&policy, &document.entries, enforced);
    let text = document.text().0;
    if let Err(errors) = Policy::parse(&text) {
        let first = errors.as_slice().first().map(ToString::to_string);
        return Err(Failure::internal(&format!(
            "the policy that was written is not valid: {}",
            first.unwrap_or_default()
        )));
    }
    let written = document.entries.iter().filter(|it| it.refused.is_none());
    Ok(Draft {
        found: [
            report.routes.len() - document.functions.len(),
            served.pages.len(),
            document.functions.len(),
        ],
        entries: [
            written.count(),
            document.functions.len(),
            document.statics.len(),
        ],
        todos: text
            .lines()
            .filter(|line| line.starts_with("# todo "))
            .count(),
        findings: todos.counts.clone(),
        not_said: document.not_said.len()
            + document
                .entries
                .iter()
                .filter(|it| it.refused.is_some())
                .count(),
        text,
    })
}

/// Reads what is written, and makes a comment of each entry that the reader refuses, until it refuses none. What is
/// written is valid, or nothing is.
fn settle(document: &mut Document<'_>) -> Result<Policy, Failure> {
    loop {
        let (text, lines) = document.text();
        if text.len() > bounds::FILE_BYTES_MAX {
            return Err(Failure::usage(format!(
                "the policy of this folder would be larger than a policy may be ({} bytes): run `portcullis init` in the folder of each application",
                bounds::FILE_BYTES_MAX
            )));
        }
        let errors = match Policy::parse(&text) {
            Ok(policy) => return Ok(policy),
            Err(errors) => errors,
        };
        let mut is_better = false;
        for error in errors.as_slice() {
            let at = lines
                .iter()
                .position(|(from, to)| (*from..=*to).contains(&error.line));
            let entry = at.and_then(|at| document.entries.get_mut(at));
            if let Some(entry) = entry
                && entry.refused.is_none()
            {
                entry.refused = Some(error.message.clone());
                is_better = true;
            }
        }
        if !is_better {
            let first = errors.as_slice().first().map(ToString::to_string);
            return Err(Failure::internal(&format!(
                "the policy that was written is not valid: {}",
                first.unwrap_or_default()
            )));
        }
    }
}

/// The entries of `static`, each path once.
fn statics(found: &[StaticPath], not_said: &mut Vec<NotSaid>) -> Vec<(PathTemplate, String)> {
    let mut statics: Vec<(PathTemplate, String)> = Vec::new();
    for one in found {
        let reason = match portcullis_audit::template_of(&one.path) {
            Ok(path) if statics.iter().any(|(known, _)| known.same_paths(&path)) => continue,
            Ok(path) if statics.len() < bounds::LIST_MAX => {
                statics.push((path, one.why.clone()));
                continue;
            }
            Ok(_) => format!("`static` has at most {} entries", bounds::LIST_MAX),
            Err(fault) => fault.message,
        };
        not_said.push(NotSaid {
            what: format!("GET {}", one.path),
            reason,
            place: Some(one.why.clone()),
        });
    }
    statics
}

/// Functions whose name a policy can have, each once, by name.
fn functions(found: Vec<CalledByName>, not_said: &mut Vec<NotSaid>) -> Vec<CalledByName> {
    let mut functions: Vec<CalledByName> = Vec::new();
    for one in found {
        if let Some(known) = functions.iter_mut().find(|it| it.name == one.name) {
            if entry::strictness(one.kind) > entry::strictness(known.kind) {
                known.kind = one.kind;
                known.reason = one.reason;
            }
            known.todos.extend(one.todos);
            known.todos.sort();
            known.todos.dedup();
            continue;
        }
        match one.name.parse::<FunctionName>() {
            Ok(_) => functions.push(one),
            Err(fault) => not_said.push(NotSaid {
                what: one.name,
                reason: fault.message,
                place: Some(one.place),
            }),
        }
    }
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    functions
}

impl Entry {
    fn is_written(&self) -> bool {
        self.refused.is_none()
    }
}
