//! Whether requests are counted.

use portcullis_code::machine::EventKind;
use portcullis_report::Answer;

use super::{Judgement, Judging};
use crate::{passes::Proof, response, route::Site};

impl Judging<'_, '_, '_, '_> {
    pub(super) fn rate_limit(&self, judgement: &mut Judgement) {
        let limiter = judgement
            .guards
            .iter()
            .find(|guard| guard.kind == Proof::RateLimit);
        let refuses = judgement
            .responses
            .iter()
            .find(|response| response.status == Some(429));
        let thrown = self.events.iter().find(|event| matches!(event.kind, EventKind::Throw(value) if response::status_of_error(&self.machine.values, value) == Some(429)));
        let (answer, reason, site) = match (limiter, refuses, thrown) {
            (Some(limiter), ..) => {
                if !limiter.everywhere {
                    judgement.conditions.push(
                        "rate limit: only on some ways, or where a setting switches it on"
                            .to_owned(),
                    );
                }
                (
                    Answer::Yes,
                    format!("`{}` counts requests", limiter.source),
                    Some(limiter.site),
                )
            }
            (None, Some(response), _) => (
                Answer::Yes,
                "it can answer 429".to_owned(),
                Some(response.site),
            ),
            (None, None, Some(event)) => (
                Answer::Yes,
                "it can answer 429".to_owned(),
                Some(Site {
                    module: event.module,
                    span: event.span,
                }),
            ),
            (None, None, None) => (
                Answer::No,
                "nothing on the way counts requests".to_owned(),
                None,
            ),
        };
        judgement.rate_limit = answer;
        judgement.reasons.push(("rate_limit", reason, site));
    }
}
