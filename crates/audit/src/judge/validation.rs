//! Whether input has a schema.

use portcullis_code::{machine::EventKind, value::Value};
use portcullis_policy::Method;
use portcullis_report::Answer;

use super::{Judgement, Judging};
use crate::{
    classify,
    input::Input,
    library::{GuardKind, Meaning},
    origin::Origins,
    passes::Proof,
    route::{Convention, Validators},
};

impl Judging<'_, '_, '_, '_> {
    pub(super) fn validation(&self, judgement: &mut Judgement) {
        let consumed = self.consumes_body(judgement);
        judgement.consumes_body = consumed;
        let proved = judgement
            .guards
            .iter()
            .find(|guard| guard.kind == Proof::Validation)
            .map(|guard| (guard.source.clone(), guard.site));
        let parsed = self.events.iter().any(|event| match event.kind {
            EventKind::Call(call) => self
                .machine
                .values
                .call(call)
                .args
                .iter()
                .any(|arg| self.origins(arg.0).any(Origins::PARSED)),
            _ => false,
        });
        let in_place = self.validates_in_place();
        let raw_data = judgement.queries.iter().any(|judged| {
            judged
                .query
                .data
                .iter()
                .any(|data| self.origins(*data).any(Origins::RAW))
        });
        let by_library = classify::mega_checks(self, GuardKind::Validation);
        let declared = self.declared();
        let signed = judgement
            .guards
            .iter()
            .any(|guard| guard.kind == Proof::Signature && guard.everywhere);
        let (answer, reason) = match (consumed, &proved) {
            _ if declared == Some(Validators::Empty) => (
                Answer::NotApplicable,
                "it has no arguments, and the server refuses any".to_owned(),
            ),
            _ if declared == Some(Validators::Complete) => (
                Answer::Yes,
                "the server refuses arguments that its validators do not admit".to_owned(),
            ),
            _ if declared == Some(Validators::Partial) => (
                Answer::No,
                "one of its validators admits anything".to_owned(),
            ),
            _ if declared == Some(Validators::Missing) => (
                Answer::No,
                "nothing is declared of its arguments, and the server admits any".to_owned(),
            ),
            _ if signed => (
                Answer::NotApplicable,
                "its sender signs what it sends".to_owned(),
            ),
            _ if by_library && self.route.method != Method::Get => {
                (Answer::Yes, "the library's router checks it".to_owned())
            }
            (_, Some((source, _))) if in_place || !raw_data => (
                Answer::Yes,
                format!("`{source}` checks it against a schema"),
            ),
            (true, Some(_)) => (
                Answer::No,
                "a schema is applied, but what is stored was not parsed by it".to_owned(),
            ),
            (_, None) if parsed => (
                Answer::Yes,
                "a library parses it before the handler".to_owned(),
            ),
            (true, None) => (Answer::No, "the body is used as it was sent".to_owned()),
            (false, _) => (Answer::NotApplicable, "no body is read".to_owned()),
        };
        judgement.validated = answer;
        judgement
            .reasons
            .push(("validated", reason, proved.map(|(_, site)| site)));
    }

    /// What is declared of the arguments of a remote procedure.
    fn declared(&self) -> Option<Validators> {
        match self.route.chain.last()?.convention {
            Convention::Convex(arguments) => Some(arguments.validators),
            _ => None,
        }
    }

    fn validates_in_place(&self) -> bool {
        self.events.iter().any(|event| match event.kind {
            EventKind::Call(call) => {
                let values = &self.machine.values;
                let made = self.bench.knowledge.of_maker(values, values.call(call).callee);
                made.iter().chain(self.bench.knowledge.of_call(values, call).iter()).any(|known| {
                    matches!(&known.row.meaning, Meaning::Guard(guard) if guard.guard == GuardKind::Validation && guard.reads.is_some())
                })
            }
            _ => false,
        })
    }

    fn consumes_body(&self, judgement: &Judgement) -> bool {
        let body = Origins::BODY.and(Origins::ARGUMENT).and(Origins::PARSED);
        let by_query = judgement.queries.iter().any(|judged| {
            judged
                .query
                .data
                .iter()
                .chain(judged.query.filters.iter().map(|filter| &filter.value))
                .any(|value| self.origins(*value).any(body))
        });
        by_query
            || self.events.iter().any(|event| match event.kind {
                EventKind::Call(call) => {
                    let values = &self.machine.values;
                    let data = values.call(call);
                    let reads = match values.value(data.callee) {
                        Value::Member(base, name) => {
                            matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::WebRequest)
                                && matches!(name.as_str(), "json" | "text" | "formData" | "arrayBuffer" | "blob")
                        }
                        _ => false,
                    };
                    reads || data.args.iter().any(|arg| {
                        !matches!(values.value(arg.0), Value::Function { .. }) && self.origins(arg.0).any(body)
                    })
                }
                _ => false,
            })
    }
}
