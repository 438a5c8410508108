//! `Container`: an application or a router, with what is registered on it in order.

use portcullis_code::value::FactsId;
use portcullis_policy::Method;
use ustr::Ustr;

use super::{attached::Attached, maker::Maker, route_path::Paths};
use crate::route::Site;

/// An application or a router.
#[derive(Debug)]
pub(super) struct Container {
    /// What made it.
    pub(super) maker: &'static Maker,
    /// What holds where it is made.
    pub(super) made: FactsId,
    /// What holds at each place where it begins to listen.
    pub(super) listens: Vec<FactsId>,
    /// What is registered, in order.
    pub(super) layers: Vec<Layer>,
    /// Functions that run for a parameter of a path.
    pub(super) params: Vec<(Ustr, Attached)>,
    /// Whether another container mounts it.
    pub(super) is_mounted: bool,
}

/// One registration.
#[derive(Debug)]
pub(super) struct Layer {
    /// Where.
    pub(super) site: Site,
    /// What holds there.
    pub(super) facts: FactsId,
    /// Under which paths.
    pub(super) paths: Paths,
    /// What.
    pub(super) what: What,
}

/// What is registered.
#[derive(Debug)]
pub(super) enum What {
    /// By `use`: what runs for everything under the path.
    Use(Vec<Used>),
    /// By a verb, or by `route(...)` and verbs on it.
    Route(Vec<Verb>),
}

/// An argument of `use`.
#[derive(Debug)]
pub(super) enum Used {
    /// A function, or the opaque value that a library made.
    Function(Attached),
    /// A router or application, and under which assumption.
    Container(usize, Option<String>),
}

/// The functions of one verb.
#[derive(Debug)]
pub(super) struct Verb {
    /// Which.
    pub(super) method: Method,
    /// Where.
    pub(super) site: Site,
    /// What holds there.
    pub(super) facts: FactsId,
    /// In order.
    pub(super) functions: Vec<Attached>,
    /// What could not be known.
    pub(super) unknown: Option<&'static str>,
}
