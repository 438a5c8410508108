//! `client-side-authz`: only the browser's own code asks for the role that an operation needs.

use portcullis_code::{
    body::{BinaryOp, Body, Const, ExprId, ExprKind, ImportName, StmtKind},
    project::Module,
    resolve::Resolved,
};
use portcullis_policy::{Control, Method};
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};

use crate::{
    passes::{Proof, is_role_name},
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "client-side-authz",
    class: Class::ClientSideAuthz,
    control: Control::Authorization,
    severity: Severity::High,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-602"],
    asvs: &["v5.0.0-8.3.1"],
    owasp: &["A01:2021", "API5:2023"],
    summary: "the role that an operation needs is looked at in the browser only",
    page: include_str!("client_side_authz.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let (route, judgement) = (context.route, context.judgement);
    let writes = judgement
        .queries
        .iter()
        .any(|judged| judged.query.op.writes());
    let uncertain = judgement
        .unknowns
        .iter()
        .any(|unknown| matches!(unknown.code, "U1" | "U3" | "U7"));
    // A function on the server that asks for a role, or for a secret, or of which too little is known.
    let guarded = judgement.guards.iter().any(|guard| {
        matches!(
            guard.kind,
            Proof::Authorization
                | Proof::Ownership
                | Proof::Signature
                | Proof::Service
                | Proof::Capability
                | Proof::Credential
        )
    });
    let covered = context
        .cover
        .is_some_and(|cover| cover.auth == Auth::Required);
    if !writes
        || uncertain
        || guarded
        || covered
        || judgement.auth != Auth::None
        || route.mega.is_some()
        || route.path.contains('{')
        || matches!(route.method, Method::Get | Method::Head | Method::Options)
    {
        return Vec::new();
    }
    let project = context.machine.project;
    for module in project.modules() {
        if !runs_in_browser(module) || !calls(context, module) {
            continue;
        }
        let Some(at) = role_test(&module.body) else {
            continue;
        };
        let site = Site {
            module: module.id,
            span: module.body.expr(at).span,
        };
        return vec![
            Hit::at(
                site,
                "the browser is asked for the user's role, and the server is not: whoever calls it without this page is let in",
            )
            .because(
                Some(route.site),
                "what this page calls changes something for whoever asks",
            )
            .fixed_by("ask for the role on the server, before the effect; the test in the page only chooses what is shown"),
        ];
    }
    Vec::new()
}

fn runs_in_browser(module: &Module) -> bool {
    module
        .body
        .directives
        .iter()
        .any(|text| *text == "use client")
}

/// Whether a module calls the route: by its path, or the action by its import.
fn calls(context: &RouteContext<'_>, module: &Module) -> bool {
    let route = context.route;
    if let Some((_, export)) = route
        .path
        .strip_prefix("action:")
        .and_then(|path| path.rsplit_once('#'))
    {
        return module.body.imports.iter().any(|import| {
            matches!(import.name, ImportName::Named(name) if name == *export)
                && context.machine.project.resolve(module.id, import.specifier)
                    == Resolved::Module(route.site.module)
        });
    }
    module.body.exprs.iter().any(|expr| {
        matches!(&expr.kind, ExprKind::Const(Const::Str(text)) if text.as_str() == route.path)
    })
}

/// The first branch on a role: `if (user.role !== "admin")`, `isAdmin && ...`, `isAdmin ? .. : ..`.
fn role_test(body: &Body) -> Option<ExprId> {
    let mut tests: Vec<ExprId> = Vec::new();
    for function in &body.functions {
        for statement in &function.body {
            if let StmtKind::If { test, .. } = statement.kind {
                tests.push(test);
            }
        }
    }
    for expr in &body.exprs {
        match expr.kind {
            ExprKind::Choose { test, .. } => tests.push(test),
            ExprKind::Logic(_, left, _) => tests.push(left),
            _ => {}
        }
    }
    tests.sort_by_key(|test| body.expr(*test).span.start);
    tests.into_iter().find(|test| is_of_role(body, *test, 0))
}

fn is_of_role(body: &Body, test: ExprId, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    match &body.expr(test).kind {
        ExprKind::Not(inner) => is_of_role(body, *inner, depth + 1),
        ExprKind::Logic(_, left, right) => {
            is_of_role(body, *left, depth + 1) || is_of_role(body, *right, depth + 1)
        }
        ExprKind::Binary(BinaryOp::Equal, left, right) => {
            let text =
                |side: ExprId| matches!(body.expr(side).kind, ExprKind::Const(Const::Str(_)));
            names_role(body, *left) && text(*right) || names_role(body, *right) && text(*left)
        }
        ExprKind::Local(_) | ExprKind::Member { .. } => is_admin(body, test),
        _ => false,
    }
}

fn names_role(body: &Body, expr: ExprId) -> bool {
    matches!(&body.expr(expr).kind, ExprKind::Member { name, .. } if name.as_str().to_lowercase().contains("role"))
}

/// `isAdmin`, `user.isAdmin`
fn is_admin(body: &Body, expr: ExprId) -> bool {
    let name = match &body.expr(expr).kind {
        ExprKind::Member { name, .. } => *name,
        ExprKind::Local(local) => body.local(*local).name,
        _ => return false,
    };
    let lower = name.to_lowercase();
    is_role_name(&name) && (lower.starts_with("is") || lower.starts_with("can"))
}
