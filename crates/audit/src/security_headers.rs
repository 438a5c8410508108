//! `Said`: what an application says of security headers, anywhere: in code, in its configuration, in that of its host.

use std::ops::Range;

use portcullis_code::{
    body::{Const, ExprKind, Property, Span},
    machine::EventKind,
    project::Module,
};

use crate::{library::Meaning, rule::ProjectContext, setting::Setting};

/// The headers that count: a browser does less by them.
const HEADERS: [&str; 5] = [
    "content-security-policy",
    "content-security-policy-report-only",
    "x-content-type-options",
    "x-frame-options",
    "strict-transport-security",
];
/// Libraries that set them by themselves, whatever they are given.
const LIBRARIES: [&str; 14] = [
    "helmet",
    "koa-helmet",
    "@fastify/helmet",
    "lusca",
    "hono/secure-headers",
    "next-secure-headers",
    "next-safe",
    "@next-safe/middleware",
    "@nosecone/next",
    "nosecone",
    "@arcjet/next",
    "@edge-csp/next",
    "nextjs-helmet",
    "express-csp-header",
];
/// Texts other than code in which a host or a page names headers.
const TEXTS: [&str; 6] = [
    "netlify.toml",
    "vercel.json",
    "firebase.json",
    "staticwebapp.config.json",
    "_headers",
    "index.html",
];

/// What is said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The headers that are named, in lower case, and the libraries that set them.
    pub(crate) names: Vec<String>,
    /// Where the first of them is named.
    pub(crate) first: Option<(String, Range<usize>)>,
    /// Whether one of them is a policy for the content of pages.
    pub(crate) has_policy: bool,
    /// A policy for scripts that forbids nothing.
    pub(crate) weak_policy: Option<(String, Range<usize>)>,
}

/// What the application in a folder says. `dirs` are the folders of all: what stands in none of them is shared.
pub(crate) fn said_by(context: &ProjectContext<'_>, dir: &str, dirs: &[String]) -> Said {
    let project = context.machine.project;
    let mut said = Said::default();
    let concerns = |file: &str| {
        let inner = dirs
            .iter()
            .filter(|one| is_below(one, file))
            .max_by_key(|one| one.len());
        inner.is_none_or(|inner| inner == dir || is_below(inner, &format!("{dir}/x")))
    };
    for module in project.modules().iter().filter(|it| concerns(&it.file)) {
        read_module(module, &mut said);
    }
    for (path, text) in project.texts() {
        let name = path.rsplit('/').next().unwrap_or(path);
        if TEXTS.contains(&name) && concerns(path) {
            let lower = text.to_lowercase();
            said.names.extend(
                HEADERS
                    .iter()
                    .filter(|header| lower.contains(**header))
                    .map(|header| (*header).to_owned()),
            );
        }
    }
    let by_import = said
        .names
        .iter()
        .any(|name| LIBRARIES.contains(&name.as_str()));
    let mut called = false;
    let values = &context.machine.values;
    for event in context.events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let file = &project.module(event.module).file;
        if !concerns(file) {
            continue;
        }
        for known in context.bench.knowledge.of_call(values, call) {
            let Meaning::Headers(headers) = &known.row.meaning else {
                continue;
            };
            called = true;
            said.names.push("a library".to_owned());
            let off = headers.policy_unless_false.as_ref().is_some_and(|place| {
                matches!(Setting::at(values, &known, place), Setting::Given(value)
                    if values.as_const(value) == Some(Const::Bool(false)))
            });
            said.has_policy |= headers.policy && !off;
            let bytes = event.span.start as usize..event.span.end as usize;
            said.first.get_or_insert((file.to_string(), bytes));
        }
    }
    // A library that is used where no row can tell is taken to set all that it may.
    said.has_policy |= by_import && !called
        || said
            .names
            .iter()
            .any(|name| name.starts_with("content-security-policy"));
    said
}

fn is_below(dir: &str, file: &str) -> bool {
    dir.is_empty()
        || file
            .strip_prefix(dir)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn read_module(module: &Module, said: &mut Said) {
    for import in &module.body.imports {
        if LIBRARIES.contains(&import.specifier.as_str()) {
            said.names.push(import.specifier.to_string());
        }
    }
    let is_header =
        |text: &str| text.len() <= 40 && HEADERS.iter().any(|it| text.eq_ignore_ascii_case(it));
    let (mut weak, mut first) = (None, None);
    for expr in &module.body.exprs {
        match &expr.kind {
            ExprKind::Const(Const::Str(text)) => {
                if is_header(text) || LIBRARIES.contains(&text.as_str()) {
                    said.names.push(text.to_lowercase());
                    first = first.or(is_header(text).then_some(expr.span));
                }
                if weak.is_none() && lets_scripts_run(text) {
                    weak = Some(expr.span);
                }
            }
            ExprKind::Object(properties) => {
                for property in properties {
                    if let Property::Named(key, value) = property
                        && is_header(key)
                    {
                        said.names.push(key.to_lowercase());
                        first = first.or(Some(module.body.expr(*value).span));
                    }
                }
            }
            _ => {}
        }
    }
    let place = |span: Span| {
        let bytes = span.start as usize..span.end as usize;
        (module.file.to_string(), bytes)
    };
    if let Some(span) = first {
        said.first.get_or_insert_with(|| place(span));
    }
    if let Some(span) = weak {
        said.weak_policy.get_or_insert_with(|| place(span));
    }
}

/// Whether a text is a policy by which scripts in the page run: what the directive for scripts says, or the general one.
fn lets_scripts_run(policy: &str) -> bool {
    if policy.len() > 10_000 || !policy.contains("-src") {
        return false;
    }
    let directive = |name: &str| {
        policy
            .split(';')
            .map(str::trim_start)
            .find_map(|part| part.strip_prefix(name)?.strip_prefix(' '))
    };
    let Some(scripts) = directive("script-src").or_else(|| directive("default-src")) else {
        return false;
    };
    let eval = scripts.contains("'unsafe-eval'");
    let inline = scripts.contains("'unsafe-inline'")
        && ![
            "'nonce-",
            "'sha256-",
            "'sha384-",
            "'sha512-",
            "'strict-dynamic'",
        ]
        .iter()
        .any(|known| scripts.contains(known));
    eval || inline
}
