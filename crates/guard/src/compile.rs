//! From a policy to a [`Plan`]: what can be worked out once is not worked out for every request.

use portcullis_policy::{
    Algorithm, Control, Counts, Except, HostPattern, Limit, LimitKey, Method, MethodSet, Need,
    Policy, Route, RouteName, RouteType, SessionSource,
};

use crate::answer::{AnswerPlan, Caching};
use crate::canon::{Believed, HostName, Scheme, TrustedFault, TrustedProxies};
use crate::clock::Nanos;
use crate::decide::phases_of;
use crate::http1::HeadBounds;
use crate::http1::role::of_request_field;
use crate::identity_plan::{IdentityKeys, IdentityPlan, KeysMissing};
use crate::limit::LimitRule;
use crate::plan::{
    BucketPlan, CsrfNeed, Dimension, HostPlan, LimitPlan, Plan, RoutePlan, Shadow, ShownAs,
    Standing,
};
use crate::route_table::RouteTable;
use crate::store::{Durability, Scope};

/// From this window on a bucket outlives a restart: a daily quota that every deploy resets is none.
pub const LONG_WINDOW_SECONDS: u64 = 60 * 60;

/// Why a valid policy makes no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A network of `trusted_proxies` that the guard refuses to trust.
    #[error("the network number {number} of `trusted_proxies` cannot be trusted: {fault}")]
    Trusted {
        /// Which, from 1.
        number: usize,
        /// Why.
        fault: TrustedFault,
    },
    /// A secret of the policy whose keys were not handed in.
    #[error("the keys of `{secret}` were not handed in")]
    KeysMissing {
        /// The secret, as the policy calls it.
        secret: &'static str,
    },
    /// A limit that counts by a field which the application never reads.
    #[error(
        "the limit `{limit}` counts by `header.{field}`, which is not forwarded ({why}): count by another"
    )]
    HeaderNotForwarded {
        /// The limit.
        limit: String,
        /// The field.
        field: String,
        /// Why it is not forwarded.
        why: &'static str,
    },
}

impl Plan {
    /// The plan of a policy that names no secret. `digest` names the policy's exact text.
    ///
    /// # Errors
    ///
    /// What is wrong in the guard's eyes and not in those of the policy's reader.
    pub fn of(policy: &Policy, digest: &str) -> Result<Self, PlanError> {
        Self::keyed(policy, digest, IdentityKeys::default())
    }

    /// The plan of a policy, with the keys made of the secrets that it names.
    ///
    /// # Errors
    ///
    /// As [`Plan::of`], and a secret whose keys are not there.
    pub fn keyed(policy: &Policy, digest: &str, keys: IdentityKeys) -> Result<Self, PlanError> {
        let identity = IdentityPlan::of(policy, keys);
        let identity = identity.map_err(|KeysMissing(secret)| PlanError::KeysMissing { secret })?;
        let trusted = TrustedProxies::new(policy.trusted_proxies().iter().copied());
        let trusted = trusted.map_err(|(index, fault)| PlanError::Trusted {
            number: index + 1,
            fault,
        })?;
        let settings = policy.proxy();
        let head_bytes = usize::try_from(settings.head_max.bytes()).unwrap_or(usize::MAX);
        let sources: Vec<&Route> = policy.all_routes().collect();
        let routes: Vec<RoutePlan> = sources
            .iter()
            .map(|route| route_plan(policy, route))
            .collect();
        let key_field = identity
            .api_keys
            .as_ref()
            .and_then(|keys| keys.header.as_deref());
        if let Some(fault) = routes
            .iter()
            .find_map(|route| unforwarded(route, key_field))
        {
            return Err(fault);
        }
        let table = RouteTable::of(
            sources
                .iter()
                .enumerate()
                .map(|(number, route)| (number, &route.path, route.methods)),
        );
        let mut plan = Self {
            digest: digest.to_owned(),
            hosts: policy.hosts().iter().map(host_plan).collect(),
            trusted,
            believed: Believed {
                by: settings.forwarded.into(),
                host: settings.forwarded_host,
                scheme: settings.forwarded_proto,
            },
            public_scheme: policy
                .public_url()
                .map_or(Scheme::Http, |url| url.scheme.into()),
            head: HeadBounds {
                head_bytes_max: head_bytes,
                target_bytes_max: head_bytes.min(HeadBounds::STANDARD.target_bytes_max),
                fields_max: usize::from(settings.headers_max),
            },
            answer: AnswerPlan::of(policy),
            reserved_limits: if identity.csrf.is_some()
                || identity.application.is_some()
                || identity.own_tokens.is_some()
            {
                vec![reserved_limit("portcullis", 300, 100)]
            } else {
                Vec::new()
            },
            token_limits: match identity.own_tokens {
                Some(_) => vec![reserved_limit("portcullis.tokens", 1_200, 200)],
                None => Vec::new(),
            },
            identity,
            routes,
            table,
            phases: Box::default(),
            stray: None,
        };
        plan.phases = phases_of(&plan);
        Ok(plan)
    }

