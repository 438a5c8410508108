//! Try statements: what their handlers see, and what stands in `finally`.

use super::{EventKind, Exit, Landing, Machine};
use crate::{
    body::{ModuleId, Pattern, Span, Stmt},
    value::{EnvId, Fact, FactsId, Value},
};

impl Machine<'_> {
    pub(super) fn attempt(
        &mut self,
        env: EnvId,
        module: ModuleId,
        body: &[Stmt],
        handler: Option<(Option<&Pattern>, &[Stmt], Span)>,
        finally: &[Stmt],
        span: Span,
    ) {
        let undefined = self.undefined();
        let start = self.facts;
        let mark = self.undo.len();
        self.try_number += 1;
        let number = self.try_number;
        let first = self.events.len();
        let left = self.left();
        let Some((param, catch, handler_span)) = handler else {
            self.block(env, module, body);
            self.finish(env, module, finally, left);
            return;
        };
        self.tries.push(Landing {
            mark,
            exits: Vec::new(),
        });
        self.block(env, module, body);
        let thrown = self
            .tries
            .pop()
            .map(|landing| landing.exits)
            .unwrap_or_default();
        let mut ends = Vec::new();
        if self.alive {
            ends.push(self.exit(mark, undefined, module, span));
        }
        self.rollback(mark);
        let end = self.events.len();
        // An opaque call may throw wherever it stands: then nothing is known but what was before.
        let caught = self.values.make(Value::Caught(number));
        let mut entries = thrown;
        if self.events.get(first..end).is_some_and(|body| {
            body.iter()
                .any(|event| matches!(event.kind, EventKind::Call(_)))
        }) {
            entries.push(Exit {
                facts: start,
                value: caught,
                module,
                span: handler_span,
                changes: Vec::new(),
            });
        }
        if !entries.is_empty() {
            let value = self.join(entries);
            self.facts = self.values.before_both(self.facts, start);
            self.learn(Fact::Caught(number));
            if let Some(param) = param {
                self.bind(env, module, param, value);
            }
            self.block(env, module, catch);
            let goes_on = self.alive;
            if self.alive {
                ends.push(self.exit(mark, undefined, module, handler_span));
            }
            self.rollback(mark);
            let facts = std::mem::replace(&mut self.facts, start);
            self.event(
                EventKind::Handled {
                    number,
                    first,
                    end,
                    goes_on,
                    handler: handler_span,
                },
                module,
                span,
            );
            self.facts = facts;
        }
        self.join(ends);
        self.finish(env, module, finally, left);
    }

    /// How many ways have left the function, the loop and the try statement that one is in.
    fn left(&self) -> [usize; 4] {
        let count = |landings: &[Landing]| landings.last().map_or(0, |landing| landing.exits.len());
        [
            count(&self.returns),
            count(&self.breaks),
            count(&self.tries),
            self.uncaught.len(),
        ]
    }

    /// Runs what stands in `finally`: on the ways that left meanwhile, too. What it does then is recorded, and nothing
    /// follows from it.
    fn finish(&mut self, env: EnvId, module: ModuleId, finally: &[Stmt], before: [usize; 4]) {
        if finally.is_empty() {
            return;
        }
        let ways: [&[Exit]; 4] = [
            self.returns.last().map_or(&[], |landing| &landing.exits),
            self.breaks.last().map_or(&[], |landing| &landing.exits),
            self.tries.last().map_or(&[], |landing| &landing.exits),
            &self.uncaught,
        ];
        let leaving: Vec<FactsId> = ways
            .iter()
            .zip(before)
            .flat_map(|(exits, before)| exits.iter().skip(before))
            .map(|exit| exit.facts)
            .collect();
        let (alive, facts) = (self.alive, self.facts);
        if !leaving.is_empty() {
            let mark = self.undo.len();
            self.facts = self.values.join(&leaving);
            self.alive = true;
            self.block(env, module, finally);
            self.rollback(mark);
            (self.alive, self.facts) = (alive, facts);
        }
        if self.alive {
            self.block(env, module, finally);
        }
    }
}
