//! Whether the objects that a route touches are bound to the caller.

use portcullis_report::{Auth, Ownership};
use ustr::Ustr;

use super::{Binding, Judgement, Judging};
use crate::{
    library::{DbOp, EffectKind},
    origin::Origins,
    passes::Proof,
    route::LinkRole,
};

impl Judging<'_, '_, '_, '_> {
    pub(super) fn ownership(&self, judgement: &mut Judgement) {
        let mut answer = Ownership::NotApplicable;
        let mut reason = ("no row is chosen by the client".to_owned(), None);
        if judgement.auth != Auth::Required {
            reason.0 = "nobody in particular owns what it touches, or nobody is asked who they are"
                .to_owned();
            judgement.ownership = answer;
            judgement.reasons.push(("ownership", reason.0, None));
            return;
        }
        for judged in &judgement.queries {
            // What every request of the application runs through is not about this route's objects.
            if self
                .route
                .chain
                .get(judged.link)
                .is_some_and(|link| link.role == LinkRole::Middleware)
                || judged.authorized
            {
                continue;
            }
            let user_table = judged
                .query
                .table
                .and_then(|table| self.bench.schema.table(&table))
                .is_some_and(|table| table.is_user_table);
            let name: Ustr = judged.query.table.unwrap_or_default();
            match judged.binding {
                Binding::Unbound => {
                    answer = Ownership::Missing;
                    reason = (
                        format!(
                            "a row of `{name}` is chosen by the client and never bound to the caller"
                        ),
                        Some(judged.query.site),
                    );
                    break;
                }
                Binding::Bound => {
                    answer = Ownership::Checked;
                    reason = (
                        format!("the row of `{name}` is bound to the caller"),
                        Some(judged.query.site),
                    );
                }
                Binding::Own
                    if !user_table
                        && answer == Ownership::NotApplicable
                        && matches!(judged.query.op, DbOp::ReadMany)
                        && judged.link + 1 == self.link_starts.len() =>
                {
                    answer = Ownership::Checked;
                    reason = (
                        format!("only the caller's own rows of `{name}`"),
                        Some(judged.query.site),
                    );
                }
                _ => {}
            }
        }
        if answer == Ownership::NotApplicable || answer == Ownership::Checked {
            for effect in &judgement.effects {
                let chosen = effect
                    .inputs
                    .iter()
                    .any(|input| self.origins(*input).any(Origins::CHOSEN));
                let authorized = self.has(effect.facts, Proof::Authorization);
                if effect.kind == EffectKind::Token
                    && chosen
                    && !authorized
                    && answer == Ownership::NotApplicable
                {
                    answer = Ownership::Missing;
                    reason = (
                        "a credential is made for whatever the client names".to_owned(),
                        Some(effect.site),
                    );
                }
            }
        }
        judgement.ownership = answer;
        judgement.reasons.push(("ownership", reason.0, reason.1));
    }
}
