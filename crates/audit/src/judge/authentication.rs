//! Whether a caller has to be known, and where that is decided.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, FactsId, Value},
};
use portcullis_policy::Method;
use portcullis_report::{Auth, AuthWhere};

use super::{Judgement, Judging, SeenGuard};
use crate::{
    library::{Meaning, Usage},
    middleware::Cover,
    passes::{self, Proof},
    response::{ResponseKind, is_constant},
    route::{Convention, LinkRole},
};

impl Judging<'_, '_, '_, '_> {
    pub(super) fn authentication(&self, judgement: &mut Judgement, cover: Option<&Cover>) {
        if self.has_no_door() {
            let reason = "no client can call it, so nobody has to be asked".to_owned();
            judgement.reasons.push(("auth", reason, None));
            return;
        }
        if self.is_of_own_session() {
            (judgement.auth, judgement.soft) = (Auth::Required, true);
            let reason = "the library does nothing without the caller's session".to_owned();
            judgement.reasons.push(("auth", reason, None));
            return;
        }
        let inside = self.auth_inside(judgement);
        let outside = cover.map_or(Auth::None, |cover| cover.auth);
        judgement.auth = match (inside, outside) {
            (Auth::Required, _) | (_, Auth::Required) => Auth::Required,
            (Auth::Optional, _) | (_, Auth::Optional) => Auth::Optional,
            (_, Auth::Unknown) => Auth::Unknown,
            _ => Auth::None,
        };
        judgement.auth_where = match (inside == Auth::Required, outside == Auth::Required) {
            (true, true) => Some(AuthWhere::Both),
            (true, false) if self.is_by_middleware_link(judgement) => Some(AuthWhere::Middleware),
            (true, false) => Some(AuthWhere::Resource),
            (false, true) => Some(AuthWhere::Middleware),
            (false, false) => None,
        };
        if let Some(cover) = cover {
            judgement
                .conditions
                .extend(cover.conditions.iter().cloned());
            judgement.unknowns.extend(cover.unknowns.iter().cloned());
        }
        let first = judgement
            .guards
            .iter()
            .find(|guard| guard.kind.identifies());
        judgement.soft = judgement.auth == Auth::Required && self.denies_softly(judgement);
        let reason = if judgement.soft {
            "who is not signed in gets an answer that says nothing".to_owned()
        } else {
            reason(judgement.auth, inside, first)
        };
        let site = first.map(|guard| guard.site);
        judgement.reasons.push(("auth", reason, site));
        judgement.bearer_only = outside != Auth::Required
            && !judgement.points.is_empty()
            && judgement
                .points
                .iter()
                .all(|point| self.is_attached(*point));
    }

    /// Whether the links of the chain ask who calls, whatever an application's middleware does before them.
    fn auth_inside(&self, judgement: &Judgement) -> Auth {
        let points = &judgement.points;
        let identified = points.iter().filter(|point| self.identified(**point));
        let required = identified.count() == points.len() && !points.is_empty();
        let evidence = || {
            judgement
                .guards
                .iter()
                .any(|guard| guard.kind.identifies() && guard.established)
                || self.asks_for_caller()
        };
        if required {
            Auth::Required
        } else if evidence() {
            Auth::Optional
        } else {
            Auth::None
        }
    }

    /// Whether no client can call it, only other functions and the platform.
    fn has_no_door(&self) -> bool {
        self.route
            .operation
            .is_some_and(|operation| operation.is_internal)
    }

    /// Whether a library's own code acts on the caller's session.
    pub(super) fn is_of_own_session(&self) -> bool {
        self.route
            .chain
            .last()
            .is_some_and(|link| matches!(link.convention, Convention::Convex(it) if it.own_session))
    }

    /// Whether a procedure that only reads answers also those who are not known, with nothing that depends on data.
    ///
    /// What asks for a role refuses all others alike, whatever it answers them.
    fn denies_softly(&self, judgement: &Judgement) -> bool {
        let reads = self.route.operation.is_some() && self.route.method == Method::Get;
        let values = &self.machine.values;
        let mut given = judgement
            .responses
            .iter()
            .filter(|response| !response.refuses())
            .filter(|response| response.body.is_some_and(|it| !is_constant(values, it)))
            .peekable();
        let by_role = given.peek().is_some()
            && given.all(|response| self.has(response.facts, Proof::Authorization));
        reads
            && !by_role
            && judgement.responses.iter().any(|response| {
                response.kind == ResponseKind::Data
                    && !response.refuses()
                    && !response.after_error(&self.machine.values)
                    && !self.identified(response.facts)
            })
    }

    /// Whether the first guard that holds everywhere is in a middleware of the chain.
    fn is_by_middleware_link(&self, judgement: &Judgement) -> bool {
        let first = judgement
            .guards
            .iter()
            .filter(|guard| guard.kind.identifies() && guard.everywhere)
            .map(|guard| guard.link)
            .min();
        first
            .and_then(|link| self.route.chain.get(link))
            .is_some_and(|link| link.role == LinkRole::Middleware)
    }

    /// Whether every credential that counts at a point is one that somebody attached: no browser sends it by itself.
    fn is_attached(&self, point: FactsId) -> bool {
        let passed = self.bench.passes.at(&self.machine.values, point);
        // A role or row that is compared later says nothing of how the credential came; one that was read does.
        let mut ways = passed
            .iter()
            .filter(|passed| passed.kind.identifies())
            .filter_map(|passed| passed.ambient)
            .peekable();
        ways.peek().is_some() && ways.all(|ambient| !ambient)
            || passed.iter().any(|passed| passed.kind == Proof::Signature)
    }

    /// Whether some call asks who the caller is, or the request's own user is looked at.
    fn asks_for_caller(&self) -> bool {
        let values = &self.machine.values;
        let asks = |call: CallId, plain: bool| {
            let knowledge = self.bench.knowledge;
            knowledge.of_call(values, call).iter().any(|known| {
                matches!(&known.row.meaning, Meaning::Caller(caller) if caller.verified)
                    && (known.row.usage == Usage::Plain) == plain
                    && !passes::signs_in(knowledge, values, known)
            })
        };
        self.events.iter().any(|event| match event.kind {
            EventKind::Call(call) => {
                asks(call, true)
                    || matches!(values.value(values.call(call).callee), Value::Call(made) if asks(*made, false))
            }
            _ => false,
        })
    }
}

/// Why it is said that a caller has to be known, or not.
fn reason(auth: Auth, inside: Auth, first: Option<&SeenGuard>) -> String {
    match (auth, first.map(|guard| &guard.source)) {
        (Auth::Required, Some(source)) if inside == Auth::Required => {
            format!("`{source}` holds before everything the route does")
        }
        (Auth::Required, _) => "the middleware refuses anonymous requests to this path".to_owned(),
        (Auth::Optional, Some(source)) => {
            format!("`{source}` is looked at, but something is done or shown without it")
        }
        (Auth::Optional, None) => "the caller is looked at, but nothing depends on it".to_owned(),
        (Auth::Unknown, _) => "the middleware could not be read".to_owned(),
        (Auth::None, _) => "nothing on the way asks who calls".to_owned(),
    }
}
