//! A rule's page for people at a terminal.

use super::summary::Paint;
use super::terminal::line;
use crate::{RuleCard, harmless, word};

/// What the comment that marks a found line in an example becomes.
const FOUND_HERE: &str = "<-- found here";

/// The facts of the rule, then its page.
#[must_use]
pub fn explain(card: &RuleCard, color: bool) -> String {
    let paint = Paint(color);
    let mut out = String::new();
    line(
        &mut out,
        format_args!("{}: {}", paint.bold(card.id), card.summary),
    );
    line(
        &mut out,
        format_args!(
            "{} severity, {} confidence, basis {}, class {}, control {}",
            paint.severity(card.severity, card.severity.as_str()),
            card.confidence.as_str(),
            card.basis.as_str(),
            card.class,
            word(&card.control),
        ),
    );
    let references: Vec<&str> = [card.cwe, card.owasp, card.asvs].concat();
    if !references.is_empty() {
        line(&mut out, format_args!("{}", references.join(", ")));
    }
    body(&mut out, card, paint);
    line(
        &mut out,
        format_args!(
            "\nto let one stand: a comment `portcullis-ignore[{}]: reason (until YYYY-MM-DD)`",
            card.id
        ),
    );
    out
}

/// Headings stand out, code is indented and has its file's name above it; the rest is text as it is written.
fn body(out: &mut String, card: &RuleCard, paint: Paint) {
    let mut in_code = false;
    let mut blank = true;
    out.push('\n');
    for text in card.page.lines().map(harmless) {
        if let Some(fence) = text.strip_prefix("```") {
            in_code = !in_code;
            if let Some((_, file)) = fence.split_once(' ').filter(|_| in_code) {
                line(out, format_args!("    {file}"));
            }
            blank = false;
            continue;
        }
        if in_code {
            line(out, format_args!("    | {}", without_marks(&text)));
        } else if let Some(heading) = text.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            // The page's title is the rule's id, which stands above already.
            if heading != card.id {
                line(out, format_args!("{}", paint.bold(heading)));
                blank = false;
            }
        } else if !(blank && text.is_empty()) {
            line(out, format_args!("{text}"));
            blank = text.is_empty();
        }
    }
}

fn without_marks(code: &str) -> String {
    let mark = ["//~", "#~", "--~"]
        .into_iter()
        .find_map(|mark| code.split_once(mark));
    match mark {
        Some((code, _)) => format!("{}   {FOUND_HERE}", code.trim_end()),
        None => code.to_owned(),
    }
}
