//! `jwt-default-secret`: what signs or protects is a text of the code.

use portcullis_code::value::ValueId;
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    knowledge::Known,
    library::{GuardKind, Meaning, Place},
    rule::{CallContext, Check, Hit, Rule},
    secrets::{Literal, literals},
    whole::Question,
};

pub(super) static RULE: Rule = Rule {
    id: "jwt-default-secret",
    class: Class::HardcodedSecret,
    control: Control::Token,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-798", "CWE-321", "CWE-1188"],
    asvs: &["v5.0.0-13.3.1"],
    owasp: &["A02:2021", "A07:2021", "API8:2023"],
    summary: "a secret that signs tokens, sessions or messages stands in the code",
    page: include_str!("jwt_default_secret.md"),
    check: Check::Call(check),
};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Sign,
    Verify,
    Session,
    Digest,
    Other,
}

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    for known in context.rows {
        let Some((place, purpose)) = key_of(known) else {
            continue;
        };
        // What reads cookies has a key for those that are signed: where there are none, it opens nothing.
        let only_reads = matches!(known.row.meaning, Meaning::BodyParser(_));
        if only_reads && !context.bench.knowledge.ask(Question::SignsCookies).is_yes() {
            continue;
        }
        let keys = context.bench.knowledge.places(values, known, place);
        for key in keys {
            if let Some(literal) = worst(context, key) {
                return vec![hit(context, literal, purpose)];
            }
        }
    }
    Vec::new()
}

/// Where a row says that a secret stands.
fn key_of<'k>(known: &'k Known<'_>) -> Option<(&'k Place, Purpose)> {
    let (place, purpose) = match &known.row.meaning {
        Meaning::IssueToken(issue) => (&issue.key, Purpose::Sign),
        Meaning::Guard(guard)
            if matches!(
                guard.guard,
                GuardKind::Authentication | GuardKind::Signature | GuardKind::Csrf
            ) =>
        {
            (&guard.key, Purpose::Verify)
        }
        Meaning::Session(session) => (&session.secret, Purpose::Session),
        Meaning::BodyParser(parser) => (&parser.secret, Purpose::Session),
        Meaning::Derive(derive) => (&derive.key, Purpose::Digest),
        Meaning::Secret(secret) => return Some((&secret.at, Purpose::Other)),
        _ => return None,
    };
    place.as_ref().map(|place| (place, purpose))
}

/// The text that is the key; where there is none, one that the key may be.
fn worst(context: &CallContext<'_>, key: ValueId) -> Option<Literal> {
    let values = &context.machine.values;
    let found = literals(values, key, context.event.facts);
    let always = found.iter().find(|literal| !literal.instead);
    always.or_else(|| found.first()).copied()
}

fn hit(context: &CallContext<'_>, literal: Literal, purpose: Purpose) -> Hit {
    let what = match purpose {
        Purpose::Sign => "the key that signs tokens",
        Purpose::Verify => "the key that tokens or messages are checked with",
        Purpose::Session => "the secret of the sessions",
        Purpose::Digest => "the key of a digest",
        Purpose::Other => "a secret",
    };
    let gain = match purpose {
        Purpose::Session => "whoever has seen the code can sign a session of anybody",
        Purpose::Sign | Purpose::Verify => "whoever has seen the code can make a token for anybody",
        Purpose::Digest => "whoever has seen the code can compute the digest",
        Purpose::Other => "whoever has seen the code can act as the application",
    };
    let message = if literal.instead {
        format!("{what} is a text of the code where the setting is missing")
    } else {
        format!("{what} is a text of the code")
    };
    let hit = Hit::at(context.site(), message)
        .because(
            None,
            format!(
                "the text has {} characters and is the same wherever the code runs",
                literal.text.chars().count()
            ),
        )
        .because(None, gain)
        .fixed_by("read it from the environment or a secret store, and refuse to start without it");
    let mut hit = hit;
    if literal.instead || matches!(purpose, Purpose::Other | Purpose::Digest) {
        hit.severity = Some(Severity::Medium);
    }
    hit
}
