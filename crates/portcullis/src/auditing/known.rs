//! `--baseline` and `--write-baseline`: what is known, read and written.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use portcullis_audit::Options;
use portcullis_report::{BASELINE_BYTES_MAX, Baseline, Report, Standing};

use super::Base;
use crate::args::AuditArgs;
use crate::failure::Failure;

/// A baseline and what the report calls its file.
#[derive(Debug)]
pub(crate) struct Known {
    baseline: Baseline,
    name: String,
}

/// The baseline, if one was named: of the folder, or of the revision whose policy counts.
pub(crate) fn read(args: &AuditArgs, base: Option<&Base>) -> Result<Option<Known>, Failure> {
    let Some(path) = &args.baseline else {
        return Ok(None);
    };
    let shown = path.display();
    let text = match base {
        Some(base) => base.file(path, &args.reading.dir)?.ok_or_else(|| {
            let revision = args.policy_from.as_deref().unwrap_or_default();
            Failure::usage(format!(
                "there is no baseline `{shown}` in `{revision}`; leave `--baseline` out until it is merged"
            ))
        })?,
        None => text_of(path)
            .map_err(|error| Failure::caused(&format!("cannot read the baseline `{shown}`; `--write-baseline` makes one"), &error))?,
    };
    let baseline = Baseline::parse(&text)
        .map_err(|error| Failure::caused(&format!("cannot use the baseline `{shown}`"), &error))?;
    Ok(Some(Known {
        baseline,
        name: name_of(path, &args.reading.dir),
    }))
}

impl Known {
    /// Suppresses what is known. `partly`: the report was cut down, and what is missing need not be gone.
    pub(crate) fn apply(&self, report: &mut Report, options: &Options, partly: bool) {
        let standing = |rule: &str| match options.standing(rule) {
            // A rule that there is no more finds nothing any more.
            Standing::Unknown | Standing::Ran if !partly => Standing::Ran,
            _ => Standing::NotRun,
        };
        self.baseline.apply(report, &self.name, &standing);
    }
}

/// The baseline that is to be written, with its path. What is written is known from then on: it is suppressed in the report too.
pub(crate) fn write<'a>(
    args: &'a AuditArgs,
    report: &mut Report,
    options: &Options,
) -> Result<Option<(&'a Path, String)>, Failure> {
    let Some(path) = &args.write_baseline else {
        return Ok(None);
    };
    let baseline = Baseline::of(report);
    let text = baseline
        .text()
        .map_err(|error| Failure::internal(&error.to_string()))?;
    let name = name_of(path, &args.reading.dir);
    Known { baseline, name }.apply(report, options, true);
    Ok(Some((path, text)))
}

/// What the report calls the file: as it lies in the folder, else by its name.
fn name_of(path: &Path, dir: &Path) -> String {
    let name = match path.strip_prefix(dir) {
        Ok(inside) => inside,
        Err(_outside) if path.is_absolute() => Path::new(path.file_name().unwrap_or_default()),
        Err(_outside) => path,
    };
    name.to_string_lossy().replace('\\', "/")
}

fn text_of(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    file.take(BASELINE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
