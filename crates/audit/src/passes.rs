//! What the facts at a point prove: which guards were passed on every way there.

mod compared;
mod completed;
mod join;
mod name;
mod proof;
mod sign_in;
mod tested;
mod truthy;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use portcullis_code::value::{CallId, Fact, FactsId, ValueId, Values};
use rustc_hash::FxHashMap;

pub use name::is_role_name;
pub use proof::Proof;
pub(crate) use sign_in::signs_in;

use crate::{knowledge::Knowledge, origin::OriginFinder};

/// A guard that was passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// What it guards.
    pub kind: Proof,
    /// The call that guards, if it is one.
    pub call: Option<CallId>,
    /// The value that was tested, if one was.
    pub tested: Option<ValueId>,
    /// Whether the credential is a cookie; none where it may be either.
    pub ambient: Option<bool>,
}

/// Judges facts, and remembers for one route.
pub struct Passes<'k, 'p> {
    knowledge: &'k Knowledge<'p>,
    origins: &'k OriginFinder<'k, 'p>,
    known: RefCell<FxHashMap<FactsId, Rc<Vec<Passed>>>>,
    by_fact: RefCell<FxHashMap<Fact, Rc<Vec<Passed>>>>,
    /// Reads that find a row by a secret.
    secrets: RefCell<FxHashMap<CallId, bool>>,
    /// Tests that compare something of the environment.
    compares_settings: RefCell<FxHashMap<ValueId, bool>>,
    settings: Cell<bool>,
}

impl std::fmt::Debug for Passes<'_, '_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Passes").finish_non_exhaustive()
    }
}

impl<'k, 'p> Passes<'k, 'p> {
    /// A judge of facts for one route.
    #[must_use]
    pub fn new(knowledge: &'k Knowledge<'p>, origins: &'k OriginFinder<'k, 'p>) -> Self {
        Self {
            knowledge,
            origins,
            known: RefCell::default(),
            by_fact: RefCell::default(),
            secrets: RefCell::default(),
            compares_settings: RefCell::default(),
            settings: Cell::new(false),
        }
    }

    /// Says that a read finds its row by a secret that the client shows: in a header, as a key, or in a link.
    pub fn secret(&self, call: CallId, in_header: bool) {
        self.secrets.borrow_mut().insert(call, in_header);
    }

    /// Forgets what was judged, after more is known.
    pub fn forget(&self) {
        self.known.borrow_mut().clear();
        self.by_fact.borrow_mut().clear();
    }

    /// Every guard that was passed on every way to a point.
    #[must_use]
    pub fn at(&self, values: &Values, facts: FactsId) -> Rc<Vec<Passed>> {
        // Back to the last point that is known, and forward again: each point adds one fact to the one before.
        let mut todo = Vec::new();
        let mut at = facts;
        let mut passed: Rc<Vec<Passed>> = loop {
            if let Some(known) = self.known.borrow().get(&at) {
                break known.clone();
            }
            match values.newest(at) {
                Some((before, fact)) => {
                    todo.push((at, fact));
                    at = before;
                }
                None => break Rc::default(),
            }
        };
        for (point, fact) in todo.into_iter().rev() {
            let found = self.of_fact(values, fact);
            if found.iter().any(|found| !passed.contains(found)) {
                let mut more = passed.as_ref().clone();
                for found in found.iter() {
                    if !more.contains(found) {
                        more.push(found.clone());
                    }
                }
                passed = Rc::new(more);
            }
            self.known.borrow_mut().insert(point, passed.clone());
        }
        passed
    }

    /// Whether a guard of this kind was passed on every way to a point.
    #[must_use]
    pub fn has(&self, values: &Values, facts: FactsId, kind: Proof) -> bool {
        self.at(values, facts)
            .iter()
            .any(|passed| passed.kind == kind)
    }

    /// Whether another service proved itself on every way to a point, our own scheduler as a rule: what it sends it wrote itself.
    #[must_use]
    pub fn of_service(&self, values: &Values, facts: FactsId) -> bool {
        [Proof::Signature, Proof::Service]
            .into_iter()
            .any(|proof| self.has(values, facts, proof))
    }

    /// Whether who calls is known on every way to a point.
    #[must_use]
    pub fn identified(&self, values: &Values, facts: FactsId) -> bool {
        self.at(values, facts)
            .iter()
            .any(|passed| passed.kind.identifies())
    }

    /// What one fact proves.
    #[must_use]
    pub fn of_fact(&self, values: &Values, fact: Fact) -> Rc<Vec<Passed>> {
        if let Some(known) = self.by_fact.borrow().get(&fact) {
            return known.clone();
        }
        let found = Rc::new(match fact {
            Fact::Returned(call) => self.of_return(values, call),
            Fact::Test(value, truth) => self.of_test(values, value, truth),
            Fact::Caught(_) => Vec::new(),
            Fact::OneOf(number) => self.of_join(values, number),
        });
        self.by_fact.borrow_mut().insert(fact, found.clone());
        found
    }

    /// Whether something that was proved depends on a setting.
    #[must_use]
    pub fn by_setting(&self) -> bool {
        self.settings.get()
    }
}
