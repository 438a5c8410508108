//! What a comment covers, and what becomes of one that covers nothing.

use portcullis_policy::Control;

use super::*;
use crate::{Basis, Class, Confidence, Place, Severity};

fn at(line: u32) -> Location {
    Location {
        line,
        end_line: line,
        ..Location::of_file("a.ts")
    }
}

fn finding(line: u32, places: &[u32]) -> Finding {
    Finding {
        rule: "sql-string",
        class: Class::Sqli,
        control: Control::Validation,
        basis: Basis::Code,
        severity: Severity::Critical,
        confidence: Confidence::High,
        location: at(line),
        route: None,
        places: places
            .iter()
            .map(|line| Place {
                location: at(*line),
                route: Some(format!("GET /{line}")),
                fingerprint: format!("f{line}"),
            })
            .collect(),
        message: "built from input".to_owned(),
        why: Vec::new(),
        fix: None,
        fingerprint: "f".to_owned(),
        suppressed: None,
    }
}

fn applied(text: &str, findings: Vec<Finding>) -> Report {
    let mut report = Report {
        findings,
        ..Report::default()
    };
    let mut suppressions = Suppressions::default();
    suppressions.read("a.ts", text);
    let today = "2026-06-01".parse().unwrap();
    suppressions.apply(&mut report, today, &|rule| match rule {
        "sql-string" => Standing::Ran,
        "xss" => Standing::NotRun,
        _ => Standing::Unknown,
    });
    report.settle();
    report
}

fn reason(finding: &Finding) -> Option<&str> {
    finding
        .suppressed
        .as_ref()
        .map(|suppressed| suppressed.reason.as_str())
}

#[test]
fn a_comment_covers_its_own_line_or_the_next_line_of_code() {
    for (text, line) in [
        ("q(x) // portcullis-ignore[sql-string]: x is a constant", 1),
        (
            "# portcullis-ignore[ xss, sql-string ]: x is a constant\nq(x)",
            2,
        ),
        (
            "\n/* portcullis-ignore[sql-string]: x is a constant */\n// and more\nq(x)",
            4,
        ),
        (
            "{/* portcullis-ignore[sql-string]: x is a constant */}\n<a/>",
            2,
        ),
        (
            "<!-- portcullis-ignore[sql-string]: x is a constant -->\n<a>",
            2,
        ),
        (
            "-- portcullis-ignore[sql-string]: x is a constant (until 2026-06-01)\nselect",
            2,
        ),
    ] {
        let report = applied(text, vec![finding(line, &[])]);
        assert_eq!(
            reason(&report.findings[0]),
            Some("x is a constant"),
            "{text}"
        );
        assert_eq!(report.notices, [], "{text}");
        assert_eq!(report.worst(), None);
        let elsewhere = applied(text, vec![finding(line + 1, &[])]);
        assert_eq!(reason(&elsewhere.findings[0]), None, "{text}");
    }
}

#[test]
fn code_that_speaks_of_the_mark_is_no_comment() {
    let text = "const s = 'portcullis-ignore[sql-string]: no'";
    let report = applied(text, vec![finding(1, &[])]);
    assert_eq!(reason(&report.findings[0]), None);
    assert_eq!(report.notices, []);
}

