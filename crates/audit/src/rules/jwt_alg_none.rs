//! `jwt-alg-none`: a token is believed without a signature, or with the algorithm that it names itself.

use portcullis_code::{
    body::Const,
    value::{Entry, Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    knowledge::Known,
    library::{Guard, IssueToken, Meaning},
    parts::calls_under,
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "jwt-alg-none",
    class: Class::JwtAlgNone,
    control: Control::Token,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-347", "CWE-327"],
    asvs: &["v5.0.0-9.1.2"],
    owasp: &["A02:2021", "API2:2023"],
    summary: "a token without a signature is made or believed",
    page: include_str!("jwt_alg_none.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let found = context
        .rows
        .iter()
        .find_map(|known| match &known.row.meaning {
            Meaning::Guard(guard) if !guard.algorithms.is_empty() => {
                verified(context, known, guard)
            }
            Meaning::IssueToken(issue) => issued(context, known, issue),
            _ => None,
        });
    found.into_iter().collect()
}

fn verified(context: &CallContext<'_>, known: &Known<'_>, guard: &Guard) -> Option<Hit> {
    let values = &context.machine.values;
    let setting = Setting::at_any(values, known, &guard.algorithms);
    if let Setting::Given(algorithms) = setting {
        if items(context, algorithms)
            .into_iter()
            .any(|name| is_none(context, name))
        {
            return Some(
                Hit::at(context.site(), "tokens without a signature are accepted")
                    .because(None, "`none` is among the algorithms")
                    .fixed_by("name the one algorithm that the issuer signs with"),
            );
        }
        if from_token(context, algorithms) {
            return Some(
                Hit::at(context.site(), "the token itself says how it is verified")
                    .because(
                        None,
                        "the algorithms are read from the header of the token, which whoever made it has written",
                    )
                    .fixed_by("name the one algorithm that the issuer signs with"),
            );
        }
        return None;
    }
    let key = guard
        .key
        .as_ref()
        .map(|place| Setting::at(values, known, place))?;
    let no_key = match key {
        Setting::Given(key) => {
            matches!(values.as_const(key), Some(Const::Bool(false)))
                || values.as_text(key).is_some_and(|text| text.is_empty())
                || context
                    .bench
                    .knowledge
                    .reach(values, key)
                    .is_some_and(|reach| reach.package == "jose" && reach.text() == "JWK.None")
        }
        Setting::Absent | Setting::Unknown => false,
    };
    (no_key && setting == Setting::Absent).then(|| {
        Hit::at(context.site(), "tokens without a signature are accepted")
            .because(
                None,
                "the token is verified with no key, and no algorithm is named",
            )
            .fixed_by("give the key of the issuer, and name the algorithm")
    })
}

fn issued(context: &CallContext<'_>, known: &Known<'_>, issue: &IssueToken) -> Option<Hit> {
    let values = &context.machine.values;
    let place = issue.algorithm.as_ref()?;
    let unsigned = match Setting::at(values, known, place) {
        Setting::Given(algorithm) => is_none(context, algorithm),
        Setting::Absent => issue.default_algorithm.as_deref() == Some("none"),
        Setting::Unknown => false,
    };
    unsigned.then(|| {
        let mut hit = Hit::at(context.site(), "a token is made without a signature")
            .because(
                None,
                "whoever is to believe it has to believe what anybody writes",
            )
            .fixed_by("sign it: `EdDSA` or `RS256` with a private key");
        hit.severity = Some(Severity::Medium);
        hit
    })
}

fn is_none(context: &CallContext<'_>, name: ValueId) -> bool {
    let text = context.machine.values.as_text(name);
    text.is_some_and(|text| text.eq_ignore_ascii_case("none"))
}

/// The members of a list, or the one value.
fn items(context: &CallContext<'_>, value: ValueId) -> Vec<ValueId> {
    let values = &context.machine.values;
    match values.value(value) {
        Value::Array(list) => values
            .object(*list)
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Item(item) | Entry::Each(item) => Some(*item),
                _ => None,
            })
            .collect(),
        _ => vec![value],
    }
}

/// Whether the algorithm is what the header of an unverified token says.
fn from_token(context: &CallContext<'_>, algorithms: ValueId) -> bool {
    let values = &context.machine.values;
    items(context, algorithms).into_iter().any(|item| {
        let Value::Member(base, name) = values.value(item) else {
            return false;
        };
        let knowledge = context.bench.knowledge;
        let decoded = || {
            calls_under(values, *base).into_iter().any(|(call, _)| {
                let rows = knowledge.of_call(values, call);
                rows.iter()
                    .any(|known| matches!(known.row.meaning, Meaning::DecodeToken(_)))
            })
        };
        let header = || {
            let reach = knowledge.reach(values, *base);
            reach.is_some_and(|reach| reach.text().contains("decodeProtectedHeader"))
        };
        *name == "alg" && (decoded() || header())
    })
}
