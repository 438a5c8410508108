//! Whether a point is reached only because of what a token says that was decoded.

use std::rc::Rc;

use portcullis_code::value::{CallId, Fact, FactsId, Value, ValueId, Values};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::{
    library::Step,
    parts::{calls_under, depends},
};

/// How many tests are told apart where ways come together, at most.
const SPLITS_MAX: u32 = 8;

/// What of the claims a point depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decided {
    /// Nothing.
    Nothing,
    /// Only that something could be decoded.
    Presence,
    /// A claim.
    Claim,
}

/// A test of what was decoded, and how it came out.
type Test = (ValueId, bool, Decided);

/// Finds the tests of what a call decoded; each point and each test is looked at once, whoever asks.
pub(crate) struct Decisions<'v> {
    values: &'v Values,
    call: CallId,
    points: FxHashMap<FactsId, Rc<Vec<Test>>>,
    tests: FxHashMap<ValueId, Decided>,
}

impl<'v> Decisions<'v> {
    /// Of what this call decodes.
    pub(crate) fn of(values: &'v Values, call: CallId) -> Self {
        Decisions {
            values,
            call,
            points: FxHashMap::default(),
            tests: FxHashMap::default(),
        }
    }

    /// What decides whether a point is reached: what is tested on every way there. Where ways come together that went apart by
    /// a claim, and there is one for each outcome, the claim decides nothing any more.
    pub(crate) fn decided(&mut self, facts: FactsId) -> Decided {
        let found = self.at(facts);
        found
            .iter()
            .map(|(_, _, decided)| *decided)
            .max()
            .unwrap_or(Decided::Nothing)
    }

    /// The tests on every way to a point.
    fn at(&mut self, facts: FactsId) -> Rc<Vec<Test>> {
        let mut todo = Vec::new();
        let mut at = facts;
        let mut found = loop {
            if let Some(known) = self.points.get(&at) {
                break known.clone();
            }
            let Some((before, fact)) = self.values.newest(at) else {
                break Rc::default();
            };
            todo.push((at, fact));
            at = before;
        };
        for (point, fact) in todo.into_iter().rev() {
            let more = match fact {
                Fact::Test(tested, truth) => match self.claimed(tested) {
                    Decided::Nothing => Vec::new(),
                    decided => vec![(tested, truth, decided)],
                },
                Fact::OneOf(number) => self.of_ways(number, &found),
                Fact::Returned(_) | Fact::Caught(_) => Vec::new(),
            };
            if !more.is_empty() {
                let mut all = found.as_ref().clone();
                all.extend(more);
                found = Rc::new(all);
            }
            self.points.insert(point, found.clone());
        }
        found
    }

    fn claimed(&mut self, tested: ValueId) -> Decided {
        let (values, call) = (self.values, self.call);
        *self
            .tests
            .entry(tested)
            .or_insert_with(|| claimed(values, tested, call))
    }

    /// What decides where several ways come together: of the claims first, and then of whether there are any.
    fn of_ways(&mut self, number: u32, before: &[Test]) -> Vec<Test> {
        let joined = self.values.joined(number);
        let ways: Vec<Vec<Test>> = joined
            .iter()
            .map(|way| self.at(*way))
            .map(|way| {
                let own = way.iter().filter(|test| !before.contains(test));
                own.copied().collect()
            })
            .collect();
        [Decided::Claim, Decided::Presence]
            .into_iter()
            .find_map(|least| decides(&ways, least))
            .into_iter()
            .collect()
    }
}

/// A test that decides, where not every outcome of the tests leads on by one of the ways.
fn decides(ways: &[Vec<Test>], least: Decided) -> Option<Test> {
    let ways: Vec<Vec<Test>> = ways
        .iter()
        .map(|way| way.iter().filter(|test| test.2 >= least).copied().collect())
        .collect();
    let first = ways.iter().flatten().next().copied();
    first.filter(|_| !is_each_outcome(&ways, SPLITS_MAX))
}

/// Whether the ways are together all that there is: `a`, and `b` where not `a`, and neither.
fn is_each_outcome(ways: &[Vec<Test>], left: u32) -> bool {
    if ways.iter().any(Vec::is_empty) {
        return true;
    }
    let Some(&(tested, ..)) = ways.iter().flatten().next() else {
        return false;
    };
    // So many tests that nobody could say.
    let Some(left) = left.checked_sub(1) else {
        return true;
    };
    [true, false].into_iter().all(|outcome| {
        let possible = ways
            .iter()
            .filter(|way| !way.iter().any(|test| test.0 == tested && test.1 != outcome));
        let rest: Vec<Vec<Test>> = possible
            .map(|way| {
                way.iter()
                    .filter(|test| test.0 != tested)
                    .copied()
                    .collect()
            })
            .collect();
        is_each_outcome(&rest, left)
    })
}

/// What of the claims a test is about.
fn claimed(values: &Values, tested: ValueId, call: CallId) -> Decided {
    let mut found = Decided::Nothing;
    if !depends(values, tested, call) {
        return found;
    }
    let sides = match values.value(tested) {
        Value::Binary(_, a, b) => vec![*a, *b],
        _ => vec![tested],
    };
    for side in sides {
        let Some(first) = claim_of(values, side, call) else {
            continue;
        };
        match first.as_deref() {
            // Of the times and the header nothing follows about who calls.
            Some("exp" | "iat" | "nbf" | "header" | "kid" | "alg") => {}
            Some(_) => return Decided::Claim,
            None => found = Decided::Presence,
        }
    }
    found
}

/// The claim that a value is, if it is one: the first step down from what was decoded, none for the whole.
fn claim_of(values: &Values, value: ValueId, call: CallId) -> Option<Option<Ustr>> {
    let (_, steps) = calls_under(values, value)
        .into_iter()
        .find(|(under, _)| *under == call)?;
    let mut names = steps.iter().filter_map(|step| match step {
        Step::Name(name) if &**name != "payload" => Some(Ustr::from(name)),
        _ => None,
    });
    Some(names.next())
}
