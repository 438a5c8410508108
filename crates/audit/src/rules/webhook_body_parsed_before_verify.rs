//! `webhook-body-parsed-before-verify`: a signature is checked over a body that was parsed and written again.

use portcullis_code::value::{Value, ValueId};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    input::Input,
    knowledge::Known,
    library::{BodyFormat, DeriveKind, GuardKind, Meaning},
    origin::Origins,
    route::Route,
    rule::{CallContext, Check, Hit, Rule},
    summary::name_of,
};

pub(super) static RULE: Rule = Rule {
    id: "webhook-body-parsed-before-verify",
    class: Class::WebhookSignatureMissing,
    control: Control::Signature,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-347"],
    asvs: &["v5.0.0-4.1.5"],
    owasp: &["A08:2021"],
    summary: "a webhook's signature is checked over a body that was parsed before",
    page: include_str!("webhook_body_parsed_before_verify.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let Some((route, _)) = context.route else {
        return Vec::new();
    };
    let Some(how) = context
        .rows
        .iter()
        .flat_map(|known| signed(context, known))
        .find_map(|subject| parsed(context, route, subject))
    else {
        return Vec::new();
    };
    vec![
        Hit::at(context.site(), format!("the signature is checked over {how}"))
            .of(name_of(route))
            .because(
                None,
                "the sender signed bytes: parsed and written again they are others as soon as a space, an order or a \
                 number differs, and what is checked is not what came",
            )
            .fixed_by(
                "read the raw body for this route (`express.raw({ type: 'application/json' })` before any parser, \
                 `await request.text()`), check it, and parse it after that",
            ),
    ]
}

/// What a signature is checked over: what a verifier is given, or what goes into a keyed digest.
fn signed(context: &CallContext<'_>, known: &Known<'_>) -> Vec<ValueId> {
    let values = &context.machine.values;
    match &known.row.meaning {
        Meaning::Guard(guard) if guard.guard == GuardKind::Signature => guard
            .subject
            .as_ref()
            .map(|place| context.bench.knowledge.places(values, known, place))
            .unwrap_or_default(),
        Meaning::Derive(derive) if derive.kind == DeriveKind::Hmac => {
            // Only where what comes of it is compared with a header: else the application signs by itself.
            values
                .call(context.call)
                .args
                .iter()
                .map(|arg| arg.0)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// How a body was parsed before, in words.
fn parsed(context: &CallContext<'_>, route: &Route, subject: ValueId) -> Option<&'static str> {
    let values = &context.machine.values;
    match values.value(subject) {
        Value::Call(call) => {
            let data = values.call(*call);
            let writes = matches!(values.value(data.callee), Value::Member(base, name)
                if *name == "stringify" && matches!(values.value(*base), Value::Global(global) if *global == "JSON"));
            let arg = data.args.first().filter(|_| writes)?.0;
            is_whole_body(context, arg).then_some("a body that was parsed and written again")
        }
        // `req.body` behind a parser of JSON.
        Value::Member(base, name) => {
            let is_body = *name == "body"
                && matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::NodeRequest);
            (is_body && first_parser(context, route) == Some(BodyFormat::Json))
                .then_some("a body that a parser in front of the route has taken apart already")
        }
        _ => None,
    }
}

/// `req.body`, `await request.json()`.
fn is_whole_body(context: &CallContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    let whole = match values.value(value) {
        Value::Promise(inner) => return is_whole_body(context, *inner),
        Value::Member(base, name) => {
            *name == "body" && matches!(values.value(*base), Value::Input(_))
        }
        Value::Call(call) => {
            matches!(values.value(values.call(*call).callee), Value::Member(base, name)
            if *name == "json" && matches!(values.value(*base), Value::Input(_)))
        }
        _ => false,
    };
    whole && context.bench.origins.of(values, value).any(Origins::RAW)
}

/// The parser that meets the body first: the later ones find it parsed.
fn first_parser(context: &CallContext<'_>, route: &Route) -> Option<BodyFormat> {
    let values = &context.machine.values;
    route.chain.iter().find_map(|link| {
        let rows = context.bench.knowledge.of_maker(values, link.value);
        let direct = match values.value(link.value) {
            Value::Call(call) => context.bench.knowledge.of_call(values, *call),
            _ => Vec::new(),
        };
        direct.iter().chain(&rows).find_map(|known| {
            let Meaning::BodyParser(parser) = &known.row.meaning else {
                return None;
            };
            matches!(
                parser.format,
                BodyFormat::Json | BodyFormat::Raw | BodyFormat::Text
            )
            .then_some(parser.format)
        })
    })
}
