//! The shape of a handler: a function that reads what requests have from its first parameter and answers by its second, or that
//! reads what gateways of clouds put into their events.

use portcullis_code::body::{
    Body, Const, Exported, ExprId, ExprKind, FunctionId, LocalId, Pattern, PatternKey, Property,
    Stmt, StmtKind,
};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::route::Convention;

/// Members that requests have and hardly anything else that comes first of two.
const PARTS: [&str; 12] = [
    "body",
    "query",
    "params",
    "headers",
    "cookies",
    "signedCookies",
    "files",
    "file",
    "rawBody",
    "payload",
    "originalUrl",
    "url",
];
/// Methods that answer, called with something.
const ANSWERS: [&str; 16] = [
    "send",
    "json",
    "jsonp",
    "end",
    "status",
    "sendStatus",
    "redirect",
    "render",
    "sendFile",
    "sendfile",
    "download",
    "writeHead",
    "setHeader",
    "write",
    "code",
    "response",
];
/// Members that only the event of a gateway has.
const GATEWAY: [&str; 6] = [
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "rawQueryString",
    "multiValueHeaders",
    "isBase64Encoded",
];
/// What the second parameter of a handler is called: says so where it is not used, as long as the first is read like a request.
const RESPONSES: [&str; 4] = ["res", "response", "reply", "resp"];
/// What the event of a function in the cloud is called by who exports one as `handler`.
const EVENTS: [&str; 2] = ["event", "evt"];
/// Most parameters of a handler.
const PARAMETERS_MAX: usize = 3;

/// What a function was seen to do with its parameters.
struct Seen {
    function: FunctionId,
    /// It reads parts of a request from the first.
    reads: bool,
    /// It answers by the second.
    answers: bool,
    /// It takes something of the second, an answer or not.
    takes_second: bool,
    /// It calls the third.
    goes_on: bool,
    /// It reads what only a gateway sends from the first.
    of_gateway: bool,
}

/// Which parameter of which of the functions a binding is.
#[derive(Clone, Copy)]
struct Parameter {
    of: usize,
    number: usize,
}

/// The functions of a module that have the shape of a handler.
pub(super) fn of(body: &Body) -> Vec<(FunctionId, Convention)> {
    let (mut seen, parameters) = candidates(body);
    if seen.is_empty() {
        return Vec::new();
    }
    look(body, &parameters, &mut seen);
    let exported = exported_handlers(body);
    let named = |pattern: Option<&Pattern>, names: &[&str]| {
        pattern
            .and_then(local)
            .is_some_and(|local| names.contains(&body.local(local).name.as_str()))
    };
    let mut found = Vec::new();
    for it in &mut seen {
        let function = body.function(it.function);
        it.answers |= !it.takes_second && named(function.params.get(1), &RESPONSES);
        if !it.reads
            && (it.answers || it.goes_on)
            && let Some(Pattern::Local(first)) = function.params.first()
        {
            it.reads = takes_apart(&function.body, body, *first);
        }
        if it.reads && (it.answers || it.goes_on) {
            found.push((it.function, Convention::Express));
        } else if it.of_gateway
            || exported.contains(&it.function)
                && (it.reads || named(function.params.first(), &EVENTS))
        {
            found.push((it.function, Convention::Cloud));
        }
    }
    found
}

/// The functions with as many parameters as handlers have, and whose each parameter is.
fn candidates(body: &Body) -> (Vec<Seen>, Vec<Option<Parameter>>) {
    let mut seen = Vec::new();
    let mut parameters = vec![None; body.locals.len()];
    for (number, function) in body.functions.iter().enumerate().skip(1) {
        let count = function.params.len();
        if count == 0 || count > PARAMETERS_MAX || function.rest.is_some() {
            continue;
        }
        let mut it = Seen::new(FunctionId::at(number));
        for (number, pattern) in function.params.iter().enumerate() {
            if let Some(place) = local(pattern).and_then(|local| parameters.get_mut(local.index()))
            {
                *place = Some(Parameter {
                    of: seen.len(),
                    number,
                });
            }
        }
        if let Some(Pattern::Object { members, .. }) = function.params.first() {
            for (key, _) in members {
                it.note(*key);
            }
        }
        seen.push(it);
    }
    (seen, parameters)
}

/// Looks at every expression once.
fn look(body: &Body, parameters: &[Option<Parameter>], seen: &mut [Seen]) {
    let parameter = |expr: ExprId| match body.expr(expr).kind {
        ExprKind::Local(local) => parameters.get(local.index()).copied().flatten(),
        _ => None,
    };
    for expr in &body.exprs {
        match &expr.kind {
            ExprKind::Member { object, name, .. } => {
                if let Some(at) = parameter(*object)
                    && let Some(it) = seen.get_mut(at.of)
                {
                    match at.number {
                        0 => it.note(PatternKey::Name(*name)),
                        1 => it.takes_second = true,
                        _ => {}
                    }
                }
            }
            ExprKind::Call { callee, args, .. } => {
                if let Some(at) = parameter(*callee).filter(|at| at.number == 2)
                    && let Some(it) = seen.get_mut(at.of)
                {
                    it.goes_on = true;
                }
                let ExprKind::Member { object, name, .. } = body.expr(*callee).kind else {
                    continue;
                };
                // `req.on("data", ..)`: the body, piece by piece.
                if let Some(at) = parameter(object).filter(|at| at.number == 0)
                    && name == "on"
                    && args.first().is_some_and(|arg| is_data(body, arg.value))
                    && let Some(it) = seen.get_mut(at.of)
                {
                    it.reads = true;
                }
                if let Some(at) = parameter(object).filter(|at| at.number == 1)
                    // `response.json()` reads the answer of another server.
                    && (!args.is_empty() || name == "end")
                    && ANSWERS.contains(&name.as_str())
                    && let Some(it) = seen.get_mut(at.of)
                {
                    it.answers = true;
                }
            }
            _ => {}
        }
    }
}

