//! `data-exposure`: a client is shown whole rows, with columns that are not for it.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    exposure::{Exposure, Weight},
    input::Input,
    parts::members_under,
    response::ResponseKind,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "data-exposure",
    class: Class::DataExposure,
    control: Control::Authorization,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-200", "CWE-213"],
    asvs: &["v5.0.0-15.3.1"],
    owasp: &["A01:2021", "API3:2023"],
    summary: "a client is shown whole rows, with secrets or with what concerns other people",
    page: include_str!("data_exposure.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits = Vec::new();
    for response in &context.judgement.responses {
        let shows = response.kind == ResponseKind::Data
            && !response.refuses()
            && !response.after_error(values);
        if let Some(body) = response.body.filter(|_| shows) {
            hits.extend(judge(context, response.site, &[body], Whom::Caller));
        }
    }
    for event in &context.judgement.events {
        if let EventKind::Call(call) = event.kind
            && is_broadcast(values, call)
        {
            let sent: Vec<ValueId> = values.call(call).args.iter().map(|arg| arg.0).collect();
            let site = Site {
                module: event.module,
                span: event.span,
            };
            hits.extend(judge(context, site, &sent, Whom::Everybody));
        }
    }
    // A redirect, a page, an action: what a page hands to a component of the browser travels there as data.
    for event in &context.judgement.events {
        let EventKind::Markup(element) = event.kind else {
            continue;
        };
        let Value::Markup(tag, props, _) = values.value(element) else {
            continue;
        };
        let Some(name) = client_component(context, *tag) else {
            continue;
        };
        let given: Vec<ValueId> = values
            .object(*props)
            .entries
            .iter()
            .flat_map(crate::parts::entry_values)
            .collect();
        let site = Site {
            module: event.module,
            span: event.span,
        };
        hits.extend(judge(context, site, &given, Whom::Browser(name)));
    }
    hits
}

/// Who is shown something.
enum Whom {
    /// Who called.
    Caller,
    /// Every client of a socket server.
    Everybody,
    /// A component that runs in the caller's browser.
    Browser(String),
}

/// `res.socket.server.io.emit(...)`: everybody who listens gets it.
fn is_broadcast(values: &Values, call: CallId) -> bool {
    let Value::Member(base, name) = values.value(values.call(call).callee) else {
        return false;
    };
    let (root, path) = members_under(values, *base);
    *name == "emit"
        && matches!(values.value(root), Value::Input(tag) if Input::of(*tag) == Input::Response)
        && path.last().is_some_and(|name| *name == "io")
}

/// The name of a component that runs in the browser.
fn client_component(context: &RouteContext<'_>, tag: ValueId) -> Option<String> {
    let values = &context.machine.values;
    if !matches!(
        values.value(tag),
        Value::Function { .. } | Value::Class { .. } | Value::Call(_)
    ) {
        return None;
    }
    let (module, _) = context.machine.place(tag);
    let body = &context.machine.project.module(module).body;
    if !body.directives.iter().any(|text| *text == "use client") {
        return None;
    }
    Some(match values.value(tag) {
        Value::Function { function, .. } => body
            .function(*function)
            .name
            .map_or_else(|| "a component".to_owned(), |name| format!("`{name}`")),
        Value::Class { class, .. } => body
            .class(*class)
            .name
            .map_or_else(|| "a component".to_owned(), |name| format!("`{name}`")),
        _ => "a component".to_owned(),
    })
}

fn judge(context: &RouteContext<'_>, site: Site, bodies: &[ValueId], whom: Whom) -> Option<Hit> {
    let seen = Exposure::of(context, bodies, matches!(whom, Whom::Everybody));
    let worst = seen.columns.iter().max_by_key(|column| column.weight)?;
    let names: Vec<String> = seen
        .columns
        .iter()
        .filter(|column| column.weight == worst.weight)
        .take(4)
        .map(|column| format!("`{}.{}`", column.table, column.column))
        .collect();
    let what = if worst.named { "secrets" } else { "whole rows" };
    let whom = match &whom {
        Whom::Browser(name) => format!("{name} runs in the browser and is given {what}"),
        Whom::Everybody => format!("{what} are sent to everybody who listens"),
        Whom::Caller => format!("{what} are answered"),
    };
    let mut hit = Hit::at(site, format!("{whom}: {}", names.join(", "))).fixed_by(if worst.named {
        "leave them out: what a password became and the secrets of others are for no client"
    } else {
        "name the columns that the client needs, in the query (`select`) or in the answer"
    });
    for column in seen.columns.iter().take(4) {
        hit = hit.because(
            Some(column.site),
            format!(
                "`{}.{}` is {}",
                column.table,
                column.column,
                column.weight.words()
            ),
        );
    }
    (hit.severity, hit.confidence) = match worst.weight {
        Weight::Secret => (Some(Severity::High), Some(Confidence::High)),
        Weight::OwnSecret => (Some(Severity::Medium), Some(Confidence::Low)),
        Weight::Personal => (Some(Severity::Medium), Some(Confidence::High)),
    };
    Some(hit)
}
