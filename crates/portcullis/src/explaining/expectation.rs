//! `Expectation`: one `[[expect]]` of a file that says what a policy has to answer.

use std::ops::Range;
use std::path::Path;

use portcullis_policy::closest;
use toml_edit::{Document, Item, TableLike};

use super::TIMES_MAX;
use super::asked::{ANSWER, Asked, SOMEBODY};
use super::explanation::{Explanation, Verdict};
use super::moment::Moment;
use super::text_file::read_text;
use super::toml_table::{TomlFaults, TomlTable, quoted, strings, too_deep};
use crate::failure::Failure;

/// The largest file of expectations.
const FILE_BYTES_MAX: usize = 1 << 20;

/// The most expectations of one file.
const EXPECTATIONS_MAX: usize = 10_000;

/// The most requests that one file asks for together.
const REQUESTS_MAX: u64 = 1_000_000;

/// A request, and what has to become of it.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    pub(crate) asked: Asked,
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) route: Option<String>,
    /// The line of the file that it begins at.
    pub(crate) line: usize,
}

impl Expectation {
    /// Whether it is so.
    pub(crate) fn holds(&self, told: &Explanation) -> bool {
        let route = told.route.as_ref().map(|route| route.path.as_str());
        self.verdict == told.verdict
            && self
                .reason
                .as_deref()
                .is_none_or(|code| told.reason == Some(code))
            && self.status.is_none_or(|status| told.status == Some(status))
            && self.route.as_deref().is_none_or(|path| route == Some(path))
    }
}

/// Reads a file; says all at once what is wrong with it.
pub(crate) fn read(path: &Path, today: Moment) -> Result<Vec<Expectation>, Failure> {
    let text = read_text(path, FILE_BYTES_MAX)?;
    let mut faults = TomlFaults::of(&text);
    let expectations = read_all(&text, today, &mut faults);
    match faults.told(&path.display().to_string()) {
        None => Ok(expectations),
        Some(told) => Err(Failure::usage(format!(
            "the expectations cannot be used\n{told}"
        ))),
    }
}

fn read_all(text: &str, today: Moment, faults: &mut TomlFaults) -> Vec<Expectation> {
    if let Some(place) = too_deep(text) {
        faults.add(&place, "this nests too deep");
        return Vec::new();
    }
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or_default();
            faults.add(&span, format!("no TOML: {}", error.message()));
            return Vec::new();
        }
    };
    let mut file = TomlTable::new(document.as_table(), 0..0, "the file");
    let entries = file.get("expect");
    file.finish(faults);
    let Some((entries, span)) = entries else {
        return Vec::new();
    };
    let Some(tables) = tables(entries, &span) else {
        faults.add(
            &span,
            "each expectation is a table of its own: `[[expect]]`",
        );
        return Vec::new();
    };
    if tables.len() > EXPECTATIONS_MAX {
        faults.add(&span, format!("at most {EXPECTATIONS_MAX} expectations"));
        return Vec::new();
    }
    let mut left = REQUESTS_MAX;
    let mut all = Vec::new();
    for (table, span) in tables {
        let Some(one) = read_one(table, span.clone(), today, faults) else {
            continue;
        };
        let times = u64::from(one.asked.times);
        if times > left {
            faults.add(&span, format!("at most {REQUESTS_MAX} requests in all"));
            break;
        }
        left -= times;
        all.push(one);
    }
    all
}

type Placed<'i> = (&'i dyn TableLike, Range<usize>);

fn tables<'i>(item: &'i Item, span: &Range<usize>) -> Option<Vec<Placed<'i>>> {
    if let Some(tables) = item.as_array_of_tables() {
        let placed = |table: &'i toml_edit::Table| {
            let table: Placed<'i> = (table, table.span().unwrap_or_else(|| span.clone()));
            table
        };
        return Some(tables.iter().map(placed).collect());
    }
    item.as_array()?
        .iter()
        .map(|value| {
            let table = value.as_inline_table()?;
            let placed: Placed<'i> = (table, value.span().unwrap_or_else(|| span.clone()));
            Some(placed)
        })
        .collect()
}

