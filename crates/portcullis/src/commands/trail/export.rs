//! `portcullis trail export`: all records that were asked for, a page at a time, so that a trail of any length takes the
//! same memory.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write, stdout};

use portcullis_state::trail::{TrailFilter, TrailReader};
use serde_json::Value;

use super::{failed, fields, filter, nothing, open};
use crate::args::{ExportArgs, ExportFormat};
use crate::exit::Exit;
use crate::failure::Failure;

/// Records that are read at once.
const PAGE: u32 = 1_000;

pub(crate) fn run(args: &ExportArgs) -> Result<Exit, Failure> {
    let filter = filter(&args.wanted, &args.place)?;
    let Some(mut reader) = open(&args.place)? else {
        return Ok(Exit::NothingToRead);
    };
    let name = args.output.as_deref();
    let cannot = |error: &io::Error| {
        let place = match name {
            Some(path) => format!("cannot write `{}`", path.display()),
            None => "cannot write to standard output".to_owned(),
        };
        Failure::caused(&place, error)
    };
    let out: Box<dyn Write> = match name {
        Some(path) => Box::new(File::create(path).map_err(|error| cannot(&error))?),
        None => Box::new(stdout().lock()),
    };
    let mut out = BufWriter::new(out);
    match export(&mut reader, &filter, args.format, &mut out) {
        Ok(0) => Ok(nothing("no record is as you asked")),
        Ok(_) => Ok(Exit::Clean),
        // A reader that has seen enough (`| head`) is not an error.
        Err(Stopped::Writing(error)) if name.is_none() && error.kind() == ErrorKind::BrokenPipe => {
            Ok(Exit::Clean)
        }
        Err(Stopped::Writing(error)) => Err(cannot(&error)),
        Err(Stopped::Reading(failure)) => Err(failure),
    }
}

enum Stopped {
    Reading(Failure),
    Writing(io::Error),
}

/// Says how many records it wrote.
fn export(
    reader: &mut TrailReader,
    filter: &TrailFilter,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, Stopped> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = reader
            .after(after, filter, PAGE)
            .map_err(|error| Stopped::Reading(failed(&error)))?;
        if count == 0 && format == ExportFormat::Csv && !page.is_empty() {
            let names = fields::NAMES.map(|name| Value::String(name.to_owned()));
            let line = fields::csv_line(names.iter());
            out.write_all(line.as_bytes()).map_err(Stopped::Writing)?;
        }
        for (body, hash) in &page {
            let line = match format {
                ExportFormat::Json => fields::json_line(body, *hash),
                ExportFormat::Csv => fields::csv_line(fields::of(body, *hash).values()),
            };
            out.write_all(line.as_bytes()).map_err(Stopped::Writing)?;
            count += 1;
        }
        match page.last() {
            Some((last, _)) => after = last.seq,
            None => break,
        }
    }
    out.flush().map_err(Stopped::Writing)?;
    Ok(count)
}
