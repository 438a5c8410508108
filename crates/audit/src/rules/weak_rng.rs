//! `weak-rng`: what lets somebody in comes from a generator whose numbers can be computed.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use portcullis_code::value::ValueId;

use crate::{
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    secrets::{Ingredients, Use, codes, granted, lets_in},
};

pub(super) static RULE: Rule = Rule {
    id: "weak-rng",
    class: Class::WeakRng,
    control: Control::Token,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-338"],
    asvs: &["v5.0.0-11.5.1"],
    owasp: &["A02:2021", "API2:2023"],
    summary: "a token, a code or a password comes from a generator whose numbers can be computed",
    page: include_str!("weak_rng.md"),
    check: Check::RouteThen(check, lets_in),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for grant in granted(context) {
        let Some(site) = guessable(context, grant.value) else {
            continue;
        };
        if hits.iter().any(|hit| hit.site == site) {
            continue;
        }
        let mut hit = hit(site, &grant.name).because(
            Some(grant.site),
            format!("`{}` {}", grant.name, grant.used.words()),
        );
        if grant.used == Use::Named {
            hit.severity = Some(Severity::Medium);
        }
        hits.push(hit);
    }
    for hit in by_code(context) {
        if !hits.iter().any(|known| known.site == hit.site) {
            hits.push(hit);
        }
    }
    hits
}

fn hit(site: Site, name: &str) -> Hit {
    Hit::at(
        site,
        format!("`{name}` comes from a generator whose numbers can be computed"),
    )
    .because(
        None,
        "a few of its numbers give away all that it gave before and will give",
    )
    .fixed_by("use `crypto.randomBytes`, `crypto.randomUUID`, `crypto.randomInt` or `crypto.getRandomValues`")
}

/// Where the guessable number is drawn that a value is made from. Together with numbers that
/// nobody can compute it does no harm.
fn guessable(context: &RouteContext<'_>, value: ValueId) -> Option<Site> {
    let values = &context.machine.values;
    let from = Ingredients::of(
        values,
        context.bench.knowledge,
        context.bench.origins,
        value,
    );
    let call = *from.guessable.first().filter(|_| from.random.is_empty())?;
    let data = values.call(call);
    Some(Site {
        module: data.module,
        span: data.span,
    })
}

/// Codes of such numbers, whatever their column is called.
fn by_code(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    codes(
        context.machine,
        context.bench,
        (context.route, context.judgement),
    )
    .into_iter()
    .filter_map(|code| {
        let call = *code
            .from
            .guessable
            .first()
            .filter(|_| code.from.random.is_empty())?;
        let data = values.call(call);
        let site = Site {
            module: data.module,
            span: data.span,
        };
        let mut hit = hit(site, &code.column)
            .because(Some(code.site), format!("`{}` is stored", code.column))
            .because(None, "other routes let in whoever names the right one");
        hit.severity = Some(Severity::Low);
        hit.confidence = Some(Confidence::Medium);
        hit.found_by = Some((code.table, code.column));
        Some(hit)
    })
    .collect()
}
