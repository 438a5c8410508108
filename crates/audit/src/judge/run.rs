//! `Run`: the links of a route's chain, run one after the other.

use portcullis_code::{
    machine::{Exit, Machine},
    value::{Alternative, CallId, Value, ValueId},
};
use ustr::{Ustr, ustr};

use super::Bench;
use crate::{
    chained,
    input::Input,
    route::{Convention, Link, Route, Site, Unknown},
};

/// The fewest steps that the last link of a chain has, half of those of a chain: a middleware that follows everything for the sake
/// of one route would leave nothing for the handlers of all others.
const HANDLER_STEPS: u32 = 10_000;

/// What came of running a chain; what happened on the way stays with the machine.
pub(super) struct Run {
    /// The first event of each link.
    pub(super) link_starts: Vec<usize>,
    /// What the last link returned, where that is an answer: a Node handler answers by calling.
    pub(super) returns: Vec<Exit>,
    /// What was thrown.
    pub(super) throws: Vec<Exit>,
    /// What could not be followed.
    pub(super) unknowns: Vec<Unknown>,
}

impl Run {
    /// Runs the chain of a route: each link goes on where the one before let it.
    pub(super) fn new(machine: &mut Machine<'_>, bench: &Bench<'_, '_>, route: &Route) -> Self {
        let mut run = Self {
            link_starts: Vec::with_capacity(route.chain.len()),
            returns: Vec::new(),
            throws: Vec::new(),
            unknowns: route.unknowns.clone(),
        };
        let last = route.chain.len().saturating_sub(1);
        for (number, link) in route.chain.iter().enumerate() {
            // What stands before every route of an application must not hide what each of them does.
            if number == last {
                machine.allow_steps(HANDLER_STEPS);
            }
            run.link_starts.push(machine.events.len());
            if let Some(pieces) = chained::pieces(machine, bench.knowledge, link.value) {
                let outcome = chained::run(machine, &pieces);
                run.throws.extend(outcome.throws);
                run.returns = outcome.returns;
            } else {
                run.enter(machine, link, number == last);
            }
        }
        run.unknowns.extend(unknown_wrappers(machine, bench));
        let node = matches!(
            route.chain.last().map(|link| link.convention),
            Some(Convention::Express | Convention::ExpressError | Convention::Pages)
        );
        if node {
            run.returns.clear();
        }
        run
    }

    /// Runs one link.
    fn enter(&mut self, machine: &mut Machine<'_>, link: &Link, is_last: bool) {
        let args: Vec<ValueId> = link
            .convention
            .inputs()
            .into_iter()
            .map(|input| input.value(&mut machine.values))
            .collect();
        let outcome = machine.run_from((link.site.module, link.site.span), link.value, &args);
        if outcome.out_of_steps {
            self.unknowns.push(Unknown {
                code: "U7",
                site: Some(link.site),
                reason: "too much code to follow in one route".to_owned(),
            });
        }
        if is_last {
            self.returns = outcome.returns;
            self.throws.extend(outcome.throws);
            return;
        }
        self.throws.extend(outcome.throws.into_iter().take(8));
        let goes_on = if link.convention == Convention::Express {
            outcome.continues
        } else {
            outcome.returns
        };
        if !goes_on.is_empty() {
            let given = given(machine, &goes_on);
            machine.resume(goes_on);
            let context = Input::ConvexContext.value(&mut machine.values);
            add_to_context(machine, link.convention, context, given);
        }
    }
}

/// What a link gave, on whichever way it goes on.
fn given(machine: &mut Machine<'_>, exits: &[Exit]) -> ValueId {
    let alternatives = exits
        .iter()
        .map(|exit| Alternative {
            facts: exit.facts,
            value: exit.value,
        })
        .collect();
    machine.values.choice(alternatives)
}

/// Puts what a link made of the context where the links after it find it.
pub(crate) fn add_to_context(
    machine: &mut Machine<'_>,
    convention: Convention,
    context: ValueId,
    given: ValueId,
) {
    let plain = |machine: &Machine<'_>, value: ValueId| match machine.values.value(value) {
        Value::Promise(inner) => *inner,
        _ => value,
    };
    let given = plain(machine, given);
    let added = match convention {
        Convention::ConvexContext(_) => given,
        Convention::ConvexInput(_) => machine.member(given, ustr("ctx")),
        _ => return,
    };
    let added = plain(machine, added);
    let each: Vec<ValueId> = match machine.values.value(added) {
        Value::Choice(alternatives) => alternatives.iter().map(|each| each.value).collect(),
        _ => vec![added],
    };
    let mut names: Vec<Ustr> = Vec::new();
    for one in each {
        let fields = machine.fields(one).unwrap_or_default();
        for (name, _) in fields {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    for name in names {
        let value = machine.member(added, name);
        machine.put(context, name, value);
    }
}

/// The calls that wrap the handler in something that no row describes.
fn unknown_wrappers(machine: &Machine<'_>, bench: &Bench<'_, '_>) -> Vec<Unknown> {
    let unknown = |call: CallId| {
        let data = machine.values.call(call);
        let name = bench
            .knowledge
            .reach(&machine.values, data.callee)
            .map_or_else(
                || "a call".to_owned(),
                |reach| format!("`{}` of `{}`", reach.text(), reach.package),
            );
        Unknown {
            code: "U1",
            site: Some(Site {
                module: data.module,
                span: data.span,
            }),
            reason: format!("the handler is wrapped by {name}, which is not known"),
        }
    };
    let calls = bench.frameworks.unknown_wrappers();
    calls.into_iter().map(unknown).collect()
}
