//! Every output of the made report, whole.

use portcullis_report::render::terminal::TerminalStyle;
use portcullis_report::render::{json, markdown, page, routes, sarif, terminal};
use portcullis_report::rules_document;

use crate::made;

#[test]
fn terminal_is_as_it_was() {
    let report = made::report();
    insta::assert_snapshot!(terminal::audit(
        &report,
        &made::source,
        TerminalStyle::default()
    ));
    let all = TerminalStyle {
        all: true,
        ..TerminalStyle::default()
    };
    insta::assert_snapshot!("terminal_all", terminal::audit(&report, &made::source, all));
}

#[test]
fn a_clean_report_says_what_was_read() {
    let mut report = made::report();
    report.findings.clear();
    report.notices.clear();
    insta::assert_snapshot!(terminal::audit(
        &report,
        &made::source,
        TerminalStyle::default()
    ));
}

#[test]
fn json_is_as_it_was() {
    insta::assert_snapshot!(json::audit(&made::report()).unwrap());
    insta::assert_snapshot!("json_routes", json::routes(&made::report()).unwrap());
    insta::assert_snapshot!("json_rules", rules_document(&made::cards()).unwrap());
}

#[test]
fn sarif_is_as_it_was() {
    insta::assert_snapshot!(sarif::audit(&made::report(), &made::cards()).unwrap());
}

#[test]
fn markdown_is_as_it_was() {
    insta::assert_snapshot!(markdown::audit(&made::report(), &made::cards()));
}

#[test]
fn inventory_is_as_it_was() {
    let report = made::report();
    insta::assert_snapshot!(routes::table(&report));
    insta::assert_snapshot!("inventory_why", routes::why(&report.routes));
}

#[test]
fn page_is_as_it_was() {
    insta::assert_snapshot!(page::explain(&made::cards()[0], false));
}

#[test]
fn colour_adds_escapes_and_changes_no_word() {
    let report = made::report();
    let plain = terminal::audit(&report, &made::source, TerminalStyle::default());
    let style = TerminalStyle {
        color: true,
        ..TerminalStyle::default()
    };
    let colored = terminal::audit(&report, &made::source, style);
    assert!(colored.contains('\u{1b}'));
    assert_eq!(without_colours(&colored), plain);
}

/// Takes out `ESC [ ... m`, the only escapes we write.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('m').unwrap();
        plain.push_str(rest);
    }
    plain
}
