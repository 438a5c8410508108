//! Whether requests from other sites are refused.

use portcullis_policy::Method;
use portcullis_report::Answer;

use super::{Judgement, Judging};
use crate::passes::Proof;

impl Judging<'_, '_, '_, '_> {
    pub(super) fn csrf(&self, judgement: &mut Judgement) {
        let writes = judgement
            .queries
            .iter()
            .any(|judged| judged.query.op.writes());
        let safe = matches!(
            self.route.method,
            Method::Get | Method::Head | Method::Options
        ) || self.route.method == Method::Any && !writes && !judgement.consumes_body;
        let guard = judgement
            .guards
            .iter()
            .find(|guard| guard.kind == Proof::Csrf && guard.everywhere)
            .or_else(|| {
                judgement
                    .guards
                    .iter()
                    .find(|guard| matches!(guard.kind, Proof::Csrf | Proof::CsrfCompare))
            });
        let (answer, reason, site) = if safe {
            (Answer::NotApplicable, "a safe method".to_owned(), None)
        } else if self.route.operation.is_some() {
            (
                Answer::NotApplicable,
                "no browser sends a credential to it by itself".to_owned(),
                None,
            )
        } else if self.route.origin_checked {
            (
                Answer::Yes,
                "the framework compares Origin and Host".to_owned(),
                None,
            )
        } else if let Some(guard) = guard {
            (
                Answer::Yes,
                format!("`{}` refuses requests from other sites", guard.source),
                Some(guard.site),
            )
        } else if judgement.bearer_only {
            (
                Answer::NotApplicable,
                "no credential that a browser sends by itself".to_owned(),
                None,
            )
        } else {
            (
                Answer::No,
                "nothing on the way tells requests of other sites apart".to_owned(),
                None,
            )
        };
        judgement.csrf = answer;
        judgement.reasons.push(("csrf", reason, site));
    }
}
