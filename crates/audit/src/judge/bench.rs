//! `Bench`: everything that judging needs besides the route.

use crate::{
    knowledge::Knowledge, origin::OriginFinder, passes::Passes, schema::Schema,
    semantics::Frameworks,
};

/// Everything that judging needs besides the route.
#[derive(Debug)]
pub struct Bench<'a, 'p> {
    /// What values mean.
    pub knowledge: &'a Knowledge<'p>,
    /// The semantics that the machine runs with.
    pub frameworks: &'a Frameworks<'a, 'p>,
    /// The tables.
    pub schema: &'a Schema,
    /// Origins, for this route.
    pub origins: &'a OriginFinder<'a, 'p>,
    /// Proofs, for this route.
    pub passes: &'a Passes<'a, 'p>,
}
