//! Whether the objects that a route touches are bound to the caller.

use portcullis_code::value::CallId;
use portcullis_report::{Auth, Ownership};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use super::{Binding, JudgedQuery, Judgement, Judging};
use crate::{
    library::{DbOp, EffectKind},
    origin::Origins,
    parts,
    passes::Proof,
    response::ResponseKind,
    route::{LinkRole, Site},
};

/// An answer, why, and where that is seen.
type Reasoned = (Ownership, String, Option<Site>);

impl Judging<'_, '_, '_, '_> {
    pub(super) fn ownership(&self, judgement: &mut Judgement) {
        let (answer, reason, site) = if self.is_of_own_session() {
            (
                Ownership::Checked,
                "only the caller's own session".to_owned(),
                None,
            )
        } else if judgement.auth == Auth::Required {
            match self.rows_touched(judgement) {
                // Where no row says anything, what is made outside may.
                nothing @ (Ownership::NotApplicable, ..) => {
                    self.credentials_made(judgement).unwrap_or(nothing)
                }
                said => said,
            }
        } else {
            (
                Ownership::NotApplicable,
                "nobody in particular owns what it touches, or nobody is asked who they are"
                    .to_owned(),
                None,
            )
        };
        judgement.ownership = answer;
        judgement.reasons.push(("ownership", reason, site));
    }

    /// What the queries say: one row that is not bound outweighs all that are.
    fn rows_touched(&self, judgement: &Judgement) -> Reasoned {
        let mut answer = (
            Ownership::NotApplicable,
            "no row is chosen by the client".to_owned(),
            None,
        );
        let mut own = None;
        for judged in &judgement.queries {
            // What every request of the application runs through is not about this route's objects.
            let link = self.route.chain.get(judged.link);
            if link.is_some_and(|link| link.role == LinkRole::Middleware) || judged.authorized {
                continue;
            }
            let name: Ustr = judged.query.table.unwrap_or_default();
            let site = Some(judged.query.site);
            if !judged.files.is_empty() {
                let reason = "a stored file is chosen by the client and never bound to the caller"
                    .to_owned();
                return (Ownership::Missing, reason, site);
            }
            match judged.binding {
                Binding::Unbound => {
                    let reason = format!(
                        "a row of `{name}` is chosen by the client and never bound to the caller"
                    );
                    return (Ownership::Missing, reason, site);
                }
                Binding::Bound => {
                    let reason = format!("the row of `{name}` is bound to the caller");
                    answer = (Ownership::Checked, reason, site);
                }
                Binding::Own if own.is_none() && self.is_about(judgement, judged) => {
                    let reason = format!("only the caller's own rows of `{name}`");
                    own = Some((Ownership::Checked, reason, site));
                }
                _ => {}
            }
        }
        own.filter(|_| answer.0 == Ownership::NotApplicable)
            .unwrap_or(answer)
    }

    /// Whether the caller's own rows are what the route is about, and were not only asked to know who calls: it lists
    /// them; a remote procedure changes them, answers them, or acts outside with them.
    fn is_about(&self, judgement: &Judgement, judged: &JudgedQuery) -> bool {
        let op = judged.query.op;
        if self.lists_own(judged) {
            return true;
        }
        // Elsewhere a request for one's own account is taken to be about nobody's object.
        if self.route.operation.is_none() || op == DbOp::Create {
            return false;
        }
        if op.writes() {
            return true;
        }
        let values = &self.machine.values;
        let sealed: FxHashSet<CallId> = judgement
            .queries
            .iter()
            .flat_map(|other| other.query.calls.iter().copied())
            .collect();
        let made = |value| parts::made_of(values, value, &judged.query.calls, &sealed);
        let answered = judgement
            .responses
            .iter()
            .any(|response| response.kind == ResponseKind::Data && response.body.is_some_and(made));
        answered
            || judgement
                .effects
                .iter()
                .any(|effect| effect.inputs.iter().any(|input| made(*input)))
    }

    /// Whether the handler lists rows of the caller, other than the caller's own account.
    fn lists_own(&self, judged: &JudgedQuery) -> bool {
        let user_table = judged
            .query
            .table
            .and_then(|table| self.bench.schema.table(&table))
            .is_some_and(|table| table.is_user_table);
        !user_table
            && matches!(judged.query.op, DbOp::ReadMany)
            && judged.link + 1 == self.link_starts.len()
    }

    /// Whether a credential is made for something that the client chose.
    fn credentials_made(&self, judgement: &Judgement) -> Option<Reasoned> {
        let made = judgement.effects.iter().find(|effect| {
            effect.kind == EffectKind::Token
                && effect
                    .inputs
                    .iter()
                    .any(|input| self.origins(*input).any(Origins::CHOSEN))
                && !self.has(effect.facts, Proof::Authorization)
        })?;
        let reason = "a credential is made for whatever the client names".to_owned();
        Some((Ownership::Missing, reason, Some(made.site)))
    }
}
