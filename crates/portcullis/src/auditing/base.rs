//! `--policy-from`: a change must not loosen the policy that it is held against, so the policy is that of another revision.

use std::path::{Path, PathBuf};

use portcullis_policy::{Except, Guard, Policy};
use portcullis_report::{BaseComments, IGNORE_MARK};

use crate::args::{AuditArgs, Reading};
use crate::failure::Failure;
use crate::git::Repository;
use crate::policy_source::{NAME, PolicySource};

const OPTION: &str = "--policy-from";
/// How many digits of a commit are shown.
const SHOWN: usize = 12;

/// The revision whose policy, baseline and comments count.
#[derive(Debug)]
pub(crate) struct Base {
    repository: Repository,
}

impl Base {
    /// The revision, if one was named.
    pub(crate) fn of(args: &AuditArgs) -> Result<Option<Self>, Failure> {
        let Some(name) = &args.policy_from else {
            return Ok(None);
        };
        let repository = Repository::at(&args.reading.dir, name, OPTION)?;
        Ok(Some(Self { repository }))
    }

    /// The policy of the revision.
    pub(crate) fn policy(&self, reading: &Reading) -> Result<PolicySource, Failure> {
        let path = path_of(reading);
        let text = self.file(&path, &reading.dir)?;
        PolicySource::of_revision(text.as_deref(), &path, &reading.dir, self.repository.name())
    }

    /// A file of the folder as the revision has it.
    pub(crate) fn file(&self, path: &Path, dir: &Path) -> Result<Option<String>, Failure> {
        let inside = inside(path, dir)?;
        self.repository.file(&inside, OPTION)
    }

    /// The comments of the revision.
    pub(crate) fn comments(&self) -> Result<BaseComments, Failure> {
        let mut comments = BaseComments::of(self.repository.name());
        for (file, line) in self.repository.lines_with(IGNORE_MARK, OPTION)? {
            comments.read(&file, &line);
        }
        Ok(comments)
    }

    /// What a reader of the report has to know: whose policy it was, and what the folder's own would have changed.
    pub(crate) fn told(&self, reading: &Reading) -> Result<Vec<String>, Failure> {
        let used = self.policy(reading)?;
        let commit: String = self.repository.id().chars().take(SHOWN).collect();
        let whose = format!(
            "the policy, the baseline and the `{IGNORE_MARK}` comments are those of `{}` (commit {commit})",
            self.repository.name()
        );
        let mut told = vec![match &used.digest {
            Some(_) => whose,
            None => format!("{whose}, which has no policy"),
        }];
        let own = match PolicySource::find(reading.policy.as_deref(), &reading.dir) {
            Ok(own) => own,
            Err(failure) => {
                told.push(format!(
                    "the folder's own policy was not used, and could not be: {}",
                    failure.message()
                ));
                return Ok(told);
            }
        };
        if own.digest != used.digest {
            told.push(match (&used.digest, &own.digest) {
                (_, None) => format!("the change takes `{}` away", used.file),
                (None, Some(_)) => format!("the change adds `{}`, which was not used", own.file),
                (Some(_), Some(_)) => {
                    format!("the change has another `{}`, which was not used", own.file)
                }
            });
            told.extend(added(&used.policy, &own.policy));
        }
        Ok(told)
    }
}

/// What the folder's policy would allow or believe beyond the one that was used.
fn added(used: &Policy, own: &Policy) -> Vec<String> {
    let same_except = |one: &Except, other: &Except| {
        one.lacks == other.lacks && one.route.is(&other.route) && one.until <= other.until
    };
    let excepts = own
        .excepts()
        .iter()
        .filter(|except| {
            !used
                .excepts()
                .iter()
                .any(|known| same_except(except, known))
        })
        .map(|except| {
            format!(
                "the change excepts `{}` from `{}` until {} ({}): not used",
                except.route, except.lacks, except.until, except.because
            )
        });
    let same_guard = |one: &Guard, other: &Guard| {
        let (mut one, mut other) = (one.clone(), other.clone());
        // Where it is written does not matter.
        one.place = other.place.clone();
        other.place = one.place.clone();
        one == other
    };
    let guards = own
        .guards()
        .iter()
        .filter(|guard| !used.guards().iter().any(|known| same_guard(guard, known)))
        .map(|guard| {
            format!(
                "the change says of `{}` that it guards: not used",
                guard.symbol
            )
        });
    excepts.chain(guards).collect()
}

/// Where the folder has its policy, or would have it.
fn path_of(reading: &Reading) -> PathBuf {
    reading
        .policy
        .clone()
        .unwrap_or_else(|| reading.dir.join(NAME))
}

/// A path relative to the folder; a revision has no file elsewhere.
fn inside(path: &Path, dir: &Path) -> Result<String, Failure> {
    let outside = || {
        Failure::usage(format!(
            "`{OPTION}` takes `{}` from a revision, and it does not lie in `{}`",
            path.display(),
            dir.display()
        ))
    };
    let absolute = |path: &Path| std::path::absolute(path).map_err(|_error| outside());
    let (path, dir) = (absolute(path)?, absolute(dir)?);
    let inside = path.strip_prefix(&dir).map_err(|_error| outside())?;
    let text = inside.to_str().ok_or_else(outside)?;
    if text.is_empty() || text.split('/').any(|part| part == "..") {
        return Err(outside());
    }
    Ok(text.replace('\\', "/"))
}