#[test]
fn a_comment_of_no_use_is_told_and_hides_nothing() {
    for (comment, expected) in [
        (
            "portcullis-ignore[sql-string]",
            "write `portcullis-ignore[rule-id]: reason`, with a reason",
        ),
        (
            "portcullis-ignore[sql-string]: ...",
            "write `portcullis-ignore[rule-id]: reason`, with a reason",
        ),
        (
            "portcullis-ignore: all of it",
            "write `portcullis-ignore[rule-id]: reason`, with a reason",
        ),
        (
            "portcullis-ignore[]: because",
            "write `portcullis-ignore[rule-id]: reason`, with a reason",
        ),
        (
            "portcullis-ignore[sql-string]: because (until 2026-05-31)",
            "this `portcullis-ignore` expired on 2026-05-31, and what it hid is shown again",
        ),
        (
            "portcullis-ignore[sql-string]: because (until May)",
            "the end of this `portcullis-ignore` is wrong: a date is written `2027-01-31`",
        ),
        (
            "portcullis-ignore[sqli]: because",
            "`portcullis-ignore` names `sqli`, and there is no such rule",
        ),
    ] {
        let report = applied(&format!("q(x) // {comment}"), vec![finding(1, &[])]);
        assert_eq!(reason(&report.findings[0]), None, "{comment}");
        assert_eq!(report.notices.len(), 1, "{comment}");
        assert_eq!(report.notices[0].text, expected);
        assert_eq!(report.notices[0].line, 1);
    }
    let unused = applied(
        "// portcullis-ignore[sql-string, xss]: because\nq(x)",
        vec![],
    );
    assert_eq!(
        unused.notices[0].text,
        "`portcullis-ignore[sql-string]` hides nothing here, remove it"
    );
    assert_eq!(
        unused.notices.len(),
        1,
        "a rule that was not run may still need its comment"
    );
}

#[test]
fn one_place_of_a_group_is_hidden_alone() {
    let text = "a()\nb() // portcullis-ignore[sql-string]: only b\nc()";
    let report = applied(text, vec![finding(1, &[1, 2, 3])]);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let lines: Vec<_> = finding
                .places
                .iter()
                .map(|place| place.location.line)
                .collect();
            (finding.location.line, lines, reason(finding))
        })
        .collect();
    assert_eq!(told, [(1, vec![1, 3], None), (2, vec![2], Some("only b"))]);
}

#[test]
fn a_comment_at_the_one_site_hides_all_its_routes() {
    let text = "handler() // portcullis-ignore[sql-string]: an import script";
    let routes_at_the_site = applied(text, vec![finding(1, &[1, 1])]);
    assert!(reason(&routes_at_the_site.findings[0]).is_some());
    let routes_elsewhere = applied(text, vec![finding(1, &[7, 9])]);
    assert!(reason(&routes_elsewhere.findings[0]).is_some());
    assert_eq!(routes_elsewhere.findings[0].places.len(), 2);
}

#[test]
fn what_is_left_of_a_group_is_told_by_its_own_first_place() {
    let mut group = finding(2, &[2, 4]);
    group.route = Some("GET /2".to_owned());
    group.fingerprint = "f2".to_owned();
    let text = "\nx() // portcullis-ignore[sql-string]: known\n\ny()\n";
    let report = applied(text, vec![group]);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            (
                finding.suppressed.is_some(),
                finding.location.line,
                finding.route.as_deref(),
                finding.fingerprint.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (true, 2, Some("GET /2"), "f2"),
            (false, 4, Some("GET /4"), "f4")
        ]
    );
}

#[test]
fn only_comments_of_another_revision_count_where_that_is_asked() {
    let mut base = BaseComments::of("main");
    base.read(
        "a.ts",
        "q(x) // portcullis-ignore[sql-string]: x is a constant",
    );
    let mut suppressions = Suppressions::default();
    // Moved, and beside it one that the change brought along.
    let text = "\n\nq(x) // portcullis-ignore[sql-string]: x is a constant\n\
                q(y) // portcullis-ignore[sql-string]: so is y\n";
    suppressions.read("a.ts", text);
    suppressions.keep_those_of(&base);
    let mut report = Report {
        findings: vec![finding(3, &[]), finding(4, &[])],
        ..Report::default()
    };
    suppressions.apply(&mut report, "2026-06-01".parse().unwrap(), &|_| {
        Standing::Ran
    });
    let open: Vec<u32> = report.open().map(|finding| finding.location.line).collect();
    assert_eq!(open, [4]);
    assert_eq!(report.notices.len(), 1);
    assert_eq!(report.notices[0].line, 4);
    assert!(report.notices[0].text.contains("is not in `main`"));
}
