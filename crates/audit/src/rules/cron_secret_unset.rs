//! `cron-secret-unset`: without its environment variable, a secret is the word `undefined`.

use portcullis_code::{
    body::BinaryOp,
    value::{Fact, FactsId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    input::Input,
    origin::Origins,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    whole::Question,
};

pub(super) static RULE: Rule = Rule {
    id: "cron-secret-unset",
    class: Class::FailOpen,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-636", "CWE-1188"],
    asvs: &["v5.0.0-13.3.1"],
    owasp: &["A05:2021", "API8:2023"],
    summary: "a secret of the environment is compared without a test that it is set",
    page: include_str!("cron_secret_unset.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut seen: Vec<ValueId> = Vec::new();
    let mut hits = Vec::new();
    for point in &context.judgement.points {
        for fact in values.facts(*point) {
            let Fact::Test(test, true) = fact else {
                continue;
            };
            let Value::Binary(BinaryOp::Equal, a, b) = *values.value(test) else {
                continue;
            };
            if seen.contains(&test) {
                continue;
            }
            for (secret, sent) in [(a, b), (b, a)] {
                if let Some((name, variable, text)) = opens(context, secret, sent)
                    && !is_set(context, *point, variable)
                    && !context
                        .bench
                        .knowledge
                        .ask(Question::Demands(name))
                        .is_yes()
                    && !values
                        .facts(*point)
                        .any(|fact| fact == Fact::Test(sent, true) && text.is_none())
                {
                    seen.push(test);
                    hits.push(hit(context, name, text.as_deref(), sent));
                    break;
                }
            }
        }
    }
    hits
}

fn hit(context: &RouteContext<'_>, name: Ustr, text: Option<&str>, sent: ValueId) -> Hit {
    let compared = Question::Compared(name, context.route.site.module);
    let site = context
        .bench
        .knowledge
        .ask(compared)
        .site()
        .unwrap_or_else(|| sent_at(context, sent));
    let message = match text {
        Some(text) => format!("where `{name}` is not set, `{text}` is the password"),
        None => format!("where `{name}` is not set, a request without the secret passes"),
    };
    Hit::at(site, message)
        .because(
            Some(site),
            match text {
                Some(_) => format!("a variable that is not set becomes the word `undefined` in the text that is compared (`{name}`)"),
                None => format!("nothing sent is `undefined`, and so is `{name}`: they are equal"),
            },
        )
        .because(None, format!("nothing on the way tests that `{name}` is set"))
        .fixed_by(format!(
            "refuse when `{name}` is not set (`if (!secret) return 500`), or demand it when the application starts; compare in constant time"
        ))
}

/// Whether a comparison is fulfilled where a variable is not set: its name, its value, and what the secret then reads.
fn opens(
    context: &RouteContext<'_>,
    secret: ValueId,
    sent: ValueId,
) -> Option<(Ustr, ValueId, Option<String>)> {
    let values = &context.machine.values;
    let origins = context.bench.origins.of(values, sent);
    let by_client = Origins::HEADER
        .and(Origins::QUERY)
        .and(Origins::BODY)
        .and(Origins::COOKIE)
        .and(Origins::PARSED);
    if !origins.any(by_client) || origins.any(Origins::ENVIRONMENT) {
        return None;
    }
    if let Some(name) = variable(values, secret) {
        return may_be_undefined(values, sent).then_some((name, secret, None));
    }
    let Value::Template(parts) = values.value(secret) else {
        return None;
    };
    let mut text = String::new();
    let mut found = None;
    for part in parts.iter() {
        if let Some(constant) = values.as_text(*part) {
            text.push_str(&constant);
        } else if let Some(name) = variable(values, *part)
            && found.is_none()
        {
            found = Some((name, *part));
            text.push_str("undefined");
        } else {
            return None;
        }
    }
    let (name, part) = found?;
    Some((name, part, Some(text)))
}

/// The name of `process.env.NAME`.
fn variable(values: &Values, value: ValueId) -> Option<Ustr> {
    let name = match values.value(value) {
        Value::Member(base, name) => (*base, *name),
        Value::Index(base, key) => (*base, values.as_text(*key)?),
        _ => return None,
    };
    let Value::Member(global, env) = values.value(name.0) else {
        return None;
    };
    let process = matches!(values.value(*global), Value::Global(global)
        if matches!(global.as_str(), "process" | "import.meta" | "Bun"));
    (process && *env == "env").then_some(name.1)
}

/// What nobody sent is `undefined` on a Node request and in a body, and `null` in web headers and search parameters.
fn may_be_undefined(values: &Values, sent: ValueId) -> bool {
    match values.value(sent) {
        Value::Member(..) | Value::Index(..) => true,
        Value::Call(call) => match values.value(values.call(*call).callee) {
            Value::Member(base, name) => {
                matches!(name.as_str(), "get" | "header")
                    && matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::NodeRequest)
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_set(context: &RouteContext<'_>, point: FactsId, variable: ValueId) -> bool {
    let values = &context.machine.values;
    values.facts(point).any(|fact| match fact {
        Fact::Test(value, true) => value == variable,
        // `SECRET !== undefined`, `SECRET != null`, `SECRET.length > 0`.
        Fact::Test(value, false) => {
            matches!(values.value(value), Value::Binary(BinaryOp::Equal, a, b)
                if (*a == variable || *b == variable)
                    && [*a, *b].iter().any(|side| values.as_const(*side).is_some()))
        }
        _ => false,
    })
}

fn sent_at(context: &RouteContext<'_>, sent: ValueId) -> Site {
    crate::parts::calls_under(&context.machine.values, sent)
        .first()
        .map_or(context.route.site, |(call, _)| {
            let data = context.machine.values.call(*call);
            Site {
                module: data.module,
                span: data.span,
            }
        })
}
