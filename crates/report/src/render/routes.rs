//! The inventory for people: a table of every route, and the reason for every word of it.

use super::terminal::{line, position};
use crate::{Answer, Location, Report, RouteRecord, harmless_line, word};

const HEADINGS: [&str; 9] = [
    "METHOD", "PATH", "TYPE", "AUTH", "CSRF", "LIMIT", "VALID", "OWNER", "WHERE",
];

/// One line per route, in columns; below them the pages that write.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut out = columns(&report.routes);
    if !report.pages.is_empty() {
        line(
            &mut out,
            format_args!("\npages that write when they are opened:"),
        );
        out.push_str(&columns(&report.pages));
    }
    unread(&mut out, report);
    out
}

fn columns(routes: &[RouteRecord]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(routes.iter().map(row));
    let mut widths = [0; HEADINGS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in &rows {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(widths) {
            text.push_str(&format!("{cell:width$}  "));
        }
        line(&mut out, format_args!("{}", text.trim_end()));
    }
    out
}

/// Each of the routes with the reason for every word.
#[must_use]
pub fn why<'a>(routes: impl IntoIterator<Item = &'a RouteRecord>) -> String {
    let mut out = String::new();
    for route in routes {
        if !out.is_empty() {
            out.push('\n');
        }
        line(
            &mut out,
            format_args!(
                "{}  {} ({})",
                harmless_line(&route.name()),
                position(&route.location),
                harmless_line(&route.framework)
            ),
        );
        reasons(&mut out, route);
    }
    out
}

fn row(route: &RouteRecord) -> [String; HEADINGS.len()] {
    [
        harmless_line(&route.method.to_string()).into_owned(),
        harmless_line(&route.path).into_owned(),
        word(&route.route_type),
        word(&route.auth),
        answer(route.csrf).to_owned(),
        answer(route.rate_limit).to_owned(),
        answer(route.validated).to_owned(),
        word(&route.ownership),
        position(&route.location),
    ]
}

fn reasons(out: &mut String, route: &RouteRecord) {
    let mut auth = word(&route.auth);
    if let Some(place) = &route.auth_where {
        auth = format!("{auth} ({})", word(place));
    }
    let attributes = [
        ("auth", auth),
        ("csrf", answer(route.csrf).to_owned()),
        ("rate_limit", answer(route.rate_limit).to_owned()),
        ("validated", answer(route.validated).to_owned()),
        ("ownership", word(&route.ownership)),
    ];
    entry(
        out,
        "route_type",
        &word(&route.route_type),
        &route.type_reason,
        None,
    );
    because(out, route, "route_type");
    for (attribute, value) in &attributes {
        entry(out, attribute, value, "", None);
        because(out, route, attribute);
    }
    let known = |attribute: &str| {
        attribute == "route_type" || attributes.iter().any(|(name, _)| *name == attribute)
    };
    for reason in &route.reasons {
        if !known(&reason.attribute) {
            entry(
                out,
                &reason.attribute,
                "",
                &reason.text,
                reason.location.as_ref(),
            );
        }
    }
    for guard in &route.guards {
        let text = format!(
            "via {}, on failure {}, known from {}",
            guard.via, guard.on_fail, guard.source
        );
        entry(
            out,
            "guard",
            &word(&guard.what),
            &text,
            Some(&guard.location),
        );
    }
    for condition in &route.conditions {
        entry(out, "condition", "", condition, None);
    }
    for unknown in &route.unknowns {
        entry(
            out,
            "unknown",
            &unknown.code,
            &unknown.reason,
            unknown.location.as_ref(),
        );
    }
}

/// The reasons for one attribute, below it.
fn because(out: &mut String, route: &RouteRecord, attribute: &str) {
    for reason in &route.reasons {
        if reason.attribute == attribute {
            entry(out, "", "", &reason.text, reason.location.as_ref());
        }
    }
}

fn entry(out: &mut String, name: &str, value: &str, text: &str, location: Option<&Location>) {
    let name = harmless_line(name);
    let between = if value.is_empty() || text.is_empty() {
        ""
    } else {
        ": "
    };
    let value = harmless_line(value);
    let text = harmless_line(text);
    let place = match location {
        Some(location) => format!(" ({})", position(location)),
        None => String::new(),
    };
    line(
        out,
        format_args!("  {name:11} {value}{between}{text}{place}"),
    );
}

fn unread(out: &mut String, report: &Report) {
    if report.unread.is_empty() {
        return;
    }
    line(
        out,
        format_args!("\nnot read, routes in it are missing here:"),
    );
    for unread in &report.unread {
        line(
            out,
            format_args!(
                "  {}: {}",
                harmless_line(&unread.file),
                harmless_line(&unread.reason)
            ),
        );
    }
}

const fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::NotApplicable => "-",
        Answer::Unknown => "unknown",
    }
}
