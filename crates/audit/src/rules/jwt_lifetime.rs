//! `jwt-lifetime`: a token is issued that never expires, or hardly ever.

use portcullis_code::{
    body::Const,
    value::{Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    knowledge::{Known, PathStep},
    library::{IssueToken, Meaning, Place, Root},
    origin::Origins,
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
};

pub(super) static RULE: Rule = Rule {
    id: "jwt-lifetime",
    class: Class::JwtLifetime,
    control: Control::Token,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-613"],
    asvs: &["v5.0.0-9.2.1"],
    owasp: &["A07:2021", "API2:2023"],
    summary: "a token is issued that does not expire, or only after months",
    page: include_str!("jwt_lifetime.md"),
    check: Check::Call(check),
};

/// Beyond so many seconds nobody remembers where a token is: 90 days.
const SECONDS_MAX: f64 = 90.0 * DAY;
const DAY: f64 = 86_400.0;

/// How long a token lives.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lifetime {
    Never,
    Seconds(f64),
    Unknown,
}

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let found = context.rows.iter().find_map(|known| {
        let Meaning::IssueToken(issue) = &known.row.meaning else {
            return None;
        };
        if !issue.lifetime.is_empty() {
            Some(by_option(context, known, issue))
        } else if issue.part.is_none() {
            by_step(context, known)
        } else {
            None
        }
    });
    match found {
        Some(Lifetime::Never) => vec![
            Hit::at(context.site(), "the token never expires")
                .because(
                    None,
                    "neither the options nor the claims say until when it is good",
                )
                .fixed_by("give it the shortest lifetime that its purpose allows: minutes for an access token"),
        ],
        Some(Lifetime::Seconds(seconds)) if seconds > SECONDS_MAX => {
            let days = (seconds / DAY).round();
            let mut hit = Hit::at(context.site(), format!("the token is good for {days} days"))
                .because(
                    None,
                    "a token cannot be taken back before it expires, unless each is looked up",
                )
                .fixed_by("make it good for minutes or hours, and renew it from a session that can be ended");
            hit.severity = Some(Severity::Low);
            vec![hit]
        }
        _ => Vec::new(),
    }
}

/// What the options of one call say.
fn by_option(context: &CallContext<'_>, known: &Known<'_>, issue: &IssueToken) -> Lifetime {
    let values = &context.machine.values;
    for place in &issue.lifetime {
        let setting = match Setting::at(values, known, place) {
            Setting::Unknown if is_row(context, known, place) => Setting::Absent,
            other => other,
        };
        match setting {
            Setting::Given(value) if place.root == Root::Argument(0) => {
                // A claim is a point in time.
                return ahead(context, value);
            }
            Setting::Given(value) => return duration(context, value),
            Setting::Unknown => return Lifetime::Unknown,
            Setting::Absent => {}
        }
    }
    Lifetime::Never
}

/// Whether the claims are a row of the database as it is, which has no `exp`.
fn is_row(context: &CallContext<'_>, known: &Known<'_>, place: &Place) -> bool {
    let values = &context.machine.values;
    let whole = Place {
        root: place.root,
        members: Box::default(),
    };
    let value = context.bench.knowledge.place(values, known, &whole);
    place.root == Root::Argument(0)
        && value.is_some_and(|value| {
            !matches!(values.value(value), Value::Choice(_) | Value::Unknown(_))
                && context.bench.origins.of(values, value).any(Origins::ROW)
        })
}

/// What the steps of a builder say before it signs: none where this is no builder.
fn by_step(context: &CallContext<'_>, known: &Known<'_>) -> Option<Lifetime> {
    let values = &context.machine.values;
    let call = *known.calls.first()?;
    let reach = context
        .bench
        .knowledge
        .reach(values, values.call(call).callee)?;
    let made = known.calls.last().copied()?;
    // A builder begins with `new` of a class, and is told step by step.
    if known.calls.len() < 2 || !values.call(made).new {
        return None;
    }
    let mut steps = reach.steps.iter().peekable();
    while let Some(step) = steps.next() {
        if let (PathStep::Member(name), Some(PathStep::Call(Some(set)))) = (step, steps.peek())
            && *name == "setExpirationTime"
        {
            let given = values.call(*set).args.first().map(|arg| arg.0);
            return Some(given.map_or(Lifetime::Unknown, |given| {
                if values.as_text(given).is_some() {
                    duration(context, given)
                } else {
                    ahead(context, given)
                }
            }));
        }
    }
    let claims = values.call(made).args.first().map(|arg| arg.0);
    let place = Place {
        root: Root::Argument(0),
        members: ["exp".into()].into(),
    };
    let maker = Known {
        calls: [made].into(),
        ..known.clone()
    };
    Some(match (claims, Setting::at(values, &maker, &place)) {
        (None, _) | (_, Setting::Absent) => Lifetime::Never,
        (_, Setting::Given(value)) => ahead(context, value),
        (_, Setting::Unknown) => Lifetime::Unknown,
    })
}

/// A lifetime: seconds, or a text with a unit.
fn duration(context: &CallContext<'_>, value: ValueId) -> Lifetime {
    match context.machine.values.as_const(value) {
        Some(Const::Num(bits)) => Lifetime::Seconds(f64::from_bits(bits)),
        Some(Const::Str(text)) => seconds_of(&text).map_or(Lifetime::Unknown, Lifetime::Seconds),
        _ => Lifetime::Unknown,
    }
}

/// A point in time: how far ahead it is, where the code adds something to now.
fn ahead(context: &CallContext<'_>, value: ValueId) -> Lifetime {
    let values = &context.machine.values;
    let (Value::Template(parts) | Value::Derived(parts)) = values.value(value) else {
        return Lifetime::Unknown;
    };
    let added = parts.iter().find_map(|part| match values.as_const(*part) {
        Some(Const::Num(bits)) => Some(f64::from_bits(bits)),
        _ => None,
    });
    added.map_or(Lifetime::Unknown, Lifetime::Seconds)
}

/// Seconds of `90d`, `10 hours`, `1y`; a number without a unit is milliseconds, as the libraries have it.
fn seconds_of(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim().to_lowercase();
    let seconds = match unit.as_str() {
        "" | "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7.0 * DAY,
        "y" | "yr" | "yrs" | "year" | "years" => 365.25 * DAY,
        _ => return None,
    };
    Some(number * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_the_libraries_read_them() {
        for (text, expected) in [
            ("1h", Some(3_600.0)),
            ("90d", Some(90.0 * DAY)),
            ("2 days", Some(2.0 * DAY)),
            ("1y", Some(365.25 * DAY)),
            ("1000", Some(1.0)),
            ("1.5h", Some(5_400.0)),
            ("soon", None),
            ("1 fortnight", None),
            ("", None),
        ] {
            assert_eq!(seconds_of(text), expected, "{text}");
        }
    }
}
