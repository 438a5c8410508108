//! `Policy`: the checked policy, and the questions the verbs ask of it.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use ipnet::IpNet;

use crate::{
    AnswerHeaders, AuditSettings, Control, Cors, Csp, Database, Date, EventSettings, Except, Fact,
    Flow, Function, Guard, GuardSymbol, HostPattern, Identity, Later, Limit, Method, Name, Need,
    Notice, Owned, PathTemplate, PolicyErrors, Profile, ProxySettings, PublicUrl, Roles, Route,
    RouteName, TrailSettings, Upstream, default_limit_name, default_limits, policy_file,
};

/// A policy that is valid: there is no other kind.
///
/// The default is the empty policy, which says nothing: audit runs with it, and decides from the code alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub(crate) name: Option<Name>,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) statics: Vec<Route>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) profile: Profile,
    pub(crate) max_nodes: Option<NonZeroU16>,
    pub(crate) proxy: ProxySettings,
    pub(crate) events: EventSettings,
    pub(crate) notices: Vec<Notice>,
    pub(crate) limits: BTreeMap<Name, Limit>,
    pub(crate) routes: Vec<Route>,
    pub(crate) functions: Vec<Function>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) owned: Vec<Owned>,
    pub(crate) excepts: Vec<Except>,
    pub(crate) audit: AuditSettings,
    pub(crate) store: Option<Database>,
    pub(crate) trail: Option<TrailSettings>,
    pub(crate) identity: Option<Identity>,
    pub(crate) roles: Option<Roles>,
    pub(crate) facts: BTreeMap<Name, Fact>,
    pub(crate) cors: Option<Cors>,
    pub(crate) headers: Option<AnswerHeaders>,
    pub(crate) csp: Option<Csp>,
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

    /// What the service is called.
    #[must_use]
    pub const fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Where browsers know the service.
    #[must_use]
    pub const fn public_url(&self) -> Option<&PublicUrl> {
        self.public_url.as_ref()
    }

    /// The instances of the application, in the order of the file, none of them twice.
    #[must_use]
    pub fn upstreams(&self) -> &[Upstream] {
        &self.upstreams
    }

    /// Every host that is answered for: that of the public URL first, then those of `hosts`. A request for another is
    /// refused.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostPattern> {
        let public = self.public_url.as_ref().map(PublicUrl::host_pattern);
        let others = self
            .hosts
            .iter()
            .filter(|host| Some(*host) != public.as_ref())
            .cloned();
        public.clone().into_iter().chain(others).collect()
    }

    /// The entries of `static`, each as a `public_read` route for `GET`.
    #[must_use]
    pub fn statics(&self) -> &[Route] {
        &self.statics
    }

    /// The networks whose forwarding headers are read.
    #[must_use]
    pub fn trusted_proxies(&self) -> &[IpNet] {
        &self.trusted_proxies
    }

    /// How strict the figures are that the policy does not state.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// How many guards share this policy at most; 1 unless stated.
    #[must_use]
    pub fn max_nodes(&self) -> NonZeroU16 {
        self.max_nodes.unwrap_or(NonZeroU16::MIN)
    }

    /// How the proxy listens, and what it allows a connection.
    #[must_use]
    pub const fn proxy(&self) -> &ProxySettings {
        &self.proxy
    }

    /// How events are written.
    #[must_use]
    pub const fn events(&self) -> &EventSettings {
        &self.events
    }

    /// What the author may not have meant, ordered by place.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The routes, in the order of the file; without [`statics`](Self::statics).
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The routes and then the static ones: all that a request can match.
    pub fn all_routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().chain(&self.statics)
    }

    /// A limit by its name, a default one too.
    #[must_use]
    pub fn limit(&self, name: &Name) -> Option<&Limit> {
        self.limits
            .get(name)
            .or_else(|| default_limits::by_name(name))
    }

    /// The limits of a route: those that it names, and the default one of its type where it needs a rate limit and
    /// names none that [is enough](Limit::is_enough_for).
    #[must_use]
    pub fn limits_of(&self, route: &Route) -> Vec<&Limit> {
        let mut limits: Vec<&Limit> = route
            .limits
            .iter()
            .filter_map(|name| self.limit(name))
            .collect();
        if route.need(Control::RateLimit) == Need::Required
            && !limits.iter().any(|limit| limit.is_enough_for(route.kind))
            && let Some(default) = self.limit(&default_limit_name(route.kind))
            && !limits.contains(&default)
        {
            limits.push(default);
        }
        limits
    }

    /// The limits that the file defines, by name. See [`limit`](Self::limit) for the default ones.
    #[must_use]
    pub const fn limits(&self) -> &BTreeMap<Name, Limit> {
        &self.limits
    }

    /// The functions that are reached past any proxy, in the order of the file.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// What is said of one function, by its name as the inventory of routes prints it.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions
            .iter()
            .find(|function| function.name.as_str() == name)
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

    /// What the user's own functions do with what clients send, sources first, then sinks, then sanitizers.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// Whose the rows of tables are.
    #[must_use]
    pub fn owned(&self) -> &[Owned] {
        &self.owned
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

    /// The store that guards share; none where each keeps its own.
    #[must_use]
    pub const fn store(&self) -> Option<&Database> {
        self.store.as_ref()
    }

    /// Where what was done is recorded; without it, in a file of the state folder.
    #[must_use]
    pub const fn trail(&self) -> Option<&TrailSettings> {
        self.trail.as_ref()
    }

    /// How the guard knows who is calling.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The roles of users.
    #[must_use]
    pub const fn roles(&self) -> Option<&Roles> {
        self.roles.as_ref()
    }

    /// What must be known of kinds of objects, by their names.
    #[must_use]
    pub const fn facts(&self) -> &BTreeMap<Name, Fact> {
        &self.facts
    }

    /// Which other sites' pages may read what this service answers.
    #[must_use]
    pub const fn cors(&self) -> Option<&Cors> {
        self.cors.as_ref()
    }

    /// What becomes of the header fields of answers.
    #[must_use]
    pub const fn headers(&self) -> Option<&AnswerHeaders> {
        self.headers.as_ref()
    }

    /// Which sources a page may have.
    #[must_use]
    pub const fn csp(&self) -> Option<&Csp> {
        self.csp.as_ref()
    }

    /// The tables that no command uses yet.
    #[must_use]
    pub fn later(&self) -> &[Later] {
        &self.later
    }

    /// The route of a request, whatever its host: the most specific template that matches wins, of routes and entries
    /// of `static`. What matches none has no route.
    #[must_use]
    pub fn route_for(&self, method: Method, path: &str) -> Option<&Route> {
        most_specific(self.all_routes(), method, |template| template.matches(path))
    }

    /// The route that speaks for all requests of a handler, known by the template it is registered with: the most
    /// specific one that covers the whole of it. `static` says nothing of handlers.
    #[must_use]
    pub fn route_covering(&self, method: Method, path: &PathTemplate) -> Option<&Route> {
        most_specific(self.routes.iter(), method, |template| template.covers(path))
    }

    /// The exception by which a route may lack a control today. An expired one is none.
    #[must_use]
    pub fn excepted(&self, route: &RouteName, control: Control, today: Date) -> Option<&Except> {
        self.excepts.iter().find(|except| {
            except.lacks == control && !except.is_expired(today) && except.route.is(route)
        })
    }

    /// The exception by which requests of a method may lack a control on a route today.
    #[must_use]
    pub fn excepted_on(
        &self,
        route: &Route,
        method: Method,
        control: Control,
        today: Date,
    ) -> Option<&Except> {
        let method = route.written_method(method)?;
        let path = route.path.clone();
        self.excepted(&RouteName::Http { method, path }, control, today)
    }

    /// The exceptions whose last day is over.
    pub fn expired(&self, today: Date) -> impl Iterator<Item = &Except> {
        self.excepts
            .iter()
            .filter(move |except| except.is_expired(today))
    }
}

fn most_specific<'r>(
    routes: impl Iterator<Item = &'r Route>,
    method: Method,
    is_meant: impl Fn(&PathTemplate) -> bool,
) -> Option<&'r Route> {
    routes
        .filter(|route| route.methods.contains(method) && is_meant(&route.path))
        // A route that names HEAD comes before one that answers it by its GET.
        .min_by(|a, b| {
            a.path
                .specificity(&b.path)
                .then_with(|| b.methods.names(method).cmp(&a.methods.names(method)))
        })
}
