//! `Description`: a route as discovery found it, as a digest that is the same where the route is.
//!
//! Numbers of values, objects and activations are others in another project. What is made while modules load is named by who
//! made it and the how-manieth it was; a route with something of which that cannot be said is not kept.

use portcullis_code::{
    body::ModuleId,
    machine::Machine,
    track::UnitId,
    value::{CallId, EnvId, Fact, FactsId, ObjectId, Value, ValueId},
};
use sha2::{Digest as _, Sha256};

use super::digests::{Digest, Digests, finish, part};
use crate::{
    discover::nextjs::middleware::Reach,
    route::{Link, Route, Site, Unknown},
};

/// Most values that a route is described by.
const VALUES_MAX: usize = 2_000;

/// A digest that is being made.
pub(super) struct Description<'d, 'm, 'p> {
    hash: Sha256,
    digests: &'d Digests,
    machine: &'m Machine<'p>,
    left: usize,
}

impl<'d, 'm, 'p> Description<'d, 'm, 'p> {
    pub(super) fn new(digests: &'d Digests, machine: &'m Machine<'p>) -> Self {
        Self {
            hash: Sha256::new(),
            digests,
            machine,
            left: VALUES_MAX,
        }
    }

    pub(super) fn end(self) -> Digest {
        finish(self.hash)
    }

    /// Everything that was found out about a route before it runs.
    pub(super) fn route(&mut self, route: &Route) -> Option<()> {
        let Route {
            framework,
            method,
            operation,
            path,
            pathname,
            site,
            chain,
            conditions,
            unknowns,
            mega,
            origin_checked,
        } = route;
        self.shown(&(
            framework,
            method,
            operation,
            path,
            pathname,
            conditions,
            mega,
            origin_checked,
        ));
        self.site(*site);
        self.unknowns(unknowns);
        self.number(chain.len());
        for link in chain {
            let Link {
                value,
                convention,
                role,
                site,
            } = link;
            self.value(*value)?;
            self.shown(&(convention, role));
            self.site(*site);
        }
        Some(())
    }

    /// The middleware before it.
    pub(super) fn reach(&mut self, reach: Option<&Reach<'_>>) -> Option<()> {
        self.shown(&reach.is_some());
        let Some(reach) = reach else { return Some(()) };
        self.value(reach.middleware.value)?;
        self.site(reach.middleware.site);
        self.text(&reach.middleware.dir);
        self.shown(&reach.middleware.matcher);
        self.unknowns(&reach.middleware.unknowns);
        self.shown(&reach.tries);
        Some(())
    }

    fn unknowns(&mut self, unknowns: &[Unknown]) {
        self.number(unknowns.len());
        for unknown in unknowns {
            self.text(unknown.code);
            self.text(&unknown.reason);
            self.number(usize::from(unknown.site.is_some()));
            if let Some(site) = unknown.site {
                self.site(site);
            }
        }
    }

    pub(super) fn value(&mut self, id: ValueId) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let machine = self.machine;
        match machine.values.value(id) {
            Value::Const(constant) => self.shown(&("const", constant)),
            Value::Input(tag) => self.shown(&("input", tag)),
            Value::External(package, name) => self.shown(&("external", package, name)),
            Value::Global(name) => self.shown(&("global", name)),
            Value::Unknown(why) => self.shown(&("unknown", why)),
            Value::Caught(number) => self.shown(&("caught", number)),
            Value::Namespace(module) => {
                self.text("namespace");
                self.module(*module);
            }
            Value::Function {
                module,
                function,
                env,
                this,
            } => {
                self.shown(&("function", function, this.is_some()));
                self.module(*module);
                self.env(*env)?;
                if let Some(this) = this {
                    self.value(*this)?;
                }
            }
            Value::Class { module, class, env } => {
                self.shown(&("class", class));
                self.module(*module);
                self.env(*env)?;
            }
            Value::Object(object) | Value::Array(object) | Value::Instance(object) => {
                self.text("object");
                self.object(*object)?;
            }
            Value::Call(call) => {
                self.text("call");
                self.call(*call)?;
            }
            Value::Handed(call, argument, parameter) => {
                self.shown(&("handed", argument, parameter));
                self.call(*call)?;
            }
            Value::Member(base, name) => {
                self.shown(&("member", name));
                self.value(*base)?;
            }
            Value::Choice(alternatives) => {
                self.shown(&("choice", alternatives.len()));
                for each in alternatives.iter() {
                    self.facts(each.facts)?;
                    self.value(each.value)?;
                }
            }
            Value::Promise(inner) => {
                self.text("promise");
                self.value(*inner)?;
            }
            // Nothing that runs is one of these.
            _ => return None,
        }
        Some(())
    }

    fn facts(&mut self, facts: FactsId) -> Option<()> {
        let machine = self.machine;
        for fact in machine.values.facts(facts) {
            match fact {
                Fact::Test(value, truth) => {
                    self.shown(&("test", truth));
                    self.value(value)?;
                }
                Fact::Returned(call) => {
                    self.text("returned");
                    self.call(call)?;
                }
                Fact::Caught(number) => self.shown(&("caught", number)),
                Fact::OneOf(number) => {
                    let ways = machine.values.joined(number);
                    self.shown(&("one of", ways.len()));
                    self.left = self.left.checked_sub(1)?;
                    for way in ways {
                        self.facts(*way)?;
                    }
                }
            }
        }
        self.text("facts");
        Some(())
    }

    fn object(&mut self, object: ObjectId) -> Option<()> {
        self.made(self.machine.object_name(object)?);
        Some(())
    }

    fn call(&mut self, call: CallId) -> Option<()> {
        self.made(self.machine.call_name(call)?);
        Some(())
    }

    fn env(&mut self, env: EnvId) -> Option<()> {
        self.made(self.machine.env_name(env)?);
        Some(())
    }

    fn made(&mut self, (unit, number): (UnitId, usize)) {
        self.hash.update(self.digests.unit(unit));
        self.number(number);
    }

    fn site(&mut self, site: Site) {
        self.module(site.module);
        self.shown(&site.span);
    }

    fn module(&mut self, module: ModuleId) {
        let project = self.machine.project;
        part(&mut self.hash, project.module(module).file.as_bytes());
    }

    fn number(&mut self, number: usize) {
        self.hash.update(number.to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        part(&mut self.hash, text.as_bytes());
    }

    pub(super) fn shown(&mut self, plain: &dyn std::fmt::Debug) {
        self.text(&format!("{plain:?}"));
    }
}
