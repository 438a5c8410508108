//! Reads and lowers the files of a project, in parallel and with the same result every time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::skip::{self, SkipKind};
use crate::body::Body;
use crate::language::typescript;

/// The stack of each thread: parsers recurse with the nesting of what they read, which is bounded before.
const STACK_BYTES: usize = 64 << 20;

/// A file to be read.
#[derive(Debug)]
pub(super) struct Job {
    /// Its path in the project.
    pub(super) path: String,
    /// Whether it is source, or only text.
    pub(super) is_source: bool,
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was lowered.
    Lowered(Arc<str>, Box<Body>),
    /// It is text that others read.
    Text(Arc<str>),
    /// It was passed over for what stands in it.
    Skipped(SkipKind),
    /// It could not be read.
    Unread(String),
}

/// Gives the text of a file, or the reason why there is none.
pub(crate) type Load<'a> = dyn Fn(&str) -> Result<Arc<str>, String> + Sync + 'a;

/// Reads every file; the outcomes are in the order of the jobs.
pub(super) fn read_all(
    jobs: &[Job],
    load: &Load<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Outcome> {
    let done = AtomicUsize::new(0);
    let one = |job: &Job| {
        // A panic in one file is that file unread, not the end of the audit.
        let outcome = catch_unwind(AssertUnwindSafe(|| read(job, load)))
            .unwrap_or_else(|_| Outcome::Unread("the reader failed on this file".to_owned()));
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
        outcome
    };
    in_pool(jobs.len(), || jobs.par_iter().map(one).collect()).unwrap_or_else(|reason| {
        jobs.iter()
            .map(|_| Outcome::Unread(reason.clone()))
            .collect()
    })
}

/// Runs work on threads of our own, with stacks that are large enough for parsers.
pub(crate) fn in_pool<T: Send>(tasks: usize, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(tasks)
        .max(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_BYTES)
        .build();
    Ok(pool
        .map_err(|error| format!("no thread to read it: {error}"))?
        .install(work))
}

fn read(job: &Job, load: &Load<'_>) -> Outcome {
    let text = match load(&job.path) {
        Ok(text) => text,
        Err(reason) => return Outcome::Unread(reason),
    };
    if !job.is_source {
        return Outcome::Text(text);
    }
    if let Some(kind) = skip::by_text(&job.path, &text) {
        return Outcome::Skipped(kind);
    }
    match typescript::read(&job.path, &text) {
        Ok(body) => Outcome::Lowered(text, Box::new(body)),
        Err(reason) => Outcome::Unread(reason),
    }
}
