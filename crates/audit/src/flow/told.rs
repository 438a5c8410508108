//! Tells a flow: where the client's word comes in, who passes it on, and where it does harm.

use portcullis_code::{
    body::{Body, ExprId, ExprKind, ModuleId, Span},
    machine::Machine,
    value::{FrameId, Value, ValueId, Values},
};
use ustr::Ustr;

use super::{Danger, Flow, SeenSink};
use crate::{
    input::Input,
    origin::Origins,
    parts::whole_of,
    route::Site,
    rule::{Hit, RouteContext},
};

/// Most activations that are told.
const FRAMES_MAX: usize = 12;

/// The hit that tells of a flow.
pub(super) fn hit(
    context: &RouteContext<'_>,
    danger: &Danger,
    sink: &SeenSink,
    flow: &Flow,
) -> Hit {
    let machine = context.machine;
    let values = &machine.values;
    let frames = frames(machine, sink.frame);
    let spelling = spelling(values, flow.source);
    let whole = match &spelling {
        Some(text) => format!("`{text}`"),
        None => "it".to_owned(),
    };
    let place = source_place(machine, values, flow.source, &frames, sink);
    let mut hit = Hit::at(sink.site, danger.message).because(
        place,
        format!("{whole} is {} as the client sent it", part_of(flow.origins)),
    );
    for (site, name) in entered(machine, &frames) {
        hit = hit.because(Some(site), format!("goes on to `{name}`"));
    }
    for (site, name) in flow.passed.iter().rev() {
        hit = hit.because(Some(*site), format!("`{name}` passes it on"));
    }
    let does = sink.does.as_deref().unwrap_or(danger.does);
    hit = hit.because(Some(sink.site), format!("`{}` {does}", sink.name));
    if flow.parsed {
        hit = hit.because(None, "a schema saw it, and admits any text there");
    }
    let mut hit = hit.fixed_by(danger.fix);
    hit.confidence = Some(flow.confidence(sink));
    hit
}

/// What part of a request it is, in words.
fn part_of(origins: Origins) -> &'static str {
    const WORDS: [(Origins, &str); 7] = [
        (Origins::BODY, "of the body,"),
        (Origins::QUERY, "of the query string,"),
        (Origins::PATH, "of the path,"),
        (Origins::ARGUMENT, "an argument,"),
        (Origins::PARSED, "of the input,"),
        (Origins::HEADER, "a header,"),
        (Origins::COOKIE, "a cookie,"),
    ];
    WORDS
        .iter()
        .find(|(origin, _)| origins.any(*origin))
        .map_or("of the request,", |(_, words)| words)
}

/// The activations that an event happened in, the outermost first.
fn frames(machine: &Machine<'_>, frame: Option<FrameId>) -> Vec<FrameId> {
    let mut found = Vec::new();
    let mut at = frame;
    while let Some(id) = at
        && found.len() < FRAMES_MAX
    {
        found.push(id);
        at = machine.frame(id).and_then(|frame| frame.parent);
    }
    found.reverse();
    found
}

/// The calls by which functions of the project were entered on the way.
fn entered(machine: &Machine<'_>, frames: &[FrameId]) -> Vec<(Site, String)> {
    frames
        .iter()
        .skip(1)
        .filter_map(|id| {
            let frame = machine.frame(*id)?;
            let function = machine
                .project
                .module(frame.module)
                .body
                .function(frame.function);
            let site = Site {
                module: frame.call_module,
                span: frame.call_span,
            };
            Some((site, function.name?.to_string()))
        })
        .collect()
}

/// A part of the request as code writes it: `body.user.name`.
fn spelling(values: &Values, source: ValueId) -> Option<String> {
    let (names, _) = names(values, source);
    (!names.is_empty()).then(|| {
        let text: Vec<&str> = names.iter().map(Ustr::as_str).collect();
        text.join(".")
    })
}

/// The names on the way from the request to a part of it, and the input they begin at.
fn names(values: &Values, source: ValueId) -> (Vec<Ustr>, Option<Input>) {
    let mut names = Vec::new();
    let mut at = source;
    let input = loop {
        match values.value(at) {
            Value::Member(_, name) => names.push(*name),
            Value::Call(call) => {
                let data = values.call(*call);
                if let Some(name) = data.args.first().and_then(|arg| values.as_text(arg.0)) {
                    names.push(name);
                }
                at = data.callee;
                continue;
            }
            Value::Input(tag) => break Some(Input::of(*tag)),
            _ => {}
        }
        match whole_of(values, at) {
            Some(whole) => at = whole,
            None => break None,
        }
    };
    names.reverse();
    (names, input)
}

/// Where the code names a part of the request, in the functions on the way to the place of harm.
fn source_place(
    machine: &Machine<'_>,
    values: &Values,
    source: ValueId,
    frames: &[FrameId],
    sink: &SeenSink,
) -> Option<Site> {
    let mut at = source;
    for _ in 0..16 {
        if let Value::Call(call) = values.value(at) {
            let data = values.call(*call);
            return Some(Site {
                module: data.module,
                span: data.span,
            });
        }
        let Some(whole) = whole_of(values, at) else {
            break;
        };
        at = whole;
    }
    let (names, _) = names(values, source);
    let mut homes: Vec<(ModuleId, Span)> = frames
        .iter()
        .filter_map(|id| {
            let frame = machine.frame(*id)?;
            let function = machine
                .project
                .module(frame.module)
                .body
                .function(frame.function);
            Some((frame.module, function.span))
        })
        .collect();
    if homes.is_empty() {
        let body = &machine.project.module(sink.site.module).body;
        homes.extend(
            body.functions
                .first()
                .map(|top| (sink.site.module, top.span)),
        );
    }
    homes.into_iter().find_map(|(module, within)| {
        let body = &machine.project.module(module).body;
        written(body, &names, within).map(|span| Site { module, span })
    })
}

/// The first expression within a span that ends in some names.
fn written(body: &Body, names: &[Ustr], within: Span) -> Option<Span> {
    let last = names.last()?;
    body.exprs
        .iter()
        .filter(|expr| expr.span.start >= within.start && expr.span.end <= within.end)
        .find(|expr| match &expr.kind {
            ExprKind::Member { object, name, .. } => {
                name == last && ends_in(body, *object, names.get(..names.len() - 1).unwrap_or(&[]))
            }
            _ => false,
        })
        .map(|expr| expr.span)
}

/// Whether an expression ends in the last of some names, or is a variable, which may hold anything.
fn ends_in(body: &Body, expr: ExprId, names: &[Ustr]) -> bool {
    match (&body.expr(expr).kind, names.last()) {
        (ExprKind::Member { name, .. }, Some(last)) => name == last,
        (ExprKind::Local(_) | ExprKind::Await(_), _) => true,
        (_, None) => true,
        _ => false,
    }
}
