//! `portcullis trail query`: the newest records that were asked for.

use portcullis_policy::event::LineHash;
use portcullis_state::trail::Body;

use super::{failed, fields, filter, nothing, open};
use crate::args::{QueryArgs, QueryFormat};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// The columns of the table. The rest is in the JSON.
const COLUMNS: [&str; 11] = [
    "seq",
    "time",
    "kind",
    "user",
    "tenant",
    "method",
    "route",
    "target",
    "reason",
    "status",
    "request_id",
];

/// The widest a column gets, in characters.
const WIDTH_MAX: usize = 48;

pub(crate) fn run(args: &QueryArgs, environment: &Environment) -> Result<Exit, Failure> {
    let filter = filter(&args.wanted, &args.place)?;
    let Some(mut reader) = open(&args.place)? else {
        return Ok(Exit::NothingToRead);
    };
    let found = reader
        .newest(&filter, args.limit)
        .map_err(|error| failed(&error))?;
    if found.is_empty() {
        return Ok(nothing("no record is as you asked"));
    }
    let format = args.format.unwrap_or(if environment.stdout_is_terminal {
        QueryFormat::Table
    } else {
        QueryFormat::Json
    });
    let text = match format {
        QueryFormat::Table => table(&found),
        QueryFormat::Json => found
            .iter()
            .map(|(body, hash)| fields::json_line(body, *hash))
            .collect(),
    };
    output::write(&text, None)?;
    Ok(Exit::Clean)
}

fn table(found: &[(Body, LineHash)]) -> String {
    let head = COLUMNS.map(str::to_owned).to_vec();
    let rows = found.iter().map(|(body, hash)| {
        let all = fields::of(body, *hash);
        let cell = |name: &str| shortened(&all.get(name).map(fields::shown).unwrap_or_default());
        COLUMNS.into_iter().map(cell).collect::<Vec<_>>()
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let mut widths = [0; COLUMNS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    });
    lines.collect()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= WIDTH_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(WIDTH_MAX - 1).collect();
    format!("{kept}…")
}
