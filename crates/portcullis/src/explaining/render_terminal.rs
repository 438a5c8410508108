//! An explanation for people: what became of the request, the steps that led there, and what both ends see.

use portcullis_report::harmless_line;

use super::explanation::{Explanation, LimitTold, Run, Step, Verdict};
use super::forwarding::Forwarding;
use super::paint::Paint;

/// How wide the names of phases and headings are.
const NAME_WIDTH: usize = 12;

/// How wide the outcomes of steps are.
const OUTCOME_WIDTH: usize = 13;

/// How wide the verdict of one line of many is.
const VERDICT_WIDTH: usize = 34;

/// The whole explanation. `policy` is how the policy's lines are named.
pub(crate) fn whole(told: &Explanation, policy: &str, notices: &[String], color: bool) -> String {
    let paint = Paint(color);
    let mut out = String::new();
    let title = harmless_line(&told.title).into_owned();
    line(&mut out, &format!("{}  at {}", paint.bold(&title), told.at));
    out.push('\n');
    for step in &told.steps {
        line(&mut out, &step_line(step, policy, paint));
    }
    out.push('\n');
    if told.runs.iter().map(|run| run.count).sum::<u32>() > 1 {
        line(&mut out, &named("asked", &runs(&told.runs)));
    }
    line(&mut out, &named("verdict", &verdict(told, policy, paint)));
    for (position, limit) in told.limits.iter().enumerate() {
        let name = if position == 0 { "limits" } else { "" };
        line(&mut out, &named(name, &limit_line(limit, policy)));
    }
    if !told.watched.is_empty() {
        let watched = format!("would be refused by {}", told.watched.join(", "));
        line(&mut out, &named("only watched", &paint.warning(&watched)));
    }
    for (position, left) in told.left_out.iter().enumerate() {
        let name = if position == 0 { "not enforced" } else { "" };
        let condition = if left.conditional {
            " (needed where a cookie authenticates)"
        } else {
            ""
        };
        let why = match &left.exception {
            Some((line, until)) => {
                format!("left to the application until {until} ({policy}:{line})")
            }
            None => {
                "not known to this version, and no exception says who looks after it".to_owned()
            }
        };
        let text = format!("{}{condition}: {why}", left.control);
        line(&mut out, &named(name, &paint.warning(&text)));
    }
    if let Some(forwarding) = &told.forwarding {
        out.push('\n');
        forwarded(&mut out, forwarding);
    }
    client_reads(&mut out, told);
    for notice in notices {
        line(&mut out, &format!("\n{} {notice}", paint.warning("note:")));
    }
    out
}

/// One request of many on one line.
pub(crate) fn one_line(number: usize, told: &Explanation, paint: Paint) -> String {
    let plain = short_verdict(told);
    let padded = format!("{plain:<VERDICT_WIDTH$}");
    let verdict = painted(told.verdict, &padded, paint);
    let title = harmless_line(&told.title).into_owned();
    let route = match &told.route {
        Some(route) => format!("  by {}", route.path),
        None => String::new(),
    };
    format!("{number:>6}  {verdict}  {title}{}\n", paint.dim(&route))
}

/// `deny 429 rate_limited`.
pub(crate) fn short_verdict(told: &Explanation) -> String {
    let mut text = told.verdict.as_str().to_owned();
    if let Some(status) = told.status {
        text.push_str(&format!(" {status}"));
    }
    if let Some(reason) = told.reason {
        text.push_str(&format!(" {reason}"));
    }
    text
}

fn step_line(step: &Step, policy: &str, paint: Paint) -> String {
    let name = format!("{:<NAME_WIDTH$}", step.phase);
    let outcome = format!("{:<OUTCOME_WIDTH$}", step.outcome.replace('_', " "));
    let outcome = match step.outcome {
        "passed" | "answered" => paint.good(&outcome),
        "refused" => paint.bad(&outcome),
        "watched" | "not_enforced" => paint.warning(&outcome),
        _ => paint.dim(&outcome),
    };
    let reason = step.reason.unwrap_or_default();
    let separator = if reason.is_empty() || step.why.is_empty() {
        ""
    } else {
        ": "
    };
    let why = harmless_line(&step.why);
    let place = at_line(step.line, policy);
    format!("  {name}  {outcome}  {reason}{separator}{why}{place}")
}

