//! `weak-hash`: a password is kept as a fast hash, or a broken one makes what lets somebody in.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use rustc_hash::FxHashSet;

use crate::{
    origin::Origins,
    parts::{any_part, made_of},
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    secrets::{Hashed, Ingredients, granted, hashed, last_name, names_password},
};

pub(super) static RULE: Rule = Rule {
    id: "weak-hash",
    class: Class::WeakHash,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-916", "CWE-328"],
    asvs: &["v5.0.0-11.4.2"],
    owasp: &["A02:2021", "API2:2023"],
    summary: "a password is kept as a fast hash, or a broken hash lets somebody in",
    page: include_str!("weak_hash.md"),
    check: Check::Route(check),
};

/// Most parts of a hashed value that are looked at.
const PARTS_MAX: usize = 200;

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let events = &context.judgement.events;
    let mut digests: Vec<(Site, Hashed)> = Vec::new();
    for event in events {
        if let EventKind::Call(call) = event.kind
            && let Some(found) = hashed(values, context.bench.knowledge, events, call)
        {
            let site = Site {
                module: event.module,
                span: event.span,
            };
            digests.push((site, found));
        }
    }
    if digests.is_empty() {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for (site, digest) in &digests {
        let of_password = digest
            .inputs
            .iter()
            .any(|input| has_password(context, *input));
        if of_password {
            if let Some(used) = used_as_password(context, digest.call) {
                hits.push(of_passwords(*site, digest, used));
            }
        } else if digest.is_broken()
            && let Some((name, used)) = lets_in(context, digest.call)
        {
            hits.push(of_tokens(*site, digest, &name, used));
        }
    }
    hits
}

fn of_passwords(site: Site, digest: &Hashed, used: Site) -> Hit {
    let mut hit = Hit::at(site, format!("a password is hashed with {}", digest.name()))
        .because(Some(used), "the result is kept, or compared with what is kept")
        .because(
            None,
            "a graphics card tries billions of these in a second: a leaked table is a table of passwords",
        )
        .fixed_by("use argon2id, scrypt or bcrypt, with a salt for each password");
    if !digest.is_broken() {
        hit.severity = Some(Severity::Medium);
    }
    hit
}

fn of_tokens(site: Site, digest: &Hashed, name: &str, used: Site) -> Hit {
    let mut hit = Hit::at(
        site,
        format!("{} of what others know serves as `{name}`", digest.name()),
    )
    .because(Some(used), "whoever shows it is let in")
    .because(
        None,
        "the hash has no key and is broken besides: anybody computes it",
    )
    .fixed_by("make it with a generator of random numbers, or an HMAC with a secret (`sha256`)");
    hit.severity = Some(Severity::Medium);
    hit
}

/// Whether a password is part of a value.
fn has_password(context: &RouteContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    any_part(values, value, PARTS_MAX, |at| {
        let origins = context.bench.origins.of(values, at);
        last_name(values, at).is_some_and(|name| names_password(&name))
            && !origins.any(Origins::ENVIRONMENT)
    })
}

/// Where a digest is kept or looked up as a password.
fn used_as_password(context: &RouteContext<'_>, digest: CallId) -> Option<Site> {
    let values = &context.machine.values;
    let none = FxHashSet::default();
    let of_digest = |value: ValueId| made_of(values, value, &[digest], &none);
    for judged in &context.judgement.queries {
        let query = &judged.query;
        let filters = query.filters.iter().map(|filter| filter.value);
        if query
            .data
            .iter()
            .copied()
            .chain(filters)
            .chain(query.text)
            .any(of_digest)
        {
            return Some(query.site);
        }
    }
    context.judgement.events.iter().find_map(|event| {
        let used = match event.kind {
            EventKind::Equal(a, b) => of_digest(a) || of_digest(b),
            EventKind::Store(_, name, value) => names_password(&name) && of_digest(value),
            EventKind::Call(call) => {
                let data = values.call(call);
                let sets = match values.value(data.callee) {
                    Value::Member(_, name) => name.strip_prefix("set").is_some_and(names_password),
                    _ => false,
                };
                sets && data.args.iter().any(|arg| of_digest(arg.0))
            }
            _ => false,
        };
        used.then_some(Site {
            module: event.module,
            span: event.span,
        })
    })
}

/// Whether a digest of nothing secret serves as a token: its name, and where.
fn lets_in(context: &RouteContext<'_>, digest: CallId) -> Option<(String, Site)> {
    let values = &context.machine.values;
    let none = FxHashSet::default();
    granted(context)
        .into_iter()
        .filter(|grant| made_of(values, grant.value, &[digest], &none))
        .find(|grant| {
            let from = Ingredients::of(
                values,
                context.bench.knowledge,
                context.bench.origins,
                grant.value,
            );
            from.hashes.contains(&digest) && from.random.is_empty() && !from.other
        })
        .map(|grant| (grant.name.to_string(), grant.site))
}
