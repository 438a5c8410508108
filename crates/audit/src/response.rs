//! What a route answers, and on which ways.

use portcullis_code::{
    body::Const,
    machine::{Event, EventKind, Exit},
    value::{Fact, FactsId, Value, ValueId, Values},
};
use ustr::Ustr;

use crate::{
    input::Input,
    knowledge::Knowledge,
    library::{LeavesKind, Meaning, Status, Usage},
    route::Site,
};

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status, where it is a constant; 200 where none is given.
    pub status: Option<u16>,
    /// Its body.
    pub body: Option<ValueId>,
    /// What sort of answer.
    pub kind: ResponseKind,
    /// What holds when it is given.
    pub facts: FactsId,
    /// Where.
    pub site: Site,
    /// The event that gives it; none where it is an exit of the handler.
    pub event: Option<usize>,
}

/// What sort of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseKind {
    /// Data, or a page.
    Data,
    /// A redirect.
    Redirect,
    /// Goes on: a middleware that lets the request pass.
    Continues,
    /// An exception that leaves the route.
    Thrown,
}

impl Response {
    /// Whether it refuses: a status of 400 or more, or an exception.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.kind == ResponseKind::Thrown || self.status.is_some_and(|status| status >= 400)
    }

    /// Whether it was given while an exception was handled.
    #[must_use]
    pub fn after_error(&self, values: &Values) -> bool {
        values
            .facts(self.facts)
            .any(|fact| matches!(fact, Fact::Caught(_)))
    }
}

/// The answers among the events (Node responses) and exits (web responses, pages, actions).
#[must_use]
pub fn responses(
    values: &Values,
    knowledge: &Knowledge<'_>,
    events: &[Event],
    returns: &[Exit],
    throws: &[Exit],
) -> Vec<Response> {
    let mut found = Vec::new();
    for (number, event) in events.iter().enumerate() {
        if let EventKind::Call(call) = event.kind
            && let Some((status, body, kind)) = of_node(values, call)
        {
            let site = Site {
                module: event.module,
                span: event.span,
            };
            found.push(Response {
                status,
                body,
                kind,
                facts: event.facts,
                site,
                event: Some(number),
            });
        }
    }
    for exit in returns {
        expand(
            values,
            knowledge,
            exit.value,
            exit.facts,
            Site {
                module: exit.module,
                span: exit.span,
            },
            0,
            &mut found,
        );
    }
    for exit in throws {
        let (status, kind) = of_thrown(values, knowledge, exit.value);
        found.push(Response {
            status,
            body: None,
            kind,
            facts: exit.facts,
            site: Site {
                module: exit.module,
                span: exit.span,
            },
            event: None,
        });
    }
    found
}

fn expand(
    values: &Values,
    knowledge: &Knowledge<'_>,
    value: ValueId,
    facts: FactsId,
    site: Site,
    depth: u32,
    found: &mut Vec<Response>,
) {
    match values.value(value) {
        Value::Promise(inner) => expand(values, knowledge, *inner, facts, site, depth, found),
        Value::Choice(alternatives) if depth < 4 => {
            for each in alternatives.iter() {
                if !values.contradict(facts, each.facts) {
                    expand(
                        values,
                        knowledge,
                        each.value,
                        each.facts,
                        site,
                        depth + 1,
                        found,
                    );
                }
            }
        }
        _ => {
            let (status, body, kind) =
                of_web(values, knowledge, value).unwrap_or((None, Some(value), ResponseKind::Data));
            let site = match values.value(value) {
                Value::Call(call) => Site {
                    module: values.call(*call).module,
                    span: values.call(*call).span,
                },
                _ => site,
            };
            found.push(Response {
                status,
                body,
                kind,
                facts,
                site,
                event: None,
            });
        }
    }
}

type Answer = (Option<u16>, Option<ValueId>, ResponseKind);

/// What a value is as a web response.
#[must_use]
pub fn of_web(values: &Values, knowledge: &Knowledge<'_>, value: ValueId) -> Option<Answer> {
    let Value::Call(call) = values.value(value) else {
        return None;
    };
    let data = values.call(*call);
    let arg = |number: usize| data.args.get(number).map(|arg| arg.0);
    let native = match values.value(data.callee) {
        Value::Global(name) if name == "Response" => Some(""),
        Value::Member(base, method) if matches!(values.value(*base), Value::Global(name) if name == "Response") => {
            Some(method.as_str())
        }
        _ => None,
    };
    match native {
        Some("redirect") => return Some((Some(302), None, ResponseKind::Redirect)),
        Some("error") => return Some((Some(500), None, ResponseKind::Data)),
        Some(_) => {
            let status = match arg(1) {
                Some(init) => status_in(values, init),
                None => Some(200),
            };
            return Some((status, arg(0), ResponseKind::Data));
        }
        None => {}
    }
    for known in knowledge.of_call(values, *call) {
        let Meaning::Respond(respond) = &known.row.meaning else {
            continue;
        };
        if respond.continues {
            return Some((Some(200), None, ResponseKind::Continues));
        }
        let status = match &respond.status {
            Some(Status::Fixed(status)) => Some(*status),
            Some(Status::At(place)) => match knowledge.place(values, &known, place) {
                Some(value) => number(values, value),
                None if place.members.is_empty() || data.args.len() < 2 => Some(200),
                None => match arg(1).map(|init| values.value(init)) {
                    Some(Value::Object(_)) => Some(200),
                    _ => None,
                },
            },
            None => Some(200),
        };
        let body = respond
            .body
            .as_ref()
            .and_then(|place| knowledge.place(values, &known, place));
        let kind = if respond.location.is_some() {
            ResponseKind::Redirect
        } else {
            ResponseKind::Data
        };
        return Some((status, body, kind));
    }
    None
}