    /// Whether a request of some route must be in the audit trail before it is forwarded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.routes.iter().any(|route| !route.recorded.is_empty())
    }

    /// Whether some limit, a session, a key or a revocation must outlive a restart.
    #[must_use]
    pub fn outlives_restarts(&self) -> bool {
        self.routes
            .iter()
            .flat_map(RoutePlan::limits)
            .any(|limit| limit.durability > Durability::Volatile)
            || self.identity.knows_callers()
    }
}

/// The first limit of a route that counts by a field which is not forwarded.
fn unforwarded(route: &RoutePlan, key_field: Option<&str>) -> Option<PlanError> {
    route
        .limits()
        .flat_map(|limit| limit.buckets.iter().map(move |bucket| (limit, &bucket.by)))
        .find_map(|(limit, by)| {
            let Dimension::Header(field) = by else {
                return None;
            };
            let why = if Some(field.as_str()) == key_field {
                "API keys come in it, and `user` counts by whose they are"
            } else {
                of_request_field(field.as_bytes()).why_not()?
            };
            Some(PlanError::HeaderNotForwarded {
                limit: limit.name.clone(),
                field: field.clone(),
                why,
            })
        })
}

fn host_plan(pattern: &HostPattern) -> HostPlan {
    let name = pattern.host.to_string();
    let text = match pattern.port {
        Some(port) => format!("{name}:{port}"),
        None => name.clone(),
    };
    // What cannot be read as a request's host has no usual spelling, and is never one.
    let read = HostName::parse(text.as_bytes())
        .ok()
        .map(HostName::into_owned);
    HostPlan {
        usual: read.map(|read| (text.into(), read)),
        name,
        port: pattern.port,
    }
}

/// With which methods a request must be in the audit trail first. Who agreed that a method may be without a trail, or without
/// the confirmation that asks for one, did not agree to a refusal.
fn recorded(route: &Route, spoken_for: &impl Fn(Control) -> MethodSet) -> MethodSet {
    let (asked, spared) = if route.need(Control::AuditTrail) == Need::Required {
        (route.methods, MethodSet::NONE)
    } else {
        (route.confirm, spoken_for(Control::Confirmation))
    };
    let without = spoken_for(Control::AuditTrail);
    let kept = asked
        .iter()
        .filter(|method| !without.contains(*method) && !spared.contains(*method));
    kept.fold(MethodSet::NONE, MethodSet::with)
}

