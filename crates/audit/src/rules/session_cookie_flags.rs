//! `session-cookie-flags`: a cookie that says who calls may be read by scripts, or travels where it should not.

use portcullis_code::{
    body::Const,
    value::{Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    cookie::SetHere,
    library::Meaning,
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "session-cookie-flags",
    class: Class::SessionCookieFlags,
    control: Control::Session,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-614", "CWE-1004", "CWE-1275"],
    asvs: &["v5.0.0-3.3.1", "v5.0.0-3.3.2", "v5.0.0-3.3.4"],
    owasp: &["A05:2021"],
    summary: "the cookie of a session lacks `HttpOnly`, `Secure` or `SameSite`",
    page: include_str!("session_cookie_flags.md"),
    check: Check::Call(check),
};

/// The options, in the spelling that all of these libraries share, and what follows where one is off.
const FLAGS: [(&str, &str); 3] = [
    ("httpOnly", "a script that gets into a page reads it"),
    ("secure", "it is sent without encryption too"),
    (
        "sameSite",
        "whether other sites can have it sent along is left to the browser",
    ),
];

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let Some((what, options, by_default)) = session(context).or_else(|| set_by_hand(context))
    else {
        return Vec::new();
    };
    let off: Vec<(&str, &str)> = FLAGS
        .into_iter()
        .filter(|(flag, _)| is_off(values, options, flag, by_default))
        .collect();
    if off.is_empty() || context.depends_on_environment() {
        return Vec::new();
    }
    let names: Vec<String> = off.iter().map(|(flag, _)| format!("`{flag}`")).collect();
    let mut hit = Hit::at(
        context.site(),
        format!("{what} is set without {}", names.join(" and ")),
    )
    .fixed_by(
        "set `httpOnly: true`, `secure: true` in production, and `sameSite: 'lax'` or `'strict'`",
    );
    for (flag, follows) in &off {
        hit = hit.because(None, format!("`{flag}` is off: {follows}"));
    }
    // Browsers of today take a cookie that says nothing for `Lax`.
    if off.iter().all(|(flag, _)| *flag == "sameSite") {
        hit.severity = Some(Severity::Low);
    }
    vec![hit]
}

type Found<'c> = (String, Setting, &'c [Box<str>]);

/// A middleware that keeps a session by a cookie.
fn session<'c>(context: &CallContext<'c>) -> Option<Found<'c>> {
    context.rows.iter().find_map(|known| {
        let Meaning::Session(session) = &known.row.meaning else {
            return None;
        };
        let options = Setting::at(&context.machine.values, known, session.cookie.as_ref()?);
        Some((
            "the cookie of the session".to_owned(),
            options,
            &*session.cookie_by_default,
        ))
    })
}

/// A cookie that the application sets by itself, and by which it knows who calls.
fn set_by_hand<'c>(context: &CallContext<'c>) -> Option<Found<'c>> {
    let cookie = SetHere::of(context)?;
    cookie
        .is_credential(context)
        .then(|| (cookie.in_words(), cookie.options, &[] as &[Box<str>]))
}

/// Whether an option is off, for certain.
fn is_off(values: &Values, options: Setting, flag: &str, by_default: &[Box<str>]) -> bool {
    let given = match options {
        Setting::Given(options) => Setting::member(values, options, flag),
        other => other,
    };
    match given {
        Setting::Given(value) => is_false(values, value),
        Setting::Absent => !by_default.iter().any(|name| **name == *flag),
        Setting::Unknown => false,
    }
}

/// Off, and not only for developers.
fn is_false(values: &Values, value: ValueId) -> bool {
    matches!(
        values.value(value),
        Value::Const(Const::Bool(false) | Const::Num(_))
    ) && values
        .as_const(value)
        .is_some_and(|constant| !constant.truthy())
}
