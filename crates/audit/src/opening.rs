//! `Opening`: a try statement whose handler lets pass what its body refuses.

use portcullis_code::{
    machine::{Event, EventKind},
    value::{CallId, Fact, FactsId, Value, ValueId, Values},
};

use crate::{
    input::Input,
    parts::{calls_under, names_of},
    passes::{Passed, Passes, Proof},
    response::{Response, status_of_error},
    route::Site,
};

/// Something that has to be guarded, and where among the events it happens.
#[derive(Clone, Debug)]
pub struct Point {
    /// What holds then.
    pub facts: FactsId,
    /// Its event; none for an answer that is returned.
    pub event: Option<usize>,
    /// Where.
    pub site: Site,
    /// What it is, in words.
    pub what: &'static str,
    /// Whether it only shows something: an error that is swallowed before that may be meant.
    pub shows: bool,
    /// Whether the request goes on from here. What else a handler does itself is about the error.
    pub lets_through: bool,
}

/// A guard that an error switches off.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The try statement.
    pub site: Site,
    /// Its handler.
    pub handler: Site,
    /// What the guard in its body proves.
    pub kind: Proof,
    /// The call that guards, if it is one.
    pub guard: Option<CallId>,
    /// What happens although the guard failed.
    pub point: Point,
}

/// The openings among the events.
#[must_use]
pub fn openings(
    values: &Values,
    passes: &Passes<'_, '_>,
    events: &[Event],
    refusals: &[&Response],
    points: &[Point],
) -> Vec<Opening> {
    let mut found = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let EventKind::Handled {
            number,
            first,
            end,
            goes_on,
            handler,
        } = event.kind
        else {
            continue;
        };
        let site = Site {
            module: event.module,
            span: event.span,
        };
        let handled_at = Site {
            module: event.module,
            span: handler,
        };
        // A handler that may refuse is another way to be let in, not an open door.
        if !goes_on
            && refusals
                .iter()
                .any(|refusal| within(handled_at, refusal.site) && refusal.after_error(values))
        {
            continue;
        }
        let before = passes.at(values, event.facts);
        let body = events.get(first..end).unwrap_or_default();
        let (guards, refuses) = guards_in(values, passes, event, body, refusals, &before);
        for guard in guards {
            let open = points.iter().find(|point| {
                let inside = point.lets_through && values.holds(point.facts, Fact::Caught(number));
                let after = goes_on
                    && !values.holds(point.facts, Fact::Caught(number))
                    && match point.event {
                        Some(event) => event > at,
                        None => {
                            point.site.module == site.module
                                && point.site.span.start >= site.span.end
                        }
                    };
                (inside || after)
                    && (!point.shows || refuses)
                    && !passes
                        .at(values, point.facts)
                        .iter()
                        .any(|passed| alike(passed.kind, guard.kind) && !before.contains(passed))
            });
            if let Some(point) = open {
                found.push(Opening {
                    site,
                    handler: handled_at,
                    kind: guard.kind,
                    guard: guard.call,
                    point: point.clone(),
                });
                break;
            }
        }
    }
    found
}

