//! `upload-limit`: what a client sends may be as large as it likes.

use portcullis_code::{
    body::Const,
    value::{ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    knowledge::Known,
    library::{BodyFormat, BodyParser, EffectKind, Meaning, Root},
    route::Site,
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
    whole::Question,
};

pub(super) static RULE: Rule = Rule {
    id: "upload-limit",
    class: Class::UploadLimit,
    control: Control::BodyLimit,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-770", "CWE-400"],
    asvs: &["v5.0.0-5.2.1"],
    owasp: &["API4:2023"],
    summary: "a file or a body may be of any size",
    page: include_str!("upload_limit.md"),
    check: Check::Call(check),
};

/// A body that is not a file and may be larger than this has no limit worth the name, in bytes.
const BODY_BYTES_MAX: f64 = 25.0 * 1024.0 * 1024.0;

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    context
        .rows
        .iter()
        .find_map(|known| match &known.row.meaning {
            Meaning::BodyParser(parser) => of_parser(context, known, parser),
            Meaning::Effect(effect) if effect.kind == EffectKind::Upload => of_storage(context),
            _ => None,
        })
        .into_iter()
        .collect()
}

fn of_parser(context: &CallContext<'_>, known: &Known<'_>, parser: &BodyParser) -> Option<Hit> {
    let values = &context.machine.values;
    let place = parser.limit.as_ref()?;
    let limit = Setting::at(values, known, place);
    let name = place.members.join(".");
    let site = made_at(context, known, place.root);
    if parser.format == BodyFormat::Multipart {
        let unlimited = match limit {
            Setting::Absent => parser.default_limit_bytes.is_none(),
            Setting::Given(value) => bytes(values, value) == Some(f64::INFINITY),
            Setting::Unknown => false,
        };
        return unlimited.then(|| {
            Hit::at(site, "files of any size are taken here")
                .because(
                    None,
                    format!("`{name}` names no largest size, and the library has none of its own"),
                )
                .fixed_by(format!(
                    "set `{name}` to what the application needs, and refuse what is larger with 413"
                ))
        });
    }
    let Setting::Given(value) = limit else {
        return None;
    };
    let size = bytes(values, value)?;
    (size > BODY_BYTES_MAX).then(|| {
        let mut hit = Hit::at(
            site,
            "every route that this reads the body for takes bodies of tens of megabytes",
        )
        .because(
            None,
            "a body is held in memory as a whole, and again as what it is parsed into",
        )
        .fixed_by("leave the small limit for all routes, and raise it for the one that needs more");
        hit.severity = Some(Severity::Low);
        hit.confidence = Some(Confidence::Medium);
        hit
    })
}

/// Where the options stand: the call, or the one before that made what is called.
fn made_at(context: &CallContext<'_>, known: &Known<'_>, root: Root) -> Site {
    match (root, known.calls.get(1)) {
        (Root::Made(_), Some(made)) => {
            let data = context.machine.values.call(*made);
            Site {
                module: data.module,
                span: data.span,
            }
        }
        _ => context.site(),
    }
}

/// A size in bytes: a number, or `"5mb"` as the parsers of bodies read it.
fn bytes(values: &Values, value: ValueId) -> Option<f64> {
    match values.as_const(value) {
        Some(Const::Num(bits)) => Some(f64::from_bits(bits)),
        Some(Const::Str(text)) => sized(&text),
        _ => matches!(values.value(value), portcullis_code::value::Value::Global(name) if *name == "Infinity")
            .then_some(f64::INFINITY),
    }
}

fn sized(text: &str) -> Option<f64> {
    let text = text.trim().to_lowercase();
    let end = text
        .find(|sign: char| !(sign.is_ascii_digit() || sign == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: f64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "" | "b" => 1.0,
        "kb" => 1024.0,
        "mb" => 1024.0 * 1024.0,
        "gb" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number * factor)
}

/// A client is handed an address to which it may send an object.
fn of_storage(context: &CallContext<'_>) -> Option<Hit> {
    context.route?;
    if context.bench.knowledge.ask(Question::LooksAtSize).is_yes() {
        return None;
    }
    Some(
        Hit::at(
            context.site(),
            "whoever is given this address stores one object of any size and type",
        )
        .because(
            None,
            "no function of the project looks at the size or the type of what was stored",
        )
        .fixed_by(
            "when the object's id comes back, read its metadata (`ctx.db.system.get(id)`), and delete what is too large \
             or of another type before the id is kept",
        ),
    )
}
