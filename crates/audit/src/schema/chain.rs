//! `Chain`: calls on the result of one another, which is how builders are written.

use portcullis_code::body::{ExprKind, Item};
use ustr::Ustr;

use super::code::{Code, Place};

/// Calls of one chain at most.
const CHAIN_MAX: usize = 40;

/// One call of a chain: what it is called, and with what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'p> {
    pub(crate) name: Ustr,
    pub(crate) args: &'p [Item],
}

/// A call, or calls on the result of one another: `text("a").notNull().references(...)`.
#[derive(Clone, Debug)]
pub(crate) struct Chain<'p> {
    /// What the first call is a call of.
    pub(crate) callee: Place,
    /// The calls in order.
    pub(crate) links: Vec<Link<'p>>,
}

impl<'p> Chain<'p> {
    /// The first call of this name.
    pub(crate) fn link(&self, name: &str) -> Option<Link<'p>> {
        self.links.iter().find(|link| link.name == name).copied()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.link(name).is_some()
    }
}

impl<'p> Code<'p> {
    /// The chain of calls that an expression is.
    pub(crate) fn chain(&self, at: Place) -> Option<Chain<'p>> {
        let mut links = Vec::new();
        let mut at = at;
        loop {
            let ExprKind::Call { callee, args, .. } = self.kind(at) else {
                return None;
            };
            let callee = Place {
                module: at.module,
                expr: *callee,
            };
            let name = self.written_name(callee)?;
            links.push(Link { name, args });
            if links.len() > CHAIN_MAX {
                return None;
            }
            if let ExprKind::Member { object, .. } = self.kind(callee) {
                let object = Place {
                    module: at.module,
                    expr: *object,
                };
                if matches!(self.kind(object), ExprKind::Call { .. })
                    && self.required(object).is_none()
                {
                    at = object;
                    continue;
                }
            }
            links.reverse();
            return Some(Chain { callee, links });
        }
    }
}
