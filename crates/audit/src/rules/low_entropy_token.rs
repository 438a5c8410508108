//! `low-entropy-token`: a token is so short that it can be tried out.

use portcullis_code::{
    body::Const,
    value::{CallId, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::{Derive, Meaning},
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    secrets::{Ingredients, granted, names_password},
};

pub(super) static RULE: Rule = Rule {
    id: "low-entropy-token",
    class: Class::LowEntropyToken,
    control: Control::Token,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-331", "CWE-334"],
    asvs: &["v5.0.0-7.2.3", "v5.0.0-11.5.1"],
    owasp: &["A02:2021", "API2:2023"],
    summary: "a token has fewer than 128 bits of chance",
    page: include_str!("low_entropy_token.md"),
    check: Check::Route(check),
};

/// A token of fewer bits is short. OWASP ASVS 5.0 section 7.2.3 and 11.5.1: at least 128 bits; a few are forgiven, so
/// that 21 letters of an alphabet without ambiguous ones pass.
const BITS_MIN: f64 = 112.0;
/// A token of fewer bits can be tried out by whoever is patient.
const BITS_FEW: f64 = 64.0;

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits: Vec<Hit> = Vec::new();
    for grant in granted(context) {
        if names_password(&grant.name) || is_typed(&grant.name) {
            continue;
        }
        let from = Ingredients::of(
            values,
            context.bench.knowledge,
            context.bench.origins,
            grant.value,
        );
        if from.other {
            continue;
        }
        let all: Option<Vec<f64>> = from
            .random
            .iter()
            .map(|call| bits(context, *call))
            .collect();
        let (Some(all), Some(&call)) = (all, from.random.first()) else {
            continue;
        };
        let sum: f64 = all.iter().sum();
        if sum >= BITS_MIN {
            continue;
        }
        let data = values.call(call);
        let site = Site {
            module: data.module,
            span: data.span,
        };
        if hits.iter().any(|hit| hit.site == site) {
            continue;
        }
        let mut hit = Hit::at(
            site,
            format!("`{}` has {} bits of chance", grant.name, sum.round()),
        )
        .because(
            Some(grant.site),
            format!("`{}` {}", grant.name, grant.used.words()),
        )
        .because(
            None,
            "what is too short can be tried out, or two are the same",
        )
        .fixed_by("take 16 or more bytes (`crypto.randomBytes(16)`, `nanoid()`)");
        if sum >= BITS_FEW {
            hit.severity = Some(Severity::Low);
        }
        hits.push(hit);
    }
    hits
}

/// Whether somebody is to type it: then a limit of attempts protects it, not its length.
fn is_typed(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["code", "otp", "pin", "digits"]
        .iter()
        .any(|word| lower.contains(word))
}

/// How many bits of chance a call gives, where the code says it.
fn bits(context: &RouteContext<'_>, call: CallId) -> Option<f64> {
    let values = &context.machine.values;
    let knowledge = context.bench.knowledge;
    let number = |value: ValueId| match values.as_const(value) {
        Some(Const::Num(bits)) => Some(f64::from_bits(bits)),
        _ => None,
    };
    knowledge.of_call(values, call).iter().find_map(|known| {
        let Meaning::Derive(Derive {
            bytes,
            letters,
            alphabet,
            ..
        }) = &known.row.meaning
        else {
            return None;
        };
        if let Some(place) = bytes {
            return number(knowledge.place(values, known, place)?).map(|count| count * 8.0);
        }
        let count = number(knowledge.place(values, known, letters.as_ref()?)?)?;
        let each = match alphabet {
            None => 6.0,
            Some(place) => {
                let alphabet = values.as_text(knowledge.place(values, known, place)?)?;
                let size = u32::try_from(alphabet.chars().count()).ok()?;
                f64::from(size).log2()
            }
        };
        Some(count * each)
    })
}
