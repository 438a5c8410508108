//! `session-fixation`: a session keeps its id when somebody signs in.

use portcullis_code::{
    body::Const,
    machine::{Event, EventKind},
    value::{CallId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    knowledge::{Known, down},
    library::{Meaning, Usage},
    parts::{members_under, names_of},
    passes::{Proof, signs_in},
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    semantics::SET_BY_ROW,
};

pub(super) static RULE: Rule = Rule {
    id: "session-fixation",
    class: Class::SessionFixation,
    control: Control::Session,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-384"],
    asvs: &["v5.0.0-7.2.4"],
    owasp: &["A07:2021"],
    summary: "a session keeps its id when somebody signs in",
    page: include_str!("session_fixation.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut renewed = false;
    let mut kept = false;
    for event in &context.judgement.events {
        match event.kind {
            EventKind::Call(call) if is_log_in(values, call) => {
                if passport_keeps(context, event) {
                    if kept && !renewed {
                        return vec![hit(context, event).because(None, BEFORE_0_6)];
                    }
                } else {
                    renewed = true;
                }
            }
            EventKind::Call(call) if renews(values, call) => renewed = true,
            EventKind::Call(call) => {
                for known in makers(context, call) {
                    kept |= matches!(&known.row.meaning, Meaning::Session(session) if session.store_option.is_some());
                    let signs_in = kept
                        && !renewed
                        && signs_in_with_session(context, &known)
                        && passport_keeps(context, event);
                    if signs_in {
                        return vec![hit(context, event).because(None, BEFORE_0_6)];
                    }
                }
            }
            EventKind::Store(base, name, value)
                if !renewed
                    && is_kept_session(context, base)
                    && names_user(context, name.as_str(), value)
                    && proves_password(context, event) =>
            {
                return vec![hit(context, event)];
            }
            _ => {}
        }
    }
    Vec::new()
}

/// What is said besides of a sign-in that the library carries out.
const BEFORE_0_6: &str =
    "before 0.6.0 Passport writes the user into the session as it is, and gives it no new id";

fn hit(context: &RouteContext<'_>, event: &Event) -> Hit {
    let site = Site {
        module: event.module,
        span: event.span,
    };
    Hit::at(
        site,
        "whoever signs in here keeps the session that the browser had before, and its id",
    )
    .because(
        Some(context.route.site),
        "somebody who had this browser take a session of theirs is then signed in as its user",
    )
    .fixed_by("call `req.session.regenerate()` when the password was right, and write to the session in its callback")
}

/// `req.session.regenerate(..)`.
fn renews(values: &Values, call: CallId) -> bool {
    let data = values.call(call);
    matches!(values.value(data.callee), Value::Member(_, name)
        if matches!(name.as_str(), "regenerate" | "regenerateSession"))
}

/// `req.logIn(..)`.
fn is_log_in(values: &Values, call: CallId) -> bool {
    let data = values.call(call);
    matches!(values.value(data.callee), Value::Member(_, name)
        if matches!(name.as_str(), "logIn" | "login"))
}

/// Whether the Passport that a call's module gets leaves sessions their ids.
fn passport_keeps(context: &RouteContext<'_>, event: &Event) -> bool {
    let version = context.bench.knowledge.version(event.module, "passport");
    version.is_some_and(|version| !version.at_least(0, 6))
}

/// The rows of the middleware that a call runs.
fn makers<'c>(context: &RouteContext<'c>, call: CallId) -> Vec<Known<'c>> {
    let values = &context.machine.values;
    let callee = values.call(call).callee;
    let mut known = context.bench.knowledge.of_maker(values, callee);
    known.retain(|known| known.row.usage == Usage::Middleware);
    known
}

/// Whether a middleware signs in by itself, and for longer than this request.
fn signs_in_with_session(context: &RouteContext<'_>, known: &Known<'_>) -> bool {
    let values = &context.machine.values;
    let knowledge = context.bench.knowledge;
    let Meaning::Guard(_) = known.row.meaning else {
        return false;
    };
    let without_session = known.calls.iter().any(|made| {
        let options = values.call(*made).args.get(1);
        options.is_some_and(|options| {
            down(values, options.0, &["session".into()])
                .is_some_and(|session| values.as_const(session) == Some(Const::Bool(false)))
        })
    });
    !without_session && signs_in(knowledge, values, known)
}

/// Whether a value is the session that a middleware keeps on the server, found by an id that the browser shows.
fn is_kept_session(context: &RouteContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    let (root, path) = members_under(values, value);
    let Value::Handed(call, _, param) = values.value(root) else {
        return false;
    };
    *param >= SET_BY_ROW
        && path.is_empty()
        && context
            .bench
            .knowledge
            .of_call(values, *call)
            .iter()
            .any(|known| {
                matches!(&known.row.meaning, Meaning::Session(session) if session.store_option.is_some())
            })
}

/// Whether what is stored says who the user is.
fn names_user(context: &RouteContext<'_>, name: &str, value: ValueId) -> bool {
    let values = &context.machine.values;
    let name = name.to_lowercase();
    let says = [
        "user", "auth", "login", "logged", "account", "uid", "role", "admin",
    ];
    says.iter().any(|word| name.contains(word))
        && values.as_const(value).is_none_or(|it| it.truthy())
        || names_of(values, value).iter().any(|part| *part == "id") && name.ends_with("id")
}

/// Whether a password or code was right on every way to an event.
fn proves_password(context: &RouteContext<'_>, event: &Event) -> bool {
    let passed = context
        .bench
        .passes
        .at(&context.machine.values, event.facts);
    passed.iter().any(|passed| passed.kind == Proof::Credential)
}