impl Seen {
    const fn new(function: FunctionId) -> Self {
        Self {
            function,
            reads: false,
            answers: false,
            takes_second: false,
            goes_on: false,
            of_gateway: false,
        }
    }

    /// A member of the first parameter that is read.
    fn note(&mut self, key: PatternKey) {
        if let PatternKey::Name(name) = key {
            self.reads |= PARTS.contains(&name.as_str());
            self.of_gateway |= GATEWAY.contains(&name.as_str());
        }
    }
}

fn local(pattern: &Pattern) -> Option<LocalId> {
    match pattern {
        Pattern::Local(local) => Some(*local),
        Pattern::Default(inner, _) => local(inner),
        _ => None,
    }
}

/// Whether statements take parts of a request out of a binding: `const { query } = req`.
fn takes_apart(statements: &[Stmt], body: &Body, request: LocalId) -> bool {
    let within = |inner: &[Stmt]| takes_apart(inner, body, request);
    statements.iter().any(|statement| match &statement.kind {
        StmtKind::Let {
            target: Pattern::Object { members, .. },
            value: Some(value),
        } => {
            matches!(body.expr(*value).kind, ExprKind::Local(local) if local == request)
                && members.iter().any(|(key, _)| match key {
                    PatternKey::Name(name) => PARTS.contains(&name.as_str()),
                    PatternKey::Computed(_) => false,
                })
        }
        // `for await (const piece of req)`
        StmtKind::Loop {
            each: Some((_, through)),
            ..
        } => matches!(body.expr(*through).kind, ExprKind::Local(local) if local == request),
        StmtKind::If { yes, no, .. } => within(yes) || within(no),
        StmtKind::Try { body: tried, .. } => within(tried),
        StmtKind::Block(inner) => within(inner),
        _ => false,
    })
}

/// Whether an expression is the name of the event that brings pieces of a body.
fn is_data(body: &Body, expr: ExprId) -> bool {
    matches!(body.expr(expr).kind, ExprKind::Const(Const::Str(text)) if text == "data")
}

/// The functions that a module exports as `handler`, also where something is put around them.
fn exported_handlers(body: &Body) -> FxHashSet<FunctionId> {
    let mut found = FxHashSet::default();
    let is_name = |name: &Ustr| name == "handler";
    for export in body.exports.iter().filter(|export| is_name(&export.name)) {
        if let Exported::Local(local) = export.what {
            let top = body.functions.first().map_or(&[][..], |top| &top.body);
            for statement in top {
                if let StmtKind::Let {
                    target: Pattern::Local(target),
                    value: Some(value),
                } = statement.kind
                    && target == local
                {
                    found.extend(functions_in(body, value));
                }
            }
        }
    }
    for expr in &body.exprs {
        let ExprKind::Assign { target, value, .. } = &expr.kind else {
            continue;
        };
        let Pattern::Place(place) = **target else {
            continue;
        };
        match body.expr(place).kind {
            // `exports.handler = ..`, `module.exports.handler = ..`
            ExprKind::Member { object, name, .. } if is_name(&name) && is_exports(body, object) => {
                found.extend(functions_in(body, *value));
            }
            // `module.exports = { handler: .. }`
            ExprKind::Member { .. } if is_exports(body, place) => {
                if let ExprKind::Object(properties) = &body.expr(*value).kind {
                    for property in properties {
                        if let Property::Named(name, value) = property
                            && is_name(name)
                        {
                            found.extend(functions_in(body, *value));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn is_exports(body: &Body, expr: ExprId) -> bool {
    match body.expr(expr).kind {
        ExprKind::Global(name) => name == "exports",
        ExprKind::Member { object, name, .. } => {
            name == "exports"
                && matches!(body.expr(object).kind, ExprKind::Global(global) if global == "module")
        }
        _ => false,
    }
}

/// A function, or those that a call is given: `wrap(async (event) => ..)`.
fn functions_in(body: &Body, value: ExprId) -> Vec<FunctionId> {
    match &body.expr(value).kind {
        ExprKind::Function(function) => vec![*function],
        ExprKind::Call { callee, args, .. } => {
            let mut found: Vec<FunctionId> = args
                .iter()
                .filter_map(|item| match body.expr(item.value).kind {
                    ExprKind::Function(function) => Some(function),
                    _ => None,
                })
                .collect();
            // `wrap(async (event) => ..).use(..)`
            if let ExprKind::Member { object, .. } = body.expr(*callee).kind {
                found.extend(functions_in(body, object));
            }
            found
        }
        _ => Vec::new(),
    }
}
