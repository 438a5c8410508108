//! `Policy`: the checked policy, and the questions the verbs ask of it.

use std::collections::BTreeMap;

use crate::{
    AuditSettings, Control, Date, Except, Guard, GuardSymbol, Later, Limit, Method, Name,
    PathTemplate, PolicyErrors, Route, RouteName, policy_file,
};

/// A policy that is valid: there is no other kind.
///
/// The default is the empty policy, which says nothing: audit runs with it, and decides from the code alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub(crate) limits: BTreeMap<Name, Limit>,
    pub(crate) routes: Vec<Route>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) excepts: Vec<Except>,
    pub(crate) audit: AuditSettings,
    pub(crate) later: Vec<Later>,
}

impl Policy {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    ///
    /// All that is wrong with the file, ordered by place. Text that is no TOML has one error, at the first place that
    /// cannot be read.
    pub fn parse(text: &str) -> Result<Self, PolicyErrors> {
        policy_file::parse(text)
    }

    /// The routes, in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The limits by name.
    #[must_use]
    pub const fn limits(&self) -> &BTreeMap<Name, Limit> {
        &self.limits
    }

    /// What the user's own functions mean.
    #[must_use]
    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }

    /// What one function means.
    #[must_use]
    pub fn guard(&self, symbol: &GuardSymbol) -> Option<&Guard> {
        self.guards.iter().find(|guard| guard.symbol == *symbol)
    }

    /// The exceptions, expired ones too.
    #[must_use]
    pub fn excepts(&self) -> &[Except] {
        &self.excepts
    }

    /// What the policy says to the audit.
    #[must_use]
    pub const fn audit(&self) -> &AuditSettings {
        &self.audit
    }

    /// The keys that were accepted and not read.
    #[must_use]
    pub fn later(&self) -> &[Later] {
        &self.later
    }

    /// The route of a request: the most specific template that matches wins. What matches none has no route.
    #[must_use]
    pub fn route_for(&self, method: Method, path: &str) -> Option<&Route> {
        self.most_specific(method, |template| template.matches(path))
    }

    /// The route that speaks for all requests of a handler, known by the template it is registered with: the most
    /// specific one that covers the whole of it.
    #[must_use]
    pub fn route_covering(&self, method: Method, path: &PathTemplate) -> Option<&Route> {
        self.most_specific(method, |template| template.covers(path))
    }

    fn most_specific(
        &self,
        method: Method,
        is_meant: impl Fn(&PathTemplate) -> bool,
    ) -> Option<&Route> {
        self.routes
            .iter()
            .filter(|route| route.methods.contains(method) && is_meant(&route.path))
            // A route that names HEAD comes before one that answers it by its GET.
            .min_by(|a, b| {
                a.path
                    .specificity(&b.path)
                    .then_with(|| b.methods.names(method).cmp(&a.methods.names(method)))
            })
    }

    /// The exception by which a route may lack a control today. An expired one is none.
    #[must_use]
    pub fn excepted(&self, route: &RouteName, control: Control, today: Date) -> Option<&Except> {
        self.excepts.iter().find(|except| {
            except.lacks == control && !except.is_expired(today) && except.route.is(route)
        })
    }

    /// The exceptions whose last day is over.
    pub fn expired(&self, today: Date) -> impl Iterator<Item = &Except> {
        self.excepts
            .iter()
            .filter(move |except| except.is_expired(today))
    }
}
