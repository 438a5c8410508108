//! `[[except]]`: what is excepted is suppressed, whatever else is said of the same place.

use portcullis_report::{Finding, Report, SuppressionKind};

use crate::policy_guards::audited;

/// Nothing counts requests to any of them, which one finding says of all.
const APP: &str = "import express from 'express';
import { PrismaClient } from '@prisma/client';
const db = new PrismaClient();
const app = express();
app.use(express.json());
app.post('/contact', async (req, res) => { await db.message.create({ data: { text: String(req.body.text) } }); res.json({ ok: true }); });
app.post('/signal/:name', async (req, res) => { await db.signal.create({ data: { name: req.params.name } }); res.json({ ok: true }); });
";

fn except(route: &str, lacks: &str, until: &str) -> String {
    format!(
        "[[except]]\nroute = '{route}'\nlacks = '{lacks}'\nbecause = 'until the launch'\nowner = 'web'\nuntil = {until}\n"
    )
}

fn routes(finding: &Finding) -> Vec<&str> {
    finding
        .places
        .iter()
        .filter_map(|place| place.route.as_deref())
        .collect()
}

/// The routes that the rule reports, open and suppressed.
fn found<'r>(report: &'r Report, rule: &str) -> (Vec<&'r str>, Vec<&'r str>) {
    let of = |is_open: bool| {
        report
            .findings
            .iter()
            .filter(|finding| finding.rule == rule && finding.suppressed.is_none() == is_open)
            .flat_map(routes)
            .collect()
    };
    (of(true), of(false))
}

#[test]
fn what_is_excepted_is_suppressed_and_the_rest_stays() {
    let (contact, signal) = ("POST /contact", "POST /signal/{name}");
    for (policy, open, suppressed, told) in [
        (String::new(), vec![contact, signal], vec![], None),
        (
            except(contact, "rate_limit", "2026-07-01"),
            vec![signal],
            vec![contact],
            None,
        ),
        // Another name of the parameter is the same route.
        (
            except("POST /signal/{id}", "rate_limit", "2027-01-01"),
            vec![contact],
            vec![signal],
            None,
        ),
        (
            except(contact, "rate_limit", "2027-01-01")
                + &except(signal, "rate_limit", "2027-01-01"),
            vec![],
            vec![contact, signal],
            None,
        ),
        (
            except(contact, "rate_limit", "2026-06-30"),
            vec![contact, signal],
            vec![],
            Some("this exception expired on 2026-06-30, and what it allowed is reported again"),
        ),
        (
            except(contact, "signature", "2027-01-01"),
            vec![contact, signal],
            vec![],
            Some(
                "nothing is found that this exception for `POST /contact` without `signature` allows, remove it",
            ),
        ),
        (
            except("GET /contact", "rate_limit", "2027-01-01"),
            vec![contact, signal],
            vec![],
            Some(
                "this exception is for `GET /contact`, and no such route was found; did you mean `POST /contact`?",
            ),
        ),
        // No rule looks at it: whether it is needed, others know.
        (
            except(contact, "audit_trail", "2027-01-01"),
            vec![contact, signal],
            vec![],
            None,
        ),
    ] {
        let report = audited(&policy, &[("app.ts", APP)]);
        assert_eq!(
            found(&report, "ratelimit-missing"),
            (open, suppressed),
            "{policy}"
        );
        let notices: Vec<&str> = report
            .notices
            .iter()
            .map(|notice| notice.text.as_str())
            .collect();
        assert_eq!(notices, told.into_iter().collect::<Vec<_>>(), "{policy}");
    }
}

#[test]
fn a_suppressed_finding_names_the_exception() {
    let policy = except("POST /contact", "rate_limit", "2027-01-31");
    let report = audited(&policy, &[("app.ts", APP)]);
    let (open, suppressed): (Vec<_>, Vec<_>) = report
        .findings
        .iter()
        .filter(|finding| finding.rule == "ratelimit-missing")
        .partition(|finding| finding.suppressed.is_none());
    let [open] = open[..] else { panic!("{open:?}") };
    let [finding] = suppressed[..] else {
        panic!("{suppressed:?}")
    };
    let suppression = finding.suppressed.as_ref().unwrap();
    assert_eq!(suppression.kind, SuppressionKind::Policy);
    assert_eq!(suppression.reason, "until the launch (owner: web)");
    assert_eq!(suppression.until.as_deref(), Some("2027-01-31"));
    assert_eq!(suppression.location.file, "portcullis.toml");
    assert_eq!(suppression.location.line, 2);
    // Each is told where its own places are, and keeps its own fingerprint.
    assert_eq!(finding.route.as_deref(), Some("POST /contact"));
    assert_eq!(open.route.as_deref(), Some("POST /signal/{name}"));
    assert_eq!(open.location, open.places[0].location);
    assert_eq!(open.fingerprint, open.places[0].fingerprint);
    assert_ne!(open.fingerprint, finding.fingerprint);
}

#[test]
fn only_the_control_that_may_be_missing_is_excepted() {
    let all = audited("", &[("app.ts", APP)]);
    let policy = except("POST /contact", "rate_limit", "2027-01-31");
    let report = audited(&policy, &[("app.ts", APP)]);
    let others = |report: &Report| -> Vec<(String, bool)> {
        report
            .findings
            .iter()
            .filter(|finding| finding.rule != "ratelimit-missing")
            .map(|finding| (finding.rule.to_owned(), finding.suppressed.is_some()))
            .collect()
    };
    assert_eq!(others(&report), others(&all));
    assert!(report.findings.len() > all.findings.len());
}

#[test]
fn a_comment_and_an_exception_of_one_finding_are_both_used() {
    let commented = APP.replace(
        "app.post('/contact'",
        "// portcullis-ignore[ratelimit-missing]: counted at the edge\napp.post('/contact'",
    );
    let policy = except("POST /contact", "rate_limit", "2027-01-31");
    let report = audited(&policy, &[("app.ts", &commented)]);
    assert_eq!(report.notices, []);
    assert_eq!(
        found(&report, "ratelimit-missing"),
        (vec!["POST /signal/{name}"], vec!["POST /contact"])
    );
}
