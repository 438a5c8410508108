//! `SeenGuard`: the guards on the way, and whether they hold everywhere.

use std::rc::Rc;

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Fact, ValueId},
};
use rustc_hash::FxHashSet;

use super::{Judgement, Judging};
use crate::{
    passes::{Passed, Proof},
    route::Site,
};

/// A guard that was seen, whether it guards everything or not.
#[derive(Clone, Debug)]
pub struct SeenGuard {
    /// What it guards.
    pub kind: Proof,
    /// Where.
    pub site: Site,
    /// The link of the chain.
    pub link: usize,
    /// Whether it was passed on every way to what the route does.
    pub everywhere: bool,
    /// Whether a call established it; a test of what earlier code may have left on the request is only a look.
    pub established: bool,
    /// Whether the credential is a cookie; none where it may be either.
    pub ambient: Option<bool>,
    /// How it is written: `auth().userId`.
    pub source: String,
    /// What happens on failure, in words.
    pub on_fail: &'static str,
}

impl Judging<'_, '_, '_, '_> {
    pub(super) fn guards(&self, judgement: &Judgement) -> Vec<SeenGuard> {
        let mut found: Vec<SeenGuard> = Vec::new();
        let mut seen: FxHashSet<(Proof, Option<CallId>, Option<ValueId>)> = FxHashSet::default();
        for (number, event) in self.events.iter().enumerate() {
            let values = &self.machine.values;
            let here = self.bench.passes.at(values, event.facts);
            // What a call itself proves may hold nowhere else, where a setting switches it off.
            let own = match event.kind {
                EventKind::Call(call) => self.bench.passes.of_fact(values, Fact::Returned(call)),
                _ => Rc::default(),
            };
            for passed in here.iter().chain(own.iter()) {
                let site = self.site_of(passed).unwrap_or(Site {
                    module: event.module,
                    span: event.span,
                });
                if !seen.insert((passed.kind, passed.call, passed.tested)) {
                    continue;
                }
                let everywhere = !judgement.points.is_empty()
                    && judgement.points.iter().all(|point| {
                        self.bench
                            .passes
                            .at(&self.machine.values, *point)
                            .iter()
                            .any(|other| {
                                other.kind == passed.kind
                                    && (other.call == passed.call && other.tested == passed.tested
                                        || passed.call.is_some()
                                            && self.site_of(other) == Some(site))
                            })
                    });
                let link = self.link_of(number.saturating_sub(1));
                let source = self.describe(passed);
                let on_fail = if passed.tested.is_some() {
                    "leaves"
                } else {
                    "throws or answers"
                };
                found.push(SeenGuard {
                    kind: passed.kind,
                    site,
                    link,
                    everywhere,
                    established: passed.call.is_some() || passed.kind == Proof::Service,
                    ambient: passed.ambient,
                    source,
                    on_fail,
                });
            }
        }
        found
    }

    fn site_of(&self, passed: &Passed) -> Option<Site> {
        let call = passed.call.or_else(|| {
            let tested = passed.tested?;
            self.rows_in(tested).first().copied()
        })?;
        let data = self.machine.values.call(call);
        Some(Site {
            module: data.module,
            span: data.span,
        })
    }

    fn describe(&self, passed: &Passed) -> String {
        let called = || {
            passed
                .call
                .map(|call| self.machine.values.call(call).callee)
        };
        let reach = |value| self.bench.knowledge.reach(&self.machine.values, value);
        // What a callback was handed has no path of its own: the call that handed it has.
        passed
            .tested
            .and_then(reach)
            .or_else(|| called().and_then(reach))
            .map_or_else(
                || "a comparison".to_owned(),
                |reach| {
                    if reach.package == "globalThis" {
                        reach.text()
                    } else {
                        format!("{}#{}", reach.package, reach.text())
                    }
                },
            )
    }
}
