//! `jwt-hs256`: a token is signed with a secret that whoever verifies it has to know too.

use portcullis_code::{
    body::Const,
    machine::EventKind,
    value::{CallId, Entry, Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    input::Input,
    knowledge::Known,
    library::Meaning,
    origin::Origins,
    parts::{depends, names_of},
    route::Site,
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "jwt-hs256",
    class: Class::JwtHs256,
    control: Control::Token,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-327"],
    asvs: &["v5.0.0-9.1.2"],
    owasp: &["A02:2021", "API2:2023"],
    summary: "a token is signed or verified with a shared secret",
    page: include_str!("jwt_hs256.md"),
    check: Check::Call(check),
};

/// How it is known that the signature is symmetric.
struct Symmetric {
    why: String,
    sure: bool,
}

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    for known in context.rows {
        let (found, verb) = match &known.row.meaning {
            Meaning::IssueToken(issue) => {
                let Some(place) = &issue.algorithm else {
                    continue;
                };
                let found = match Setting::at(values, known, place) {
                    Setting::Given(value) => named(context, value),
                    Setting::Absent => issue
                        .default_algorithm
                        .as_deref()
                        .filter(|name| is_symmetric(name))
                        .map(|name| Symmetric {
                            why: format!(
                                "no algorithm is named, and the library's own is `{name}`"
                            ),
                            sure: true,
                        }),
                    Setting::Unknown => None,
                };
                (found, "signed")
            }
            Meaning::Guard(guard) if !guard.algorithms.is_empty() => {
                let found = match Setting::at_any(values, known, &guard.algorithms) {
                    Setting::Given(value) => named(context, value),
                    Setting::Absent => guard
                        .key
                        .as_ref()
                        .and_then(|place| context.bench.knowledge.place(values, known, place))
                        .and_then(|key| by_key(context, key)),
                    Setting::Unknown => None,
                };
                (found, "verified")
            }
            _ => continue,
        };
        let Some(found) = found else { continue };
        let mut hit = Hit::at(
            site(context, known),
            format!("the token is {verb} with a shared secret"),
        )
        .because(None, found.why)
        .because(
            None,
            "whoever can verify such a token can also make one, for anybody",
        )
        .fixed_by("sign with a private key (`RS256`), verify with the public one");
        if !found.sure {
            hit.confidence = Some(Confidence::Medium);
        }
        if of_own_session(context, known.calls.first().copied()) {
            hit.severity = Some(Severity::Low);
        }
        return vec![hit];
    }
    Vec::new()
}

/// Where a builder is told the algorithm, a call is as long as the whole chain before it: the place is the option.
fn site(context: &CallContext<'_>, known: &Known<'_>) -> Site {
    let values = &context.machine.values;
    if let Meaning::IssueToken(issue) = &known.row.meaning
        && issue.part.is_some()
        && let Some(place) = &issue.options
        && let Setting::Given(options) = Setting::at(values, known, place)
        && matches!(values.value(options), Value::Object(_))
    {
        let (module, span) = context.machine.place(options);
        return Site { module, span };
    }
    context.site()
}

fn is_symmetric(name: &str) -> bool {
    matches!(name, "HS256" | "HS384" | "HS512")
}

/// The symmetric algorithm that an option names, alone or in a list.
fn named(context: &CallContext<'_>, option: ValueId) -> Option<Symmetric> {
    let values = &context.machine.values;
    let names: Vec<ValueId> = match values.value(option) {
        Value::Array(list) => values
            .object(*list)
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Item(item) => Some(*item),
                _ => None,
            })
            .collect(),
        _ => vec![option],
    };
    names
        .into_iter()
        .filter_map(|name| values.as_text(name))
        .find(|name| is_symmetric(name))
        .map(|name| Symmetric {
            why: format!("the algorithm is `{name}`"),
            sure: true,
        })
}

/// Where no algorithm is named the key decides it.
fn by_key(context: &CallContext<'_>, key: ValueId) -> Option<Symmetric> {
    let values = &context.machine.values;
    if matches!(values.value(key), Value::Function { .. }) {
        return None;
    }
    if let Some(Const::Str(text)) = values.as_const(key) {
        return (!text.contains("-----BEGIN")).then(|| Symmetric {
            why: "no algorithm is named, and the key is a text".to_owned(),
            sure: true,
        });
    }
    let reach = context.bench.knowledge.reach(values, key);
    if let Some(reach) = &reach {
        let made = reach.text();
        if made.contains("TextEncoder") || made.contains("createSecretKey") {
            return Some(Symmetric {
                why: "no algorithm is named, and the key is made of a secret text".to_owned(),
                sure: true,
            });
        }
        // A key set's client is handed where the secret would stand.
        if reach.package == "jwks-rsa" {
            return None;
        }
    }
    let names: Vec<String> = names_of(values, key)
        .iter()
        .map(|name| name.to_lowercase())
        .collect();
    let has = |words: &[&str]| {
        names
            .iter()
            .any(|name| words.iter().any(|word| name.contains(word)))
    };
    (has(&["secret"]) && !has(&["public", "private", "cert", "pem", "jwk", "rsa"])).then(|| {
        Symmetric {
            why: "no algorithm is named, and the key is called a secret".to_owned(),
            sure: false,
        }
    })
}

/// Whether the token is the application's own session: taken from a cookie, or put into one and nowhere else.
fn of_own_session(context: &CallContext<'_>, call: Option<CallId>) -> bool {
    let values = &context.machine.values;
    let Some(call) = call else { return false };
    for known in context.rows {
        if let Meaning::Guard(guard) = &known.row.meaning {
            let subject = guard
                .subject
                .as_ref()
                .and_then(|place| context.bench.knowledge.place(values, known, place));
            return subject.is_some_and(|subject| {
                let origins = context.bench.origins.of(values, subject);
                origins.any(Origins::COOKIE) && !origins.any(Origins::HEADER)
            });
        }
    }
    context.events.iter().any(|event| {
        let EventKind::Call(other) = event.kind else {
            return false;
        };
        let data = values.call(other);
        let on_response = match values.value(data.callee) {
            Value::Member(base, name) => {
                *name == "cookie"
                    && matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::Response)
            }
            _ => false,
        };
        let sets = || {
            let rows = context.bench.knowledge.of_call(values, other);
            rows.iter()
                .any(|known| matches!(known.row.meaning, Meaning::SetCookie(_)))
        };
        other != call
            && data.args.iter().any(|arg| depends(values, arg.0, call))
            && (on_response || sets())
    })
}
