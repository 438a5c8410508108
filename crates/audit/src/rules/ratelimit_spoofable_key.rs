//! `ratelimit-spoofable-key`: a rate limit counts under a key that the client writes itself.

use portcullis_code::{
    body::Const,
    value::{CallId, FactsId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    library::{GuardKind, Meaning, RequestPart},
    origin::Origins,
    parts::{headers_of, is_address_header, names_of, tests},
    rule::{CallContext, Check, Hit, Rule},
    summary::name_of,
};

pub(super) static RULE: Rule = Rule {
    id: "ratelimit-spoofable-key",
    class: Class::RatelimitSpoofableKey,
    control: Control::RateLimit,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-290", "CWE-348"],
    asvs: &["v5.0.0-15.3.4", "v5.0.0-2.4.1"],
    owasp: &["API4:2023"],
    summary: "a rate limit counts under an address that the client may write itself",
    page: include_str!("ratelimit_spoofable_key.md"),
    check: Check::Call(check),
};

/// Values nested deeper than this are not looked into.
const DEPTH_MAX: u32 = 24;

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let limits = context.rows.iter().any(|known| {
        matches!(&known.row.meaning, Meaning::Guard(guard) if guard.guard == GuardKind::RateLimit)
    });
    let counted = if limits {
        context.keys.to_vec()
    } else {
        own_counter(context).into_iter().collect()
    };
    let written = counted
        .into_iter()
        .find_map(|key| written(context, key, 0))
        .filter(|_| !trusts(values, context.event.facts));
    let Some(header) = written else {
        return Vec::new();
    };
    let mut hit = Hit::at(
        context.site(),
        format!("requests are counted by {header}, which the client can write"),
    )
    .because(
        None,
        "a client that sends another value with each request is never over the limit",
    )
    .fixed_by(
        "count by the signed-in user, or by the address that the platform or a configured proxy vouches for",
    );
    if !limits {
        hit.confidence = Some(Confidence::Low);
    }
    if let Some((route, _)) = context.route {
        hit = hit.of(name_of(route));
    }
    vec![hit]
}

/// The key of a home-made limiter: what is looked up in a map, in a route that can answer 429.
fn own_counter(context: &CallContext<'_>) -> Option<ValueId> {
    let values = &context.machine.values;
    let data = values.call(context.call);
    let Value::Member(map, name) = values.value(data.callee) else {
        return None;
    };
    let Value::Call(made) = values.value(*map) else {
        return None;
    };
    let is_map = matches!(values.value(values.call(*made).callee), Value::Global(global) if *global == "Map");
    let (_, judgement) = context.route?;
    let refuses = judgement
        .responses
        .iter()
        .any(|response| response.status == Some(429));
    (is_map && refuses && *name == "get")
        .then(|| data.args.first().map(|arg| arg.0))
        .flatten()
}

/// Whether it depends on a setting that names trusted proxies.
fn trusts(values: &Values, facts: FactsId) -> bool {
    tests(values, facts).into_iter().any(|tested| {
        names_of(values, tested).iter().any(|name| {
            let name = name.to_lowercase();
            name.contains("trust") && name.contains("prox")
        })
    })
}

/// The header that a key is made from, in words.
fn written(context: &CallContext<'_>, key: ValueId, depth: u32) -> Option<String> {
    if depth > DEPTH_MAX {
        return None;
    }
    let values = &context.machine.values;
    let deeper = |value: ValueId| written(context, value, depth + 1);
    match values.value(key) {
        Value::Template(parts) | Value::Derived(parts) => {
            parts.iter().find_map(|part| deeper(*part))
        }
        Value::Choice(alternatives) => {
            for each in alternatives.iter() {
                // So it is with a header that the platform writes itself, whatever the client sent.
                let read = headers_of(values, each.value);
                if read.iter().any(|name| is_of_platform(name)) {
                    return None;
                }
                // What the platform says comes first: the header is only asked where there is no platform.
                if context
                    .bench
                    .origins
                    .of(values, each.value)
                    .any(Origins::IP)
                {
                    return None;
                }
                if let Some(header) = deeper(each.value) {
                    return (!trusts(values, each.facts)).then_some(header);
                }
            }
            None
        }
        Value::Binary(_, a, b) => deeper(*a).or_else(|| deeper(*b)),
        Value::Promise(base) | Value::Element(base) => deeper(*base),
        Value::Index(base, index) => match values.as_const(*index) {
            Some(Const::Str(name)) => header_of(context, *base, name),
            Some(Const::Num(_)) => deeper(*base),
            // The last ones were written by proxies.
            _ => None,
        },
        Value::Member(base, name) => header_of(context, *base, *name)
            .or_else(|| (*name != "length").then(|| deeper(*base))?),
        Value::Call(call) => by_call(context, *call, depth),
        _ => None,
    }
}

fn by_call(context: &CallContext<'_>, call: CallId, depth: u32) -> Option<String> {
    let values = &context.machine.values;
    let data = values.call(call);
    let first = data.args.first().map(|arg| arg.0);
    for known in context.bench.knowledge.of_call(values, call) {
        match &known.row.meaning {
            Meaning::Input(input) if input.source == RequestPart::Header => {
                return match first.and_then(|first| values.as_text(first)) {
                    Some(name) => address_header(name),
                    None => Some("an address that is read from headers".to_owned()),
                };
            }
            Meaning::Derive(_) => {
                let mut parts = data.args.iter().map(|arg| arg.0);
                if let Some(found) = parts.find_map(|part| written(context, part, depth + 1)) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    let Value::Member(base, name) = values.value(data.callee) else {
        return None;
    };
    match name.as_str() {
        "get" | "header" => header_of(context, *base, values.as_text(first?)?),
        // Taken from the end, where proxies write.
        "pop" | "reverse" | "slice" | "findLast" => None,
        "at" => match values.as_const(first?)? {
            Const::Num(index) if f64::from_bits(index) >= 0.0 => written(context, *base, depth + 1),
            _ => None,
        },
        _ => written(context, *base, depth + 1),
    }
}

fn header_of(context: &CallContext<'_>, base: ValueId, name: Ustr) -> Option<String> {
    let header = address_header(name)?;
    let origins = context.bench.origins.of(&context.machine.values, base);
    origins
        .any(Origins::HEADER.and(Origins::REQUEST).and(Origins::ARGUMENT))
        .then_some(header)
}

/// Whether a platform overwrites a header of this name in every request that it takes.
fn is_of_platform(name: &str) -> bool {
    matches!(
        name.to_lowercase().as_str(),
        "x-vercel-forwarded-for" | "x-nf-client-connection-ip" | "fly-client-ip"
    )
}

fn address_header(name: Ustr) -> Option<String> {
    let lower = name.to_lowercase();
    is_address_header(&lower).then(|| format!("the header `{lower}`"))
}
