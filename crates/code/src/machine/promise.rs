//! Promises that code makes itself: `new Promise((resolve, reject) => ..)`.

use super::{EventKind, Exit, Machine, Pending, call::Args};
use crate::{
    body::{ModuleId, Span},
    value::{CallData, Value, ValueId},
};

impl Machine<'_> {
    /// Runs an executor. What comes after the promise comes after each call of `resolve`, and only then.
    ///
    /// None where neither of its functions is called in sight: somebody else has them.
    pub(super) fn new_promise(
        &mut self,
        callee: ValueId,
        executor: ValueId,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        if !self.in_entry || !matches!(self.values.value(executor), Value::Function { .. }) {
            return None;
        }
        let call = self.values.new_call(CallData {
            callee,
            args: vec![(executor, false)],
            new: true,
            gives_object: true,
            awaited: false,
            cut: None,
            module,
            span,
        });
        let resolve = self.values.make(Value::Handed(call, 0, 0));
        let reject = self.values.make(Value::Handed(call, 0, 1));
        let start = self.facts;
        let mark = self.undo.len();
        let first = self.events.len();
        self.pending.push(Pending {
            resolve,
            reject,
            mark,
            resolved: Vec::new(),
            rejected: Vec::new(),
        });
        let args: Args = vec![(resolve, false), (reject, false)];
        self.call_value(executor, None, args, false, module, span);
        let pending = self.pending.pop()?;
        self.rollback(mark);
        self.facts = start;
        self.alive = true;
        if pending.resolved.is_empty() && pending.rejected.is_empty() {
            self.events.truncate(first);
            return None;
        }
        // A promise that is refused throws where it is waited for: not before here.
        for exit in pending.rejected {
            match self.tries.last_mut() {
                Some(landing) => landing.exits.push(exit),
                None => self.uncaught.push(exit),
            }
        }
        let value = self.join(pending.resolved);
        Some(match self.values.value(value) {
            Value::Promise(_) => value,
            _ => self.values.make(Value::Promise(value)),
        })
    }

    /// Whether a call settles a promise whose executor runs; then nothing comes after it here.
    pub(super) fn settles(
        &mut self,
        callee: ValueId,
        args: &Args,
        module: ModuleId,
        span: Span,
    ) -> bool {
        let is_one = |pending: &Pending| pending.resolve == callee || pending.reject == callee;
        let Some(at) = self.pending.iter().rposition(is_one) else {
            return false;
        };
        let value = match args.first() {
            Some(&(value, _)) => value,
            None => self.undefined(),
        };
        let refused = self.pending.get(at).is_some_and(|it| it.reject == callee);
        if refused {
            self.event(EventKind::Throw(value), module, span);
        }
        let mark = self.pending.get(at).map_or(0, |pending| pending.mark);
        let exit: Exit = self.exit(mark, value, module, span);
        if let Some(pending) = self.pending.get_mut(at) {
            if refused {
                pending.rejected.push(exit);
            } else {
                pending.resolved.push(exit);
            }
        }
        self.alive = false;
        true
    }
}