fn verdict(told: &Explanation, policy: &str, paint: Paint) -> String {
    let route = match &told.route {
        Some(route) => format!(" by {} {}", route.methods.join(" "), route.path),
        None => String::new(),
    };
    let place = at_line(told.line, policy);
    let text = match (told.verdict, told.client_reads.status) {
        (Verdict::Allow, _) => "allowed".to_owned(),
        (Verdict::Deny, Some((status, title))) => format!("refused, {status} {title}"),
        (Verdict::Deny, None) => "refused".to_owned(),
        (Verdict::Answer, _) => "answered by the guard itself, 204".to_owned(),
    };
    let reason = match told.reason {
        Some(reason) => format!(": {reason}"),
        None => String::new(),
    };
    let strong = paint.bold(&painted(told.verdict, &text, paint));
    format!("{strong}{reason}{route}{place}")
}

fn painted(verdict: Verdict, text: &str, paint: Paint) -> String {
    match verdict {
        Verdict::Allow | Verdict::Answer => paint.good(text),
        Verdict::Deny => paint.bad(text),
    }
}

/// `10 allowed, then 1 refused: rate_limited`.
fn runs(runs: &[Run]) -> String {
    /// Changes between answers that are shown.
    const SHOWN: usize = 10;
    let all: u64 = runs.iter().map(|run| u64::from(run.count)).sum();
    let mut parts: Vec<String> = runs
        .iter()
        .take(SHOWN)
        .map(|run| {
            let word = match run.verdict {
                Verdict::Allow => "allowed",
                Verdict::Deny => "refused",
                Verdict::Answer => "answered",
            };
            match run.reason {
                Some(reason) => format!("{} {word} ({reason})", run.count),
                None => format!("{} {word}", run.count),
            }
        })
        .collect();
    if runs.len() > SHOWN {
        parts.push("and so on".to_owned());
    }
    format!("{all} times: {}; this is the last", parts.join(", then "))
}

fn limit_line(limit: &LimitTold, policy: &str) -> String {
    let left = if limit.admitted {
        format!("{} of {} left", limit.remaining, limit.capacity)
    } else {
        match limit.retry_after {
            Some(wait) => format!("reached, again in {wait} s"),
            None => "reached".to_owned(),
        }
    };
    let failures = if limit.counts == "failures" {
        " failures"
    } else {
        ""
    };
    let (name, rate) = (&limit.name, &limit.rate);
    let (algorithm, by) = (limit.algorithm, limit.by.join(" and by "));
    let place = match limit.line {
        Some(_) => at_line(limit.line, policy),
        None => "  (a default)".to_owned(),
    };
    format!("{name}: {rate}{failures}, {algorithm}, by {by}: {left}{place}")
}

fn forwarded(out: &mut String, forwarding: &Forwarding) {
    if !forwarding.kept.is_empty() {
        line(out, &named("forwarded", &forwarding.kept.join(", ")));
    }
    let is_written = |name: &str| {
        let mut names = forwarding.written.iter().map(|(one, _)| one);
        names.any(|one| one.eq_ignore_ascii_case(name))
    };
    // What is written anew under its own name stands below, and needs no line here.
    let gone = forwarding.stripped.iter();
    let gone = gone.filter(|(name, _)| !is_written(name));
    for (position, (name, why)) in gone.enumerate() {
        let heading = if position == 0 { "left out" } else { "" };
        line(out, &named(heading, &format!("{name}: {why}")));
    }
    let written: Vec<String> = forwarding
        .written
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}: {value}"),
            None => (*name).to_owned(),
        })
        .collect();
    line(out, &named("written", &written.join(", ")));
}

fn client_reads(out: &mut String, told: &Explanation) {
    let read = &told.client_reads;
    if read.status.is_none() && read.headers.is_empty() {
        return;
    }
    out.push('\n');
    let first = match read.status {
        Some((status, title)) => format!("{status} {title}"),
        None => "the application's answer, and".to_owned(),
    };
    line(out, &named("client reads", &first));
    for (name, value) in &read.headers {
        line(out, &named("", &format!("{name}: {value}")));
    }
    if let Some(body) = &read.body {
        line(out, &named("", body));
    }
}

fn named(name: &str, text: &str) -> String {
    format!("{name:<NAME_WIDTH$}  {text}")
}

fn at_line(line: Option<usize>, policy: &str) -> String {
    match line {
        Some(line) => format!("  ({policy}:{line})"),
        None => String::new(),
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}
