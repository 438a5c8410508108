//! `Lack`: what a valid policy does not have and a guard cannot do without.

use std::collections::BTreeSet;
use std::fmt;

use crate::{
    Control, Date, Later, Limit, LimitKey, Method, Need, Place, Policy, Preset, Protocol, Route,
    RouteName, RouteType, Scheme, Session, SessionSource,
};

/// One thing that a guard lacks to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Where it is lacking; line 0 where it would stand at the top of the file.
    pub place: Place,
    /// The route that it concerns, as [`Route::title`] writes it.
    pub route: Option<String>,
    /// The control that the route must have and that is not enforced.
    pub control: Option<Control>,
    /// What is lacking and what to write: lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place { line: 0, .. } => f.write_str(&self.message),
            Place { line, column, .. } => write!(f, "{line}:{column}: {}", self.message),
        }
    }
}

impl Policy {
    /// Whether a guard that enforces these controls can start with this policy today.
    ///
    /// Every control that a route must have is either enforced or excepted until a day that is not over; a guard that
    /// let it pass silently would be believed to check it.
    ///
    /// # Errors
    ///
    /// All that is lacking: first what the file as a whole lacks, then of each route and limit in the order of the file.
    pub fn for_guard(&self, today: Date, enforced: &[Control]) -> Result<(), Vec<Lack>> {
        let mut lacks = self.lacks_of_file();
        let mut placed: Vec<Lack> = self
            .all_routes()
            .flat_map(|route| self.lacks_of_route(route, today, enforced))
            .chain(self.all_routes().filter_map(unspoken))
            .chain(self.later.iter().filter_map(unused))
            .chain(self.trail_of_many())
            .chain(self.lacks_of_identity())
            .chain(self.lacks_of_limits(enforced))
            .collect();
        placed.sort_by_key(|lack| lack.place.span.start);
        lacks.append(&mut placed);
        if lacks.is_empty() { Ok(()) } else { Err(lacks) }
    }

    fn lacks_of_file(&self) -> Vec<Lack> {
        let mut lacks = Vec::new();
        let mut add = |message: &str| {
            lacks.push(Lack {
                place: Place::default(),
                route: None,
                control: None,
                message: message.to_owned(),
            });
        };
        if self.upstreams.is_empty() {
            add(
                "where the application listens is not said: add `upstream = \"http://127.0.0.1:3000\"`",
            );
        }
        if self.public_url.is_none() && self.hosts.is_empty() {
            add(
                "for which host to answer is not said: add `public_url = \"https://shop.example.com\"`, or `hosts`",
            );
        }
        if self.all_routes().next().is_none() {
            add("every request would be refused: add a `[[route]]`, or paths to `static`");
        }
        lacks
    }

    fn lacks_of_route(&self, route: &Route, today: Date, enforced: &[Control]) -> Vec<Lack> {
        Control::ALL
            .iter()
            .copied()
            .filter(|control| !enforced.contains(control))
            // A guard lets nobody in from outside, and so needs to know nobody, unless a service may come.
            .filter(|control| {
                let is_closed = route.kind == RouteType::Internal && route.service.is_none();
                !(is_closed && *control == Control::Authentication)
            })
            .filter_map(|control| {
                let names: Vec<RouteName> = methods_with(route, control)
                    .into_iter()
                    .map(|method| RouteName::Http {
                        method,
                        path: route.path.clone(),
                    })
                    .filter(|name| self.excepted(name, control, today).is_none())
                    .collect();
                (!names.is_empty()).then(|| self.lack(route, control, &names))
            })
            .collect()
    }

    /// A trail that guards share.
    fn trail_of_many(&self) -> Option<Lack> {
        let trail = self.trail.as_ref()?;
        trail.url.as_ref()?;
        Some(Lack {
            place: trail.place.clone(),
            route: None,
            control: None,
            message: "`url` of `[trail]` asks for a trail that guards share, and in this version each writes one of its own: leave `url` out".to_owned(),
        })
    }

    /// What a guard needs to know who is calling, and to believe a browser.
    fn lacks_of_identity(&self) -> Vec<Lack> {
        let Some(identity) = &self.identity else {
            return Vec::new();
        };
        let says = |message: &str| Lack {
            place: identity.place.clone(),
            route: None,
            control: None,
            message: message.to_owned(),
        };
        let mut lacks = Vec::new();
        if let Some(issuer) = identity.issuers.iter().find(|one| one.cookie.is_some())
            && identity.csrf.is_none()
            && identity.session.is_none()
        {
            lacks.push(Lack {
                place: issuer.place.clone(),
                ..says("browsers send the tokens of this issuer in a cookie, and nothing refuses what another site's page sends with it: add `[identity.csrf]` with a `secret`")
            });
        }
        if let Some(keys) = &identity.api_keys
            && (self.proxy.admin.is_none() || self.proxy.admin_secret.is_none())
        {
            lacks.push(Lack {
                place: keys.place.clone(),
                ..says("API keys are made at the admin listener: add `admin` and `admin_secret` to `[proxy]`")
            });
        }
        let application = identity.application.as_ref();
        if identity.session.is_none() && application.is_some_and(|one| one.secret.is_none()) {
            lacks.push(says("what the application is told of callers is signed by a key of a `secret`: add one to `[identity.application]`"));
        }
        let is_https = self
            .public_url
            .as_ref()
            .is_some_and(|url| url.scheme == Scheme::Https);
        let is_own = |session: &Session| session.source == SessionSource::Own;
        if !is_https && (identity.csrf.is_some() || identity.session.as_ref().is_some_and(is_own)) {
            lacks.push(says("browsers keep the guard's cookies for https alone: add `public_url = \"https://shop.example.com\"`"));
        }
        if let Some(session) = &identity.session {
            if identity.csrf.is_none() {
                lacks.push(says("a cookie says who is calling, and nothing refuses what another site's page sends with it: add `[identity.csrf]` with a `secret`"));
            }
            let application = identity.application.as_ref();
            if is_own(session) && application.is_none_or(|one| one.secret.is_none()) {
                lacks.push(says("the application says when a session of the guard's own begins: add `[identity.application]` with the `secret` that it signs this with, or name its own cookie in `source`"));
            }
            if let Some(login) = session.login.as_deref().filter(|one| !self.is_open(one)) {
                lacks.push(says(&format!("browsers are led to `login = \"{login}\"`, and no route answers `GET` there for everybody: add one of this path, a `public_read`")));
            }
            if matches!(session.source, SessionSource::Claim(_)) && identity.issuers.is_empty() {
                lacks.push(says("the session is a claim of a token, and nobody's tokens are accepted: add `[[identity.issuer]]`"));
            }
        }
        lacks
    }

