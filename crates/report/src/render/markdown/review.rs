//! The review of one endpoint: each question of the template, answered by what was found and where.

use std::collections::BTreeSet;

use portcullis_policy::{Control, Need, RouteType, need};

use super::checklist::{CHECKLIST, Item, Known};
use super::plain::{code, place, sentence};
use crate::render::terminal::line;
use crate::{Answer, Auth, Class, Finding, Ownership, RouteRecord, word};

/// How a question is answered.
enum Word {
    /// It is so.
    Yes(String),
    /// It is not, or it is not known: somebody has to look.
    Open(String),
    /// The question does not arise.
    Beside(String),
}

/// One endpoint, and what speaks of it.
pub(super) struct Review<'r> {
    pub(super) route: &'r RouteRecord,
    /// The open findings about it.
    pub(super) findings: Vec<&'r Finding>,
    /// The classes whose rules were run.
    pub(super) judged: &'r BTreeSet<Class>,
}

impl Review<'_> {
    /// Adds the review to the page.
    pub(super) fn write(&self, out: &mut String) {
        let route = self.route;
        line(
            out,
            format_args!("\n## Security review for {}\n", code(&route.name())),
        );
        line(
            out,
            format_args!(
                "- Where: {} ({})",
                place(&route.location),
                sentence(&route.framework)
            ),
        );
        line(
            out,
            format_args!(
                "- Type: {}: {}",
                code(&word(&route.route_type)),
                sentence(&route.type_reason)
            ),
        );
        for condition in &route.conditions {
            line(out, format_args!("- On condition: {}", sentence(condition)));
        }
        for unknown in &route.unknowns {
            let at = unknown.location.as_ref().map(place);
            let at = at.map(|at| format!(" ({at})")).unwrap_or_default();
            line(
                out,
                format_args!("- [ ] Not known: {}{at}", sentence(&unknown.reason)),
            );
        }
        for section in CHECKLIST {
            line(out, format_args!("\n### {}\n", section.heading));
            for item in section.items {
                self.item(out, item);
            }
        }
        self.others(out);
    }

    fn item(&self, out: &mut String, item: &Item) {
        let against = self.of_classes(item.classes);
        let word = match self.answer(item) {
            // What the record calls so and a rule does not is open.
            Word::Yes(text) if !against.is_empty() => Word::Open(text),
            Word::Beside(text) if !against.is_empty() => Word::Open(text),
            word => word,
        };
        let (mark, text) = match &word {
            Word::Yes(text) => ("[x] ", text),
            Word::Open(text) => ("[ ] ", text),
            Word::Beside(text) => ("", text),
        };
        line(out, format_args!("- {mark}{}: {text}", item.text));
        for finding in against {
            told(out, "  ", finding);
        }
    }

    /// Findings that answer no question of the template.
    fn others(&self, out: &mut String) {
        let asked: BTreeSet<Class> = CHECKLIST
            .iter()
            .flat_map(|section| section.items)
            .flat_map(|item| item.classes.iter().copied())
            .collect();
        let others: Vec<&Finding> = self
            .findings
            .iter()
            .copied()
            .filter(|finding| !asked.contains(&finding.class))
            .collect();
        if others.is_empty() {
            return;
        }
        line(out, format_args!("\n### Also found\n"));
        for finding in others {
            told(out, "", finding);
        }
    }

    fn of_classes(&self, classes: &[Class]) -> Vec<&Finding> {
        self.findings
            .iter()
            .copied()
            .filter(|finding| classes.contains(&finding.class))
            .collect()
    }

    fn answer(&self, item: &Item) -> Word {
        let route = self.route;
        let has_caller = route.route_type.has_caller();
        match item.known {
            Known::Authentication => self.authentication(),
            Known::Refusal => self.guarded(Control::Authentication, has_caller),
            Known::Signature => {
                self.guarded(Control::Signature, route.route_type == RouteType::Webhook)
            }
            Known::Role => self.guarded(Control::Authorization, has_caller),
            Known::Ownership => match route.ownership {
                Ownership::Checked => self.yes("bound to the caller", "ownership"),
                Ownership::Missing => {
                    self.open("the caller chooses it, and nothing binds it", "ownership")
                }
                Ownership::NotApplicable => Word::Beside("no such object".to_owned()),
                Ownership::Unknown => self.open("not known", "ownership"),
            },
            Known::Validation => self.three(route.validated, "validated", "reads no input"),
            Known::Csrf => self.three(
                route.csrf,
                "csrf",
                "no cookie speaks for the caller, or nothing is changed",
            ),
            Known::RateLimit => {
                match (route.rate_limit, need(route.route_type, Control::RateLimit)) {
                    (Answer::No, Need::NotNeeded) => Word::Beside(format!(
                        "none, and not demanded of {}",
                        code(&word(&route.route_type))
                    )),
                    (answer, _) => self.three(answer, "rate_limit", "not counted"),
                }
            }
            Known::Findings => self.silence(item, true, ""),
            Known::FindingsOfCaller => self.silence(item, has_caller, "no caller is known here"),
            Known::FindingsOfLimit => {
                self.silence(item, route.rate_limit == Answer::Yes, "nothing is counted")
            }
            Known::FindingsOfUpload => self.silence(
                item,
                route.route_type == RouteType::FileUpload,
                "takes no files",
            ),
            Known::Nobody => Word::Open("the code does not say it".to_owned()),
        }
    }

    fn authentication(&self) -> Word {
        let route = self.route;
        let needed = need(route.route_type, Control::Authentication) != Need::NotNeeded;
        let at = route
            .auth_where
            .map(|at| format!(" (in the {})", word(&at)))
            .unwrap_or_default();
        match route.auth {
            Auth::Required => self.yes(&format!("required{at}"), "auth"),
            Auth::Optional if needed => {
                self.open("optional: an anonymous caller gets through as well", "auth")
            }
            Auth::None if needed => self.open("no: an anonymous caller gets through", "auth"),
            Auth::Optional | Auth::None => Word::Beside(format!(
                "not demanded of {}",
                code(&word(&route.route_type))
            )),
            Auth::Unknown => self.open("not known", "auth"),
        }
    }

    fn three(&self, answer: Answer, attribute: &str, beside: &str) -> Word {
        match answer {
            Answer::Yes => self.yes("yes", attribute),
            Answer::No => self.open("no", attribute),
            Answer::NotApplicable => Word::Beside(beside.to_owned()),
            Answer::Unknown => self.open("not known", attribute),
        }
    }

    /// Answered by the guards of a control, where it is asked at all.
    fn guarded(&self, control: Control, asked: bool) -> Word {
        let guards: Vec<String> = self
            .route
            .guards
            .iter()
            .filter(|guard| guard.what == control)
            .map(|guard| {
                format!(
                    "{} {} ({})",
                    code(&guard.source),
                    sentence(&guard.on_fail),
                    place(&guard.location)
                )
            })
            .collect();
        if !guards.is_empty() {
            return Word::Yes(guards.join("; "));
        }
        if asked {
            Word::Open("nothing was found that does".to_owned())
        } else {
            Word::Beside("not asked of such a route".to_owned())
        }
    }

    /// Answered by rules that found nothing, where they were run and could see everything.
    fn silence(&self, item: &Item, asked: bool, beside: &str) -> Word {
        if !asked {
            return Word::Beside(beside.to_owned());
        }
        if !item.classes.iter().any(|class| self.judged.contains(class)) {
            return Word::Open("no rule looked".to_owned());
        }
        if !self.of_classes(item.classes).is_empty() {
            return Word::Open("no".to_owned());
        }
        if !self.route.unknowns.is_empty() {
            return Word::Open("nothing was found in what could be followed".to_owned());
        }
        Word::Yes("nothing was found against it".to_owned())
    }

    fn yes(&self, text: &str, attribute: &str) -> Word {
        Word::Yes(self.with_reasons(text, attribute))
    }

    fn open(&self, text: &str, attribute: &str) -> Word {
        Word::Open(self.with_reasons(text, attribute))
    }

    fn with_reasons(&self, text: &str, attribute: &str) -> String {
        let mut text = text.to_owned();
        for reason in &self.route.reasons {
            if reason.attribute == attribute {
                text.push_str("; ");
                text.push_str(&sentence(&reason.text));
                if let Some(location) = &reason.location {
                    text.push_str(&format!(" ({})", place(location)));
                }
            }
        }
        text
    }
}

/// A finding in one line; it stands in full above.
fn told(out: &mut String, indent: &str, finding: &Finding) {
    line(
        out,
        format_args!(
            "{indent}- {} {}: {} ({})",
            finding.severity,
            code(finding.rule),
            sentence(&finding.message),
            place(&finding.location)
        ),
    );
}
