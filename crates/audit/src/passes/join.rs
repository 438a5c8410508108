//! What is proved where several ways come together.

use std::rc::Rc;

use portcullis_code::{
    body::BinaryOp,
    value::{Fact, FactsId, Value, ValueId, Values},
};

use super::{Passed, Passes, Proof};
use crate::origin::Origins;

impl Passes<'_, '_> {
    /// What is proved on each of several ways, if not by the same guard then by one of the same kind.
    ///
    /// A way that only a setting opens (`if (process.env.VERCEL !== "1") return`) does not count against the others: what
    /// they prove then depends on that setting, which [`Passes::by_setting`] tells.
    pub(super) fn of_join(&self, values: &Values, number: u32) -> Vec<Passed> {
        let joined = values.joined(number);
        let ways: Vec<(bool, Rc<Vec<Passed>>)> = joined
            .iter()
            .map(|facts| {
                (
                    self.is_by_setting(values, *facts, joined),
                    self.at(values, *facts),
                )
            })
            .collect();
        let alike =
            |one: Proof, other: Proof| one == other || one.identifies() && other.identifies();
        let all = |ways: &[&Rc<Vec<Passed>>]| -> Vec<Passed> {
            let Some((first, others)) = ways.split_first() else {
                return Vec::new();
            };
            let proved = |passed: &&Passed| {
                others
                    .iter()
                    .all(|way| way.iter().any(|other| alike(passed.kind, other.kind)))
            };
            first.iter().filter(proved).cloned().collect()
        };
        let every: Vec<&Rc<Vec<Passed>>> = ways.iter().map(|(_, way)| way).collect();
        let found = all(&every);
        // Of the ways that a setting tells apart, those that prove least are the ones it switches off.
        let most = ways
            .iter()
            .filter(|(by_setting, _)| *by_setting)
            .map(|(_, way)| way.len())
            .max()
            .unwrap_or(0);
        let usual: Vec<&Rc<Vec<Passed>>> = ways
            .iter()
            .filter(|(by_setting, way)| !by_setting || way.len() == most)
            .map(|(_, way)| way)
            .collect();
        if usual.is_empty() || usual.len() == ways.len() {
            return found;
        }
        let more = all(&usual);
        if more.len() > found.len() {
            self.settings.set(true);
            return more;
        }
        found
    }

    /// Whether a way is taken because of a test of the environment that the others do not share.
    fn is_by_setting(&self, values: &Values, facts: FactsId, ways: &[FactsId]) -> bool {
        values.facts(facts).take(64).any(|fact| match fact {
            Fact::Test(value, _) => {
                self.is_setting(values, value)
                    && ways.iter().any(|other| !values.holds(*other, fact))
            }
            _ => false,
        })
    }

    /// Whether a test compares something of the environment.
    ///
    /// A comparison names the platform or the stage; a setting that is only there or not is off until somebody sets it, and a
    /// guard behind it is not counted on.
    fn is_setting(&self, values: &Values, tested: ValueId) -> bool {
        if !matches!(values.value(tested), Value::Binary(BinaryOp::Equal, ..)) {
            return false;
        }
        if let Some(known) = self.compares_settings.borrow().get(&tested) {
            return *known;
        }
        let is = self.origins.of(values, tested) == Origins::ENVIRONMENT;
        self.compares_settings.borrow_mut().insert(tested, is);
        is
    }
}
