//! `user-enumeration`: signing in or resetting a password tells whether an account exists.

use portcullis_code::{
    machine::EventKind,
    value::{Entry, Fact, FactsId, Value, ValueId, Values},
};
use portcullis_policy::{Control, RouteType};
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    judge::JudgedQuery,
    library::{DbOp, Meaning},
    origin::Origins,
    parts::{calls_under, shown},
    passes::Proof,
    response::ResponseKind,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "user-enumeration",
    class: Class::UserEnumeration,
    control: Control::Authentication,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-204"],
    asvs: &["v5.0.0-6.3.8"],
    owasp: &["A07:2021", "API2:2023"],
    summary: "an answer tells whether an account exists",
    page: include_str!("user_enumeration.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let answers = answers(context);
    let mut hits: Vec<Hit> = Vec::new();
    for judged in &context.judgement.queries {
        if !looks_up_account(context, judged) {
            continue;
        }
        for hit in judge(context, judged, &answers) {
            if !hits.iter().any(|known| known.site == hit.site) {
                hits.push(hit);
            }
        }
    }
    hits
}

/// Whether a query finds an account by what somebody who is not signed in says.
fn looks_up_account(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let values = &context.machine.values;
    let query = &judged.query;
    if judged.identified
        || !matches!(
            query.op,
            DbOp::Read | DbOp::ReadMany | DbOp::Update | DbOp::Count
        )
    {
        return false;
    }
    let is_user = query.table.is_some_and(|table| {
        context.bench.schema.table(&table).map_or_else(
            || {
                matches!(
                    table.to_lowercase().trim_end_matches('s'),
                    "user" | "account" | "member" | "customer" | "admin"
                )
            },
            // Who works here logs in as well: a table with passwords holds accounts, whatever it is called.
            |table| {
                table.is_user_table
                    || table
                        .columns
                        .iter()
                        .any(|column| column.name.to_lowercase().contains("password"))
            },
        )
    });
    let mut by_name = false;
    for filter in &query.filters {
        let lower = filter.column.to_lowercase();
        let sent = context
            .bench
            .origins
            .of(values, filter.value)
            .any(Origins::CHOSEN);
        if sent && crate::judge::is_secret_column(&filter.column, context.bench.schema, query.table)
        {
            return false;
        }
        by_name |= sent
            && ["email", "mail", "login", "user", "name", "phone", "handle"]
                .iter()
                .any(|word| lower.contains(word));
    }
    is_user && by_name
}

/// One answer as the client sees it.
struct Answer {
    /// Status, words, and what else tells it from another.
    text: String,
    facts: FactsId,
    site: Site,
    refuses: bool,
}

fn answers(context: &RouteContext<'_>) -> Vec<Answer> {
    let values = &context.machine.values;
    let mut found = Vec::new();
    // Words that are shown after a redirect belong to the answer that comes after them.
    let flashes: Vec<(FactsId, String, Site)> = context
        .judgement
        .events
        .iter()
        .filter_map(|event| {
            let EventKind::Call(call) = event.kind else {
                return None;
            };
            let data = values.call(call);
            let flash = matches!(values.value(data.callee), Value::Member(base, name)
                if *name == "flash" && matches!(values.value(*base), Value::Input(_)));
            let text: Vec<String> = data.args.iter().map(|arg| words(context, arg.0)).collect();
            flash.then(|| {
                let site = Site {
                    module: event.module,
                    span: event.span,
                };
                (event.facts, text.join(" "), site)
            })
        })
        .collect();
    for response in &context.judgement.responses {
        if response.kind == ResponseKind::Continues || response.after_error(values) {
            continue;
        }
        let mut text = response
            .status
            .map_or_else(|| "?".to_owned(), |status| status.to_string());
        let mut site = response.site;
        if let Some(body) = response.body {
            text.push(' ');
            text.push_str(&words(context, body));
        }
        if response.kind == ResponseKind::Redirect {
            text.push_str(&target(context, response.site));
        }
        let all: Vec<Fact> = values.facts(response.facts).collect();
        let mut flashed = false;
        for (facts, words, at) in &flashes {
            let before = values
                .facts(*facts)
                .filter(|fact| matches!(fact, Fact::Test(..)))
                .all(|fact| all.contains(&fact));
            if before {
                text.push_str(" flash ");
                text.push_str(words);
                flashed = true;
                if response.kind == ResponseKind::Redirect {
                    site = *at;
                }
            }
        }
        let refuses = response.refuses()
            || response.kind == ResponseKind::Redirect && flashed
            || says_no(&text);
        found.push(Answer {
            text,
            facts: response.facts,
            site,
            refuses,
        });
    }
    found
}

/// An answer of status 200 that says no.
fn says_no(text: &str) -> bool {
    text.contains("error") || text.contains("success=false") || text.contains("ok=false")
}

/// Where a redirect leads.
fn target(context: &RouteContext<'_>, site: Site) -> String {
    let values = &context.machine.values;
    context
        .judgement
        .events
        .iter()
        .find_map(|event| match event.kind {
            EventKind::Call(call) if event.module == site.module && event.span == site.span => {
                let texts: Vec<String> = values
                    .call(call)
                    .args
                    .iter()
                    .map(|arg| words(context, arg.0))
                    .collect();
                Some(format!(" to {}", texts.join(" ")))
            }
            _ => None,
        })
        .unwrap_or_default()
}

