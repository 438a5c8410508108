//! `x-powered-by-exposed`: every answer of an application names the framework that gave it.

use portcullis_code::{
    body::{Const, ExprKind},
    machine::EventKind,
    project::Module,
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::Meaning,
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "x-powered-by-exposed",
    class: Class::InfoLeak,
    control: Control::SecurityHeaders,
    severity: Severity::Low,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-497"],
    asvs: &["v5.0.0-13.4.6"],
    owasp: &["A05:2021", "API8:2023"],
    summary: "a header of every answer names the framework",
    page: include_str!("x_powered_by_exposed.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let application = context
        .rows
        .iter()
        .find_map(|known| match &known.row.meaning {
            Meaning::Application(application) => Some(application),
            _ => None,
        });
    let Some((application, banner)) = application.and_then(|it| Some((it, it.banner.as_deref()?)))
    else {
        return Vec::new();
    };
    if context.route.is_some() || is_removed(context, banner) || is_named(context, banner) {
        return Vec::new();
    }
    let off = match &application.banner_off {
        Some(code) => format!("switch it off (`{code}`)"),
        None => "switch it off".to_owned(),
    };
    let hit = Hit::at(
        context.site(),
        format!("each answer of this application says in `{banner}` what made it"),
    );
    vec![
        hit.because(
            None,
            format!("nothing switches `{banner}` off, and nothing takes it away"),
        )
        .fixed_by(format!(
            "{off}, or let a middleware that sets security headers take it away"
        )),
    ]
}

/// Whether a middleware that was made takes the header away.
fn is_removed(context: &CallContext<'_>, banner: &str) -> bool {
    let values = &context.machine.values;
    context.events.iter().any(|event| {
        let EventKind::Call(call) = event.kind else {
            return false;
        };
        let rows = context.bench.knowledge.of_call(values, call);
        rows.iter().any(|known| {
            let Meaning::Headers(headers) = &known.row.meaning else {
                return false;
            };
            let kept = headers.removes_unless_false.iter().any(|place| {
                matches!(Setting::at(values, known, place), Setting::Given(value)
                    if values.as_const(value) == Some(Const::Bool(false)))
            });
            headers.removes.as_deref() == Some(banner) && !kept
        })
    })
}

/// Whether any module names the header: who does has thought of it, and may take it away where no row can tell.
fn is_named(context: &CallContext<'_>, banner: &str) -> bool {
    let names = |module: &Module| {
        module.body.exprs.iter().any(|expr| {
            matches!(&expr.kind, ExprKind::Const(Const::Str(text)) if text.eq_ignore_ascii_case(banner))
        })
    };
    context.machine.project.modules().iter().any(names)
}
