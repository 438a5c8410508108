//! `debug-mode`: what helps developers is on for everybody.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::Meaning,
    rule::{CallContext, Check, Hit, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "debug-mode",
    class: Class::DebugMode,
    control: Control::ErrorHandling,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-489", "CWE-215"],
    asvs: &["v5.0.0-13.4.2"],
    owasp: &["A05:2021", "API8:2023"],
    summary: "a help for developers is on in production too",
    page: include_str!("debug_mode.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for known in context.rows {
        let Meaning::Debug(debug) = &known.row.meaning else {
            continue;
        };
        if context.depends_on_environment() {
            continue;
        }
        let mut hit = Hit::at(context.site(), format!("here {}", debug.shows))
            .because(
                None,
                "no test of the environment stands before it, so it is on in production too",
            )
            .fixed_by(
                "switch it on by the environment only: `process.env.NODE_ENV === 'development'`",
            );
        if debug.quiet {
            hit.severity = Some(Severity::Low);
        }
        hits.push(hit);
    }
    hits.truncate(1);
    hits
}