fn route_plan(policy: &Policy, route: &Route) -> RoutePlan {
    let excepts: Vec<(MethodSet, &Except)> = policy
        .excepts()
        .iter()
        .filter_map(|except| Some((methods_of(route, except)?, except)))
        .collect();
    let spoken_for = |control: Control| {
        let meant = excepts
            .iter()
            .filter(|(_, except)| except.lacks == control && !except.shadow);
        meant.fold(MethodSet::NONE, |all, (methods, _)| {
            methods.iter().fold(all, MethodSet::with)
        })
    };
    // Who agreed that a method may be without a limit did not agree to one of ours.
    let unlimited = spoken_for(Control::RateLimit);
    let unproven = spoken_for(Control::Csrf);
    let unknown = spoken_for(Control::Authentication);
    let mut head_limits = Vec::new();
    let mut caller_limits = Vec::new();
    let mut body_limits = Vec::new();
    for limit in policy.limits_of(route) {
        let is_named = route.limits.contains(&limit.name);
        let spared = if is_named { MethodSet::NONE } else { unlimited };
        let knows_caller =
            |key: &LimitKey| matches!(key, LimitKey::User | LimitKey::Tenant | LimitKey::Session);
        let plan = limit_plan(limit, route, spared);
        if limit.reads_body() {
            body_limits.push(plan);
        } else if limit.by.iter().any(knows_caller) {
            caller_limits.push(plan);
        } else {
            head_limits.push(plan);
        }
    }
    RoutePlan {
        template: route.path.to_string(),
        methods: route.methods,
        kind: route.kind,
        line: (route.place.line > 0).then_some(route.place.line),
        hosts: (!route.hosts.is_empty()).then(|| route.hosts.iter().map(host_plan).collect()),
        // What only watches opens nothing: who calls from outside is nobody that is known.
        opened: unknown,
        head_limits,
        caller_limits,
        body_limits,
        csrf: csrf_need(policy, route),
        csrf_spared: unproven,
        needs_caller: needs_caller(policy, route, unknown),
        scopes: route
            .scopes
            .iter()
            .map(|name| name.as_str().into())
            .collect(),
        body_max: route.body_max().bytes(),
        content_types: route
            .content_types()
            .iter()
            .map(|kind| kind.as_str().to_owned())
            .collect(),
        buffered: route.is_buffered(),
        recorded: recorded(route, &spoken_for),
        caching: Caching::of(route),
        response_timeout: route.timeout,
        shadow: excepts
            .iter()
            .filter(|(_, except)| except.shadow)
            .map(|(methods, except)| Shadow {
                methods: *methods,
                control: except.lacks,
                until: except.until.unix_day(),
                line: except.place.line,
            })
            .collect(),
        standing: excepts
            .iter()
            .filter(|(_, except)| !except.shadow || !is_judged_after(policy, route, except.lacks))
            .map(|(methods, except)| Standing {
                methods: *methods,
                until: except.until.unix_day(),
                line: except.place.line,
            })
            .collect(),
    }
}

/// Whether the guard goes back to judging a control by itself when an exception that only watches is over. Where it does
/// not, the route stands on the exception like on any other.
fn is_judged_after(policy: &Policy, route: &Route, control: Control) -> bool {
    let identity = policy.identity();
    matches!(control, Control::RateLimit | Control::BodyLimit)
        || (control == Control::Csrf && identity.is_some_and(|one| one.csrf.is_some()))
        || (control == Control::Authentication && knows_callers(policy))
        // Of this the guard judges the media type and the syntax, which is less than a route can demand.
        || (control == Control::Validation && route.need(control) != Need::Required)
}

/// Whether the guard itself knows who is calling: by sessions of its own, by tokens or by keys.
fn knows_callers(policy: &Policy) -> bool {
    policy.identity().is_some_and(|identity| {
        let session = identity.session.as_ref();
        let is_own = session.is_some_and(|session| session.source == SessionSource::Own);
        is_own || !identity.issuers.is_empty() || identity.api_keys.is_some()
    })
}

/// Whether a route needs a CSRF token. What hands out cookies that say who is calling needs one of everybody (a login that
/// another site begins logs a victim in as the attacker), and so does a form that anybody may send, once there are such
/// cookies.
fn csrf_need(policy: &Policy, route: &Route) -> CsrfNeed {
    let has_csrf = policy.identity().is_some_and(|one| one.csrf.is_some());
    if !has_csrf {
        return CsrfNeed::Never;
    }
    match (route.need(Control::Csrf), route.kind) {
        (Need::Required, _) | (Need::Conditional, RouteType::PublicForm | RouteType::AuthOp) => {
            CsrfNeed::Always
        }
        (Need::Conditional, _) => CsrfNeed::WhereACookieSpeaks,
        (Need::NotNeeded, _) => CsrfNeed::Never,
    }
}

/// With which methods somebody must be known, where the guard itself knows who is calling.
fn needs_caller(policy: &Policy, route: &Route, unknown: MethodSet) -> MethodSet {
    let is_needed = knows_callers(policy)
        && route.kind != RouteType::Internal
        && route.need(Control::Authentication) == Need::Required;
    if !is_needed {
        return MethodSet::NONE;
    }
    let others = Method::ALL.iter().copied();
    others
        .filter(|method| *method != Method::Any && !unknown.contains(*method))
        .fold(MethodSet::NONE, MethodSet::with)
}

