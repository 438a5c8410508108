//! Whether a caller has to be known, and where that is decided.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, FactsId, Value},
};
use portcullis_report::{Auth, AuthWhere};

use super::{Judgement, Judging};
use crate::{
    library::{Meaning, Usage},
    middleware::Cover,
    passes::{self, Proof},
    route::LinkRole,
};

impl Judging<'_, '_, '_, '_> {
    pub(super) fn authentication(&self, judgement: &mut Judgement, cover: Option<&Cover>) {
        let identified = judgement
            .points
            .iter()
            .filter(|point| self.identified(**point))
            .count();
        let evidence = judgement
            .guards
            .iter()
            .any(|guard| guard.kind.identifies() && guard.established)
            || self.asks_for_caller();
        let inside = if !judgement.points.is_empty() && identified == judgement.points.len() {
            Auth::Required
        } else if evidence {
            Auth::Optional
        } else {
            Auth::None
        };
        let in_chain = judgement
            .guards
            .iter()
            .filter(|guard| guard.kind.identifies() && guard.everywhere)
            .map(|guard| guard.link)
            .min();
        let by_middleware_link = in_chain.is_some_and(|link| {
            self.route
                .chain
                .get(link)
                .is_some_and(|link| link.role == LinkRole::Middleware)
        });
        let outside = cover.map_or(Auth::None, |cover| cover.auth);
        judgement.auth = match (inside, outside) {
            (Auth::Required, _) | (_, Auth::Required) => Auth::Required,
            (Auth::Optional, _) | (_, Auth::Optional) => Auth::Optional,
            (_, Auth::Unknown) => Auth::Unknown,
            _ => Auth::None,
        };
        judgement.auth_where = match (inside == Auth::Required, outside == Auth::Required) {
            (true, true) => Some(AuthWhere::Both),
            (true, false) if by_middleware_link => Some(AuthWhere::Middleware),
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
            .find(|guard| guard.kind.identifies())
            .map(|guard| (guard.source.clone(), guard.site));
        let reason = match (judgement.auth, &first) {
            (Auth::Required, Some((source, _))) if inside == Auth::Required => {
                format!("`{source}` holds before everything the route does")
            }
            (Auth::Required, _) => {
                "the middleware refuses anonymous requests to this path".to_owned()
            }
            (Auth::Optional, Some((source, _))) => {
                format!("`{source}` is looked at, but something is done or shown without it")
            }
            (Auth::Optional, None) => {
                "the caller is looked at, but nothing depends on it".to_owned()
            }
            (Auth::Unknown, _) => "the middleware could not be read".to_owned(),
            (Auth::None, _) => "nothing on the way asks who calls".to_owned(),
        };
        judgement
            .reasons
            .push(("auth", reason, first.map(|(_, site)| site)));
        // A role or row that is compared later says nothing of how the credential came; one that was read does.
        let attached = |point: &FactsId| {
            let passed = self.bench.passes.at(&self.machine.values, *point);
            let mut ways = passed
                .iter()
                .filter(|passed| passed.kind.identifies())
                .filter_map(|passed| passed.ambient)
                .peekable();
            ways.peek().is_some() && ways.all(|ambient| !ambient)
                || passed.iter().any(|passed| passed.kind == Proof::Signature)
        };
        judgement.bearer_only = outside != Auth::Required
            && !judgement.points.is_empty()
            && judgement.points.iter().all(attached);
    }

    /// Whether some call asks who the caller is, or the request's own user is looked at.
    fn asks_for_caller(&self) -> bool {
        let values = &self.machine.values;
        let asks = |call: CallId, plain: bool| {
            !passes::is_sign_in(values, call)
                && self
                    .bench
                    .knowledge
                    .of_call(values, call)
                    .iter()
                    .any(|known| {
                        matches!(&known.row.meaning, Meaning::Caller(caller) if caller.verified)
                            && (known.row.usage == Usage::Plain) == plain
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