/// The guards that the body of a try statement adds, and whether it refuses anybody.
fn guards_in(
    values: &Values,
    passes: &Passes<'_, '_>,
    handled: &Event,
    body: &[Event],
    refusals: &[&Response],
    before: &[Passed],
) -> (Vec<Passed>, bool) {
    let mut guards: Vec<Passed> = Vec::new();
    // A role that was checked before the body is not lost with it: a second check only adds to the first.
    let known = |passed: &Passed| {
        before.contains(passed)
            || matches!(passed.kind, Proof::Authorization | Proof::Ownership)
                && before.iter().any(|before| alike(before.kind, passed.kind))
    };
    let mut add = |passed: &Passed| {
        if guarding(passed.kind) && !known(passed) && !guards.contains(passed) {
            guards.push(passed.clone());
        }
    };
    let mut refuses = false;
    let mut failing: Vec<(FactsId, bool)> = Vec::new();
    let denies = |status: Option<u16>| matches!(status, Some(401 | 403));
    for event in body {
        if let EventKind::Call(call) = event.kind {
            // A guard that throws by itself.
            for passed in passes.of_fact(values, Fact::Returned(call)).iter() {
                refuses |= guarding(passed.kind) && !known(passed);
                add(passed);
            }
        }
        if let EventKind::Throw(error) = event.kind {
            let denied = denies(status_of_error(values, error)) || speaks_of_denial(values, error);
            failing.push((event.facts, denied));
        }
    }
    let whole = Site {
        module: handled.module,
        span: handled.span,
    };
    failing.extend(
        refusals
            .iter()
            .filter(|refusal| within(whole, refusal.site) && !refusal.after_error(values))
            .map(|refusal| (refusal.facts, denies(refusal.status))),
    );
    // A branch that leaves where a test failed: the other branch is what the guard lets through.
    for (facts, denied) in failing {
        for fact in values.facts(facts) {
            let Fact::Test(value, truth) = fact else {
                continue;
            };
            if values.holds(handled.facts, fact) {
                continue;
            }
            for passed in &implied(values, passes, value, !truth, 0) {
                // A row that is missing is an error like others, unless the caller is told that they may not.
                let of_row = passed.call.is_none()
                    && passed
                        .tested
                        .is_some_and(|tested| !calls_under(values, tested).is_empty());
                let by_row = passed.kind == Proof::Ownership
                    || passed.kind == Proof::Authentication && of_row;
                if !denied && by_row {
                    continue;
                }
                refuses |= guarding(passed.kind) && !known(passed);
                add(passed);
            }
        }
    }
    (guards, refuses)
}

/// Whether an error's own words say that somebody may not do something.
fn speaks_of_denial(values: &Values, error: ValueId) -> bool {
    names_of(values, error).iter().any(|text| {
        let lower = text.to_lowercase();
        [
            "forbid",
            "unauthor",
            "not allowed",
            "permission",
            "denied",
            "not your",
            "access",
        ]
        .iter()
        .any(|word| lower.contains(word))
    })
}

fn within(outer: Site, inner: Site) -> bool {
    inner.module == outer.module
        && inner.span.start >= outer.span.start
        && inner.span.end <= outer.span.end
}

/// What a test proves with all that it implies.
#[must_use]
pub fn implied(
    values: &Values,
    passes: &Passes<'_, '_>,
    value: ValueId,
    truth: bool,
    depth: u32,
) -> Vec<Passed> {
    let mut found: Vec<Passed> = passes.of_fact(values, Fact::Test(value, truth)).to_vec();
    if depth > 4 {
        return found;
    }
    match values.value(value) {
        Value::Not(inner) => found.extend(implied(values, passes, *inner, !truth, depth + 1)),
        Value::Choice(alternatives) => {
            // What all alternatives that are still possible prove.
            let mut ways = alternatives
                .iter()
                .filter(|each| values.truth(each.facts, each.value) != Some(!truth))
                .map(|each| {
                    let mut way = passes.at(values, each.facts).to_vec();
                    way.extend(implied(values, passes, each.value, truth, depth + 1));
                    way
                });
            if let Some(mut common) = ways.next() {
                for way in ways {
                    common.retain(|one| way.iter().any(|other| alike(one.kind, other.kind)));
                }
                found.extend(common);
            }
        }
        _ => {}
    }
    found
}

const fn guarding(kind: Proof) -> bool {
    matches!(
        kind,
        Proof::Authentication
            | Proof::Authorization
            | Proof::Ownership
            | Proof::Signature
            | Proof::Service
            | Proof::RateLimit
            | Proof::Csrf
    )
}

const fn alike(one: Proof, other: Proof) -> bool {
    one as u8 == other as u8 || one.identifies() && other.identifies()
}

/// Whether a call goes on with the next link of a chain, without an error.
#[must_use]
pub fn goes_to_next(values: &Values, call: CallId) -> bool {
    let data = values.call(call);
    matches!(values.value(data.callee), Value::Input(tag) if Input::of(*tag) == Input::Next)
        && data.args.iter().all(|arg| {
            matches!(
                values.value(arg.0),
                Value::Const(portcullis_code::body::Const::Undefined)
            )
        })
}
