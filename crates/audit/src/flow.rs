//! Flows: what of a request reaches a place where it does harm, by which way, and whether something makes it harmless.
//!
//! A rule names its class and what is particular about it ([`Danger`]); the way is the same for all:
//! 1. the judgement has every place of harm that the route passes ([`SeenSink`]);
//! 2. from the value there, its parts are followed back to what the client sent (`trace.rs`, calls in `call.rs`);
//! 3. on the way each part is dropped that a test, a schema or a call makes harmless (`vouched.rs`, `typed.rs`, `cleaned.rs`);
//! 4. what is left is told with its steps (`told.rs`).

mod alphabet;
mod before;
mod call;
mod cleaned;
mod own_url;
mod page;
mod sink;
mod told;
mod trace;
mod typed;
mod vouched;

use portcullis_code::{machine::EventKind, value::ValueId};
use portcullis_report::{Class, Confidence};

pub(crate) use before::Before;
pub(crate) use page::answers;
pub(crate) use sink::sinks;
pub use sink::{SeenSink, SinkForm};

use crate::{
    knowledge::Known,
    library::{Meaning, Usage},
    origin::Origins,
    route::Site,
    rule::{Hit, RouteContext},
};

/// What a client may choose: everything that it sends.
pub(crate) const SENT: Origins = Origins::CHOSEN.and(Origins::HEADER).and(Origins::COOKIE);

/// What is particular about a class of flows.
#[derive(Debug)]
pub(crate) struct Danger {
    /// The class.
    pub(crate) class: Class,
    /// The parts of a request that count.
    pub(crate) sources: Origins,
    /// The signs without which a text does no harm here.
    pub(crate) signs: &'static str,
    /// What is asked of the value besides.
    pub(crate) wants: Wants,
    /// What is wrong, lower case.
    pub(crate) message: &'static str,
    /// What the place does with it, where its row does not say.
    pub(crate) does: &'static str,
    /// What to write instead.
    pub(crate) fix: &'static str,
}

/// The names through which prototypes are reached.
const PROTOTYPES: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// What a value must be to do harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A text with some of the signs in it.
    Text,
    /// An address whose host can be chosen.
    Host,
    /// The path of a file.
    Path,
    /// An object where a plain value is expected.
    Object,
}

/// What reaches a place of harm.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// The part of the request.
    pub(crate) source: ValueId,
    /// Which part.
    pub(crate) origins: Origins,
    /// Whether a schema saw it and let it be.
    pub(crate) parsed: bool,
    /// Whether it decides on the host only together with what stands before it: `/` and then `/other.example`.
    pub(crate) after_slash: bool,
    /// What passed it on, the last first.
    pub(crate) passed: Vec<(Site, String)>,
}

/// A hit for each place of harm of the danger's class that the client's words reach.
pub(crate) fn hits(context: &RouteContext<'_>, danger: &Danger) -> Vec<Hit> {
    hits_at(context, danger, |_| true)
}

/// The same, for some of the places.
pub(crate) fn hits_at(
    context: &RouteContext<'_>,
    danger: &Danger,
    wanted: impl Fn(&SeenSink) -> bool,
) -> Vec<Hit> {
    reached(context, danger, wanted)
        .into_iter()
        .map(|(sink, flow)| told::hit(context, danger, sink, &flow))
        .collect()
}

/// Each place of harm of the danger's class that the client's words reach, with the plainest way there.
fn reached<'c>(
    context: &RouteContext<'c>,
    danger: &Danger,
    wanted: impl Fn(&SeenSink) -> bool,
) -> Vec<(&'c SeenSink, Flow)> {
    let mut found = Vec::new();
    let mut cleaned = None;
    for sink in &context.judgement.sinks {
        if sink.class != danger.class || !wanted(sink) {
            continue;
        }
        // A middleware that makes every part of the request harmless.
        if *cleaned.get_or_insert_with(|| makers(context).any(|known| cleans(&known, danger))) {
            break;
        }
        let flows = trace::flows(context, danger, sink);
        if let Some(flow) = flows.into_iter().min_by_key(Flow::rank) {
            found.push((sink, flow));
        }
    }
    found
}

/// The rows of the middlewares on the way.
fn makers<'c>(context: &RouteContext<'c>) -> impl Iterator<Item = Known<'c>> {
    let values = &context.machine.values;
    let knowledge = context.bench.knowledge;
    context
        .judgement
        .events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::Call(call) => Some(values.call(call).callee),
            _ => None,
        })
        .flat_map(|callee| knowledge.of_maker(values, callee))
        .filter(|known| known.row.usage == Usage::Middleware)
}

fn cleans(known: &Known<'_>, danger: &Danger) -> bool {
    matches!(&known.row.meaning, Meaning::Sanitizer(sanitizer) if sanitizer.covers(danger.class))
}

impl Flow {
    /// How plain it is, the plainest first.
    fn rank(&self) -> (bool, bool, usize) {
        let aside = !self.origins.any(Origins::CHOSEN);
        (aside, self.parsed, self.passed.len())
    }

    /// How sure one can be that it does harm.
    pub(crate) fn confidence(&self, sink: &SeenSink) -> Confidence {
        let aside = !self.origins.any(Origins::CHOSEN);
        if sink.form == SinkForm::Likely || aside || self.parsed || self.after_slash {
            Confidence::Medium
        } else {
            Confidence::High
        }
    }
}