/// The constant parts of a body, in order; `*` for whatever is not constant.
fn words(context: &RouteContext<'_>, body: ValueId) -> String {
    fn write(values: &Values, value: ValueId, depth: u32, text: &mut String) {
        if depth > 6 {
            return;
        }
        match values.value(value) {
            Value::Const(constant) => match constant.as_str() {
                Some(word) => text.push_str(&word),
                None => text.push_str(&format!("{constant:?}").to_lowercase()),
            },
            Value::Object(object) | Value::Array(object) => {
                for entry in &values.object(*object).entries {
                    match entry {
                        Entry::Named(name, inner) => {
                            text.push(' ');
                            text.push_str(name);
                            text.push('=');
                            write(values, *inner, depth + 1, text);
                        }
                        Entry::Item(inner) | Entry::Each(inner) | Entry::Spread(inner) => {
                            text.push(' ');
                            write(values, *inner, depth + 1, text);
                        }
                        Entry::Computed(..) => text.push('*'),
                    }
                }
            }
            Value::Template(parts) => {
                for part in parts.iter() {
                    write(values, *part, depth + 1, text);
                }
            }
            Value::Promise(inner) => write(values, *inner, depth, text),
            _ => text.push('*'),
        }
    }
    let mut text = String::new();
    write(&context.machine.values, body, 0, &mut text);
    // A body that is data all through says nothing that could be compared.
    if text.is_empty() && !shown(&context.machine.values, context.bench.knowledge, body).is_empty()
    {
        text.push('*');
    }
    text
}

fn judge(context: &RouteContext<'_>, judged: &JudgedQuery, answers: &[Answer]) -> Vec<Hit> {
    let values = &context.machine.values;
    let found = |answer: &Answer| row_test(values, judged, answer.facts);
    let unknown: Vec<&Answer> = answers
        .iter()
        .filter(|answer| found(answer) == Some(false))
        .collect();
    let known: Vec<&Answer> = answers
        .iter()
        .filter(|answer| found(answer) == Some(true))
        .collect();
    let wrong: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.refuses && credential_failed(context, answer.facts))
        .collect();
    if !wrong.is_empty() {
        return unknown
            .iter()
            .filter(|answer| answer.refuses && wrong.iter().all(|other| other.text != answer.text))
            .map(|answer| {
                let mut hit = Hit::at(
                    answer.site,
                    "the answer for an account that does not exist differs from the one for a wrong password",
                );
                for other in wrong.iter().take(2) {
                    hit = hit.because(Some(other.site), "this is the answer for a wrong password");
                }
                hit.because(Some(judged.query.site), "the account is looked up here")
                    .fixed_by("give one answer in both cases, and compare a password in both, so that the time is the same")
            })
            .collect();
    }
    let makes_account = context.judgement.queries.iter().any(|other| {
        matches!(other.query.op, DbOp::Create | DbOp::Upsert)
            && other.query.table == judged.query.table
    });
    // Where an account that exists is refused and one that does not goes on, somebody signs up.
    let signs_up = known.iter().any(|answer| answer.refuses)
        && unknown.iter().any(|answer| !answer.refuses)
        && !unknown.iter().any(|answer| answer.refuses);
    if makes_account || signs_up {
        return known
            .iter()
            .filter(|answer| {
                answer.refuses && unknown.iter().all(|other| other.text != answer.text)
            })
            .map(|answer| {
                let mut hit = Hit::at(
                    answer.site,
                    "signing up tells whether an account exists already",
                )
                .because(Some(judged.query.site), "the account is looked up here")
                .fixed_by(
                    "answer the same in both cases, and write to the address what is the matter",
                );
                hit.severity = Some(Severity::Low);
                hit.confidence = Some(Confidence::Low);
                hit
            })
            .collect();
    }
    if context.judgement.route_type != RouteType::AuthOp && !is_reset(context) {
        return Vec::new();
    }
    unknown
        .iter()
        .filter(|answer| !known.is_empty() && known.iter().all(|other| other.text != answer.text))
        .map(|answer| {
            Hit::at(
                answer.site,
                "the answer for an account that does not exist differs from the one for an account that does",
            )
            .because(Some(judged.query.site), "the account is looked up here")
            .fixed_by("give one answer in both cases: if there is such an account, a message is on its way")
        })
        .collect()
}

/// Whether a route resets a password or sends a link, by its path.
fn is_reset(context: &RouteContext<'_>) -> bool {
    let path = context.route.path.to_lowercase();
    [
        "forgot", "reset", "recover", "login", "signin", "sign-in", "magic",
    ]
    .iter()
    .any(|word| path.contains(word))
}

/// What is known of the account's row: that it is there, that it is not, or nothing.
fn row_test(values: &Values, judged: &JudgedQuery, facts: FactsId) -> Option<bool> {
    values.facts(facts).find_map(|fact| match fact {
        Fact::Test(value, truth) => {
            let at_row = calls_under(values, value).into_iter().any(|(call, steps)| {
                steps
                    .iter()
                    .all(|step| matches!(step, crate::library::Step::Index))
                    && judged.query.calls.contains(&call)
            });
            at_row.then_some(truth)
        }
        _ => None,
    })
}

/// Whether a password was compared and was wrong.
fn credential_failed(context: &RouteContext<'_>, facts: FactsId) -> bool {
    let values = &context.machine.values;
    values.facts(facts).any(|fact| {
        let Fact::Test(value, truth) = fact else {
            return false;
        };
        let compares = calls_under(values, value).into_iter().any(|(call, steps)| {
            steps.is_empty()
                && context
                    .bench
                    .knowledge
                    .of_call(values, call)
                    .iter()
                    .any(|known| matches!(known.row.meaning, Meaning::Credential(_)))
        });
        let opposite = Fact::Test(value, !truth);
        compares
            && !context
                .bench
                .passes
                .of_fact(values, fact)
                .iter()
                .any(|passed| passed.kind == Proof::Credential)
            && context
                .bench
                .passes
                .of_fact(values, opposite)
                .iter()
                .any(|passed| passed.kind == Proof::Credential)
    })
}