fn read_one(
    table: &dyn TableLike,
    span: Range<usize>,
    today: Moment,
    faults: &mut TomlFaults,
) -> Option<Expectation> {
    let mut table = TomlTable::new(table, span.clone(), "an expectation");
    let request = read_request(&mut table, faults);
    let verdict = read_verdict(&mut table, faults);
    let headers = read_headers(&mut table, faults);
    let body = table.text("body", faults);
    let peer = table.text("peer", faults).and_then(|(text, span)| {
        let peer = text.parse().ok();
        if peer.is_none() {
            faults.add(&span, format!("{} is no IP address", quoted(text)));
        }
        peer
    });
    let at = table.text("at", faults).and_then(|(text, span)| {
        let at = text.parse::<Moment>();
        at.map_err(|error| faults.add(&span, error)).ok()
    });
    let times = table.number("times", 1..TIMES_MAX + 1, faults);
    let answer = table.number("answer", 100..600, faults);
    let reason = table.text("reason", faults);
    let status = table.number("status", 100..600, faults);
    let route = table.text("route", faults);
    let user = table.text("as", faults);
    if verdict == Some(Verdict::Allow) {
        for (key, is_there) in [("reason", reason.is_some()), ("status", status.is_some())] {
            if is_there {
                let message = format!(
                    "`{key}` is of a refusal: what is allowed is answered by the application"
                );
                faults.add(&span, message);
            }
        }
    }
    table.finish(faults);
    let (method, url) = request?;
    let small = |number: u32| u16::try_from(number).ok();
    Some(Expectation {
        asked: Asked {
            method,
            url,
            headers: headers?,
            body: body.map(|(text, _)| text.as_bytes().to_vec()),
            peer: peer.unwrap_or(SOMEBODY),
            at: at.unwrap_or(today),
            user: user.map(|(text, _)| text.to_owned()),
            times: times.unwrap_or(1),
            answer: answer.and_then(small).unwrap_or(ANSWER),
        },
        verdict: verdict?,
        reason: reason.map(|(text, _)| text.to_owned()),
        status: status.and_then(small),
        route: route.map(|(text, _)| text.to_owned()),
        line: faults.line(span.start),
    })
}

/// `METHOD URL`.
fn read_request(table: &mut TomlTable<'_>, faults: &mut TomlFaults) -> Option<(String, String)> {
    let Some((text, span)) = table.text("request", faults) else {
        if !table.has("request") {
            faults.add(&table.span(), "an expectation needs `request`");
        }
        return None;
    };
    let request = text.split_once(' ').filter(|(_, url)| !url.is_empty());
    if request.is_none() {
        let message = format!("{} is no request: write `GET /path`", quoted(text));
        faults.add(&span, message);
    }
    let (method, url) = request?;
    Some((method.to_owned(), url.to_owned()))
}

fn read_verdict(table: &mut TomlTable<'_>, faults: &mut TomlFaults) -> Option<Verdict> {
    let all = [Verdict::Allow, Verdict::Deny, Verdict::Answer];
    let Some((text, span)) = table.text("verdict", faults) else {
        if !table.has("verdict") {
            faults.add(&table.span(), "an expectation needs `verdict`");
        }
        return None;
    };
    let verdict = all.into_iter().find(|verdict| verdict.as_str() == text);
    if verdict.is_none() {
        let hint = match closest(text, all.map(Verdict::as_str)) {
            Some(near) => format!(" (did you mean `{near}`?)"),
            None => ": use `allow`, `deny` or `answer`".to_owned(),
        };
        faults.add(&span, format!("unknown verdict {}{hint}", quoted(text)));
    }
    verdict
}

/// A table of names and values; a value that is a list stands for a header that is sent more than once.
fn read_headers(
    table: &mut TomlTable<'_>,
    faults: &mut TomlFaults,
) -> Option<Vec<(String, String)>> {
    let Some((item, span)) = table.get("headers") else {
        return Some(Vec::new());
    };
    let Some(headers) = item.as_table_like() else {
        faults.add(&span, "`headers` is a table of names and values");
        return None;
    };
    let mut all = Vec::new();
    for (name, value) in headers.iter() {
        match strings(value) {
            Some(values) => all.extend(values.into_iter().map(|value| (name.to_owned(), value))),
            None => {
                let span = value.span().unwrap_or_else(|| span.clone());
                let message = format!("the header {} is a string, or a list of some", quoted(name));
                faults.add(&span, message);
            }
        }
    }
    Some(all)
}