    /// Whether a route of exactly this path answers `GET` to whoever asks.
    fn is_open(&self, path: &str) -> bool {
        self.all_routes().any(|route| {
            route.path.as_str() == path
                && route.methods.contains(Method::Get)
                && route.need(Control::Authentication) != Need::Required
        })
    }

    fn lack(&self, route: &Route, control: Control, names: &[RouteName]) -> Lack {
        let written: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let each = if names.len() == 1 { "" } else { " each" };
        let over = self
            .excepts
            .iter()
            .find(|one| one.lacks == control && names.iter().any(|name| one.route.is(name)))
            .map(|one| {
                let (line, until) = (one.place.line, one.until);
                format!(" (the exception at line {line} ended on {until})")
            })
            .unwrap_or_default();
        let title = route.title();
        Lack {
            place: route.place.clone(),
            message: format!(
                "`{title}` needs `{control}`, which this version does not enforce{over}: where the application itself makes sure of it, add an `[[except]]`{each} for {} with `lacks = \"{control}\"`, `because`, `owner` and `until`",
                written.join(" and ")
            ),
            route: Some(title),
            control: Some(control),
        }
    }

    /// Whether callers are known by tokens alone that name no tenant: the application says it of a session, who makes a key of the key,
    /// and Clerk of an organisation.
    fn knows_no_tenants(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| {
            let session = identity.session.as_ref();
            let is_own = session.is_some_and(|session| session.source == SessionSource::Own);
            let mut issuers = identity.issuers.iter();
            let is_clerk = issuers.any(|issuer| issuer.preset == Some(Preset::Clerk));
            !identity.issuers.is_empty() && !is_own && !is_clerk && identity.api_keys.is_none()
        })
    }

    /// What is counted by who is calling needs to know who is calling.
    fn lacks_of_limits(&self, enforced: &[Control]) -> Vec<Lack> {
        let mut seen = BTreeSet::new();
        self.all_routes()
            .flat_map(|route| self.limits_of(route))
            .filter(|limit| seen.insert(&limit.name))
            .flat_map(|limit| limit.by.iter().map(move |key| (limit, key)))
            .filter_map(|(limit, key)| {
                let control = control_of(key)?;
                let is_known = enforced.contains(&control)
                    && (*key != LimitKey::Tenant || !self.knows_no_tenants());
                (!is_known).then(|| unknown_key(limit, key))
            })
            .collect()
    }
}

/// A route that is not spoken to in HTTP.
fn unspoken(route: &Route) -> Option<Lack> {
    let title = route.title();
    (route.protocol != Protocol::Http).then(|| Lack {
        place: route.place.clone(),
        control: None,
        message: format!(
            "`{title}` has the protocol `{}`, which this version does not speak: leave the route out, and lead its clients past the guard",
            route.protocol
        ),
        route: Some(title),
    })
}

/// A table that a guard would not follow.
fn unused(later: &Later) -> Option<Lack> {
    let asks = later.asks?;
    Some(Lack {
        place: later.place.clone(),
        route: None,
        control: None,
        message: format!("`[{}]` {asks}", later.key),
    })
}

/// The methods of a route, as they are written, that must have a control.
fn methods_with(route: &Route, control: Control) -> Vec<Method> {
    if route.need(control) == Need::Required {
        return route.methods.iter().collect();
    }
    if control != Control::Confirmation {
        return Vec::new();
    }
    let confirmed: BTreeSet<Method> = route
        .confirm
        .iter()
        .filter_map(|method| route.written_method(method))
        .collect();
    confirmed.into_iter().collect()
}

/// What must be enforced for the key to be known.
const fn control_of(key: &LimitKey) -> Option<Control> {
    match key {
        LimitKey::User | LimitKey::Tenant => Some(Control::Authentication),
        LimitKey::Session => Some(Control::Session),
        LimitKey::Ip | LimitKey::Route | LimitKey::Header(_) | LimitKey::Body(_) => None,
    }
}

fn unknown_key(limit: &Limit, key: &LimitKey) -> Lack {
    Lack {
        place: limit.place.clone(),
        route: None,
        control: None,
        message: format!(
            "the limit `{}` is counted by `{key}`, which this version does not know of a request: use `ip`, `route` or `header.NAME`",
            limit.name
        ),
    }
}
