//! `Shared`: what judging needs whatever the route, and a bench of its own for each run.

use crate::{
    judge::Bench, knowledge::Knowledge, origin::OriginFinder, passes::Passes, schema::Schema,
    semantics::Frameworks,
};

/// What all routes share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a, 'p> {
    pub(crate) knowledge: &'a Knowledge<'p>,
    pub(crate) frameworks: &'a Frameworks<'a, 'p>,
    pub(crate) schema: &'a Schema,
}

impl<'p> Shared<'_, 'p> {
    /// A bench for one run: what its origins and proofs remember ends with the run that they speak of.
    pub(crate) fn bench<T>(&self, work: impl FnOnce(&Bench<'_, 'p>) -> T) -> T {
        let origins = OriginFinder::new(self.knowledge);
        let passes = Passes::new(self.knowledge, &origins);
        work(&Bench {
            knowledge: self.knowledge,
            frameworks: self.frameworks,
            schema: self.schema,
            origins: &origins,
            passes: &passes,
        })
    }
}
