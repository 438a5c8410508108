//! What a project says of a variable of its environment.

use portcullis_code::{
    body::{BinaryOp, ExprKind, ModuleId, Span, StmtKind},
    project::{Module, Project},
};
use ustr::Ustr;

use crate::route::Site;

/// Whether the application cannot start without the variable.
pub(super) fn demands(project: &Project, name: Ustr) -> bool {
    let member = format!("env.{name}");
    project.modules().iter().any(|module| {
        if !module.text.contains(name.as_str()) {
            return false;
        }
        let throws = module.body.functions.first().is_some_and(|top| {
            top.body.iter().any(|statement| match &statement.kind {
                StmtKind::If { test, yes, .. } => {
                    text(module, module.body.expr(*test).span).contains(&member)
                        && yes.iter().any(|inner| {
                            matches!(inner.kind, StmtKind::Throw(_))
                                || text(module, inner.span).contains("process.exit")
                        })
                }
                _ => false,
            })
        });
        throws || is_in_a_schema(module, name)
    })
}

/// A schema: `{ CRON_SECRET: z.string() }` in a module that hands it `process.env`.
fn is_in_a_schema(module: &Module, name: Ustr) -> bool {
    if !module.text.contains("process.env") {
        return false;
    }
    let demands = ["z.", "v.", "str("].map(|kind| format!("{name}: {kind}"));
    module.body.exprs.iter().any(|expr| {
        matches!(expr.kind, ExprKind::Object(_)) && {
            let shown = text(module, expr.span);
            demands.iter().any(|demand| shown.contains(demand))
        }
    })
}

/// Where the comparison with the variable is written: the smallest one whose text names it, one of the route's own module first.
pub(super) fn compared(project: &Project, name: Ustr, own: ModuleId) -> Option<Site> {
    let mut best: Option<((bool, u32), Site)> = None;
    for module in project.modules() {
        if !module.text.contains(name.as_str()) {
            continue;
        }
        for expr in &module.body.exprs {
            if !matches!(expr.kind, ExprKind::Binary(BinaryOp::Equal, ..)) {
                continue;
            }
            let length = expr.span.end.saturating_sub(expr.span.start);
            let key = (module.id != own, length);
            if best.is_none_or(|(known, _)| key < known)
                && text(module, expr.span).contains(name.as_str())
            {
                let site = Site {
                    module: module.id,
                    span: expr.span,
                };
                best = Some((key, site));
            }
        }
    }
    best.map(|(_, site)| site)
}

fn text(module: &Module, span: Span) -> &str {
    module
        .text
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default()
}
