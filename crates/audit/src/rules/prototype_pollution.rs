//! `prototype-pollution`: the client chooses the name of a member on the way to what is written.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, SinkForm, Wants},
    origin::Origins,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "prototype-pollution",
    class: Class::PrototypePollution,
    control: Control::Validation,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-1321"],
    asvs: &["v5.0.0-15.3.6"],
    owasp: &["A03:2021"],
    summary: "the client chooses the name of a member on the way to what is written",
    page: include_str!("prototype_pollution.md"),
    check: Check::Route(check),
};

/// An object that is merged with all its names.
static MERGED: Danger = Danger {
    class: Class::PrototypePollution,
    sources: Origins::RAW,
    signs: "_",
    wants: Wants::Object,
    message: "an object of the client is merged with every name in it",
    does: "follows the name `__proto__` into what all objects inherit",
    fix: "bring the library up to date, or apply a schema that knows every name first",
};

/// A name that is looked up before something is written there.
static NAMED: Danger = Danger {
    class: Class::PrototypePollution,
    sources: SENT,
    signs: "_",
    wants: Wants::Text,
    message: "the client chooses the name under which something is looked up and written to",
    does: "writes to what all objects inherit where the name is `__proto__`",
    fix: "keep such tables in a `Map` or in `Object.create(null)`, or compare the name with a list",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let mut hits = flow::hits_at(context, &MERGED, |sink| sink.call.is_some());
    let named = flow::hits_at(context, &NAMED, |sink| {
        sink.call.is_none() && sink.form == SinkForm::Known
    });
    hits.extend(named.into_iter().map(|mut hit| {
        hit.severity = Some(Severity::Medium);
        hit.confidence = Some(Confidence::Medium);
        hit
    }));
    hits
}