fn status_in(values: &Values, init: ValueId) -> Option<u16> {
    match values.value(init) {
        Value::Object(_) => match crate::knowledge::down(values, init, &["status".into()]) {
            Some(status) => number(values, status),
            None => Some(200),
        },
        _ => None,
    }
}

fn number(values: &Values, value: ValueId) -> Option<u16> {
    match values.as_const(value)? {
        Const::Num(bits) => {
            let number = f64::from_bits(bits);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 100 and 599"
            )]
            (100.0..600.0).contains(&number).then_some(number as u16)
        }
        _ => None,
    }
}

/// The method of a Node response that a call calls.
#[must_use]
pub fn response_method(values: &Values, call: portcullis_code::value::CallId) -> Option<Ustr> {
    let Value::Member(base, method) = values.value(values.call(call).callee) else {
        return None;
    };
    let (root, _) = node_chain(values, *base)?;
    matches!(values.value(root), Value::Input(tag) if Input::of(*tag) == Input::Response)
        .then_some(*method)
}

/// What a call does as one of a Node response's methods.
fn of_node(values: &Values, call: portcullis_code::value::CallId) -> Option<Answer> {
    let data = values.call(call);
    let Value::Member(base, method) = values.value(data.callee) else {
        return None;
    };
    let (root, status) = node_chain(values, *base)?;
    if !matches!(values.value(root), Value::Input(tag) if Input::of(*tag) == Input::Response) {
        return None;
    }
    let arg = |number: usize| data.args.get(number).map(|arg| arg.0);
    let status = status.unwrap_or(Some(200));
    Some(match method.as_str() {
        "json" | "send" | "jsonp" | "end" | "write" | "pipe" => {
            (status, arg(0), ResponseKind::Data)
        }
        "sendStatus" => (
            arg(0).and_then(|value| number(values, value)),
            None,
            ResponseKind::Data,
        ),
        "render" => (status, arg(1).or_else(|| arg(0)), ResponseKind::Data),
        "sendFile" | "download" => (status, arg(0), ResponseKind::Data),
        "redirect" => (Some(302), None, ResponseKind::Redirect),
        _ => return None,
    })
}

/// The root of a chain such as `res.status(401).type("x")`, and the status set on the way.
fn node_chain(values: &Values, value: ValueId) -> Option<(ValueId, Option<Option<u16>>)> {
    let mut at = value;
    let mut status = None;
    for _ in 0..8 {
        match values.value(at) {
            Value::Call(call) => {
                let data = values.call(*call);
                let Value::Member(base, method) = values.value(data.callee) else {
                    return None;
                };
                if matches!(method.as_str(), "status" | "code" | "writeHead") && status.is_none() {
                    status = Some(data.args.first().and_then(|arg| number(values, arg.0)));
                }
                at = *base;
            }
            Value::Input(_) => return Some((at, status)),
            _ => return None,
        }
    }
    None
}

fn of_thrown(
    values: &Values,
    knowledge: &Knowledge<'_>,
    value: ValueId,
) -> (Option<u16>, ResponseKind) {
    let Value::Call(call) = values.value(value) else {
        return (status_of_error(values, value), ResponseKind::Thrown);
    };
    for known in knowledge.of_call(values, *call) {
        if known.row.usage != Usage::Plain {
            continue;
        }
        if let Meaning::Leaves(leaves) = &known.row.meaning {
            return match leaves.kind {
                LeavesKind::Redirect => (Some(307), ResponseKind::Redirect),
                _ => (None, ResponseKind::Thrown),
            };
        }
    }
    (status_of_error(values, value), ResponseKind::Thrown)
}

/// The status that an error carries: a constant number between 400 and 599 among what it was made with.
#[must_use]
pub fn status_of_error(values: &Values, value: ValueId) -> Option<u16> {
    let args: Vec<ValueId> = match values.value(value) {
        Value::Call(call) => values.call(*call).args.iter().map(|arg| arg.0).collect(),
        _ => return None,
    };
    args.into_iter().find_map(|arg| {
        number(values, arg)
            .filter(|status| *status >= 400)
            .or_else(|| status_in(values, arg).filter(|status| *status >= 400))
    })
}

/// Whether a body says nothing that depends on data: a constant, or made of constants alone.
#[must_use]
pub fn is_constant(values: &Values, body: ValueId) -> bool {
    match values.value(body) {
        Value::Const(_) => true,
        Value::Object(object) | Value::Array(object) => {
            let data = values.object(*object);
            data.added.is_empty()
                && data
                    .entries
                    .iter()
                    .flat_map(crate::parts::entry_values)
                    .all(|value| is_constant(values, value))
        }
        Value::Call(call) => {
            let data = values.call(*call);
            matches!(values.value(data.callee), Value::Global(name) if matches!(name.as_str(), "Response" | "Error" | "Date"))
                && data.args.iter().all(|arg| is_constant(values, arg.0))
        }
        Value::Markup(_, props, children) => {
            values
                .object(*props)
                .entries
                .iter()
                .flat_map(crate::parts::entry_values)
                .all(|value| {
                    is_constant(values, value)
                        || matches!(values.value(value), Value::Function { .. })
                })
                && children.iter().all(|child| is_constant(values, *child))
        }
        _ => false,
    }
}

/// The names of an object that the code makes, where it makes one.
#[must_use]
pub fn names_in(values: &Values, value: ValueId) -> Vec<Ustr> {
    match values.value(value) {
        Value::Object(object) => values
            .object(*object)
            .entries
            .iter()
            .filter_map(|entry| match entry {
                portcullis_code::value::Entry::Named(name, _) => Some(*name),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