/// By how much what the guard itself answers is asked from one address: a page that sends many requests at a time needs as many
/// tokens, and a service asks for those of all its users.
fn reserved_limit(name: &str, count: u32, burst: u32) -> LimitPlan {
    let rate = format!("{count} per 1m");
    LimitPlan {
        name: name.to_owned(),
        line: None,
        rule: LimitRule::smooth(count, 60 * crate::clock::SECOND, burst),
        buckets: vec![BucketPlan {
            scope: Scope::new(&format!("limit|{name}|{rate}|ip")),
            shadow_scope: Scope::new(&format!("shadow|{name}|{rate}|ip")),
            by: Dimension::Ip,
        }],
        rate,
        shown: None,
        counts_failures: false,
        durability: Durability::Volatile,
        spared: MethodSet::NONE,
    }
}

/// For which methods of a route an exception speaks.
fn methods_of(route: &Route, except: &Except) -> Option<MethodSet> {
    let RouteName::Http { method, path } = &except.route else {
        return None;
    };
    let is_meant = path.same_paths(&route.path) && route.methods.names(*method);
    let methods = MethodSet::NONE.with(*method);
    // HEAD is the answer to GET without its content, and stands on what GET stands on.
    is_meant.then(|| {
        if *method == Method::Get {
            methods.with(Method::Head)
        } else {
            methods
        }
    })
}

fn limit_plan(limit: &Limit, route: &Route, spared: MethodSet) -> LimitPlan {
    let window = limit.rate.window;
    let nanos = Nanos::try_from(window.as_nanos()).unwrap_or(Nanos::MAX);
    let count = limit.rate.count.get();
    let lockout = limit.lockout.map_or(0, |lockout| {
        Nanos::try_from(lockout.as_nanos()).unwrap_or(Nanos::MAX)
    });
    let rule = match limit.algorithm {
        Algorithm::Exact => LimitRule::exact(count, nanos).locking(lockout),
        Algorithm::Smooth => LimitRule::smooth(count, nanos, limit.burst_or_default().get()),
    };
    let is_default = limit.place.line == 0;
    let buckets = limit.by.iter().map(|key| {
        let by = dimension(key);
        // One limit is one budget wherever it is named. A default limit was named nowhere, so each route has its own,
        // and so has each where the route is what is counted by.
        let of_route = if is_default || by == Dimension::Route {
            route.title()
        } else {
            String::new()
        };
        let scope = |namespace: &str| {
            let (name, rate, algorithm) = (&limit.name, &limit.rate, limit.algorithm);
            let burst = rule.capacity();
            let counts = limit.counts;
            // Nothing for a limit without one, so that its buckets keep their names.
            let lockout = match limit.lockout {
                Some(lockout) => format!("|lockout {}", lockout.as_millis()),
                None => String::new(),
            };
            Scope::new(&format!(
                "{namespace}|{name}|{rate}|{algorithm}|{burst}|{counts}|{of_route}|{by}{lockout}"
            ))
        };
        BucketPlan {
            scope: scope("limit"),
            shadow_scope: scope("shadow"),
            by,
        }
    });
    LimitPlan {
        name: limit.name.to_string(),
        line: (!is_default).then_some(limit.place.line),
        rate: limit.rate.to_string(),
        rule,
        buckets: buckets.collect(),
        shown: limit.is_shown(route.kind).then(|| {
            // A name is letters, digits and a few marks, none of which a Structured Field string escapes.
            let name = format!("\"{}\"", limit.name);
            let seconds = window.as_secs().max(1);
            ShownAs {
                policy: format!("{name};q={count};w={seconds}").into(),
                left: format!("{name};r=").into(),
            }
        }),
        counts_failures: limit.counts == Counts::Failures,
        // Who could wait for a restart, or bring one about, would not be shut out.
        durability: if window.as_secs() >= LONG_WINDOW_SECONDS || lockout > 0 {
            Durability::Snapshot
        } else {
            Durability::Volatile
        },
        spared,
    }
}

fn dimension(key: &LimitKey) -> Dimension {
    match key {
        LimitKey::Ip => Dimension::Ip,
        LimitKey::Route => Dimension::Route,
        LimitKey::Header(name) => Dimension::Header(name.as_str().to_owned()),
        LimitKey::Body(field) => Dimension::Body(field.to_string()),
        LimitKey::User => Dimension::User,
        LimitKey::Tenant => Dimension::Tenant,
        LimitKey::Session => Dimension::Session,
    }
}
