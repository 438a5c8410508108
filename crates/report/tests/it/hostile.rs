//! Whatever a repository contains, its text does nothing to a terminal.

use std::sync::Arc;

use portcullis_report::render::terminal::TerminalStyle;
use portcullis_report::render::{markdown, routes, terminal};
use portcullis_report::{Location, Report, RouteMethod, Step};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::made;

/// Text as a hostile repository writes it.
fn hostile() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "\r",
        "\u{8}",
        "\u{9b}31m",
        "\u{7f}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{2028}",
        "\u{feff}",
        "\u{e0041}",
        "\0",
        "\n",
        "\t",
        "{}",
        "`",
        "``",
        "\n# forged\n",
        "\n\n- [x] forged",
        "[a](https://e.example)",
        "![](//e.example)",
        "<b>",
        "<!--",
        "&#64;all",
        "@all",
        "#1",
        "$x$",
        "www.e.example",
        "https://e.example",
        "*_~|",
        "\\",
        "日本",
        "x",
    ]);
    prop_oneof![
        prop::collection::vec(nasty, 0..8).prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

/// The made report with `text` in every field that can come from a repository.
fn filled_with(text: &str) -> Report {
    let mut report = made::raw();
    report.commit = Some(text.to_owned());
    report.notes.push(text.to_owned());
    for finding in &mut report.findings {
        finding.message.push_str(text);
        finding.route = finding.route.take().map(|route| route + text);
        finding.location.file.push_str(text);
        finding.why.push(Step {
            location: Some(Location::of_file(text)),
            text: text.to_owned(),
        });
        for place in &mut finding.places {
            place.location.file.push_str(text);
            place.route = Some(text.to_owned());
        }
        if let Some(fix) = &mut finding.fix {
            fix.description.push_str(text);
        }
        if let Some(suppressed) = &mut finding.suppressed {
            suppressed.reason.push_str(text);
            suppressed.until = Some(text.to_owned());
        }
    }
    for route in &mut report.routes {
        for field in [
            &mut route.framework,
            &mut route.path,
            &mut route.type_reason,
        ] {
            field.push_str(text);
        }
        route.location.file.push_str(text);
        route.method = RouteMethod::Operation(text.to_owned());
        route.conditions.push(text.to_owned());
        for guard in &mut route.guards {
            guard.via.push_str(text);
            guard.on_fail.push_str(text);
            guard.source.push_str(text);
        }
        for reason in &mut route.reasons {
            reason.attribute.push_str(text);
            reason.text.push_str(text);
        }
        for unknown in &mut route.unknowns {
            unknown.code.push_str(text);
            unknown.reason.push_str(text);
        }
    }
    for unread in &mut report.unread {
        unread.file.push_str(text);
        unread.reason.push_str(text);
    }
    for skipped in &mut report.skipped {
        skipped.kind.push_str(text);
    }
    for notice in &mut report.notices {
        notice.text.push_str(text);
    }
    report.settle();
    report
}

fn acts_on_a_terminal(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

proptest! {
    #[test]
    fn nothing_acts_on_the_terminal(text in hostile(), code in hostile(), start in 0_usize..40, length in 0_usize..80) {
        let mut report = filled_with(&text);
        for finding in &mut report.findings {
            finding.location.bytes = start..start + length;
        }
        let source: Arc<str> = format!("{code}\nsecond {code} line\n{text}").into();
        for all in [false, true] {
            let style = TerminalStyle { all, ..TerminalStyle::default() };
            let printed = terminal::audit(&report, &|_| Some(Arc::clone(&source)), style);
            prop_assert_eq!(printed.chars().find(|c| acts_on_a_terminal(*c)), None);
        }
        let inventory = routes::table(&report) + &routes::why(&report.routes);
        prop_assert_eq!(inventory.chars().find(|c| acts_on_a_terminal(*c)), None);
    }
}

#[test]
fn a_name_cannot_add_a_line() {
    let printed = routes::table(&filled_with("\nGET /forged public_read"));
    let lines = printed
        .lines()
        .filter(|line| line.starts_with("GET /forged"));
    assert_eq!(lines.count(), 0);
}

/// How often each thing that a page may hold stands on it, and what it must not hold.
fn shape(page: &str) -> (Vec<usize>, Vec<String>) {
    let mut counts = vec![0; 4];
    let mut forbidden = Vec::new();
    for event in Parser::new_ext(page, Options::all()) {
        match event {
            Event::Start(Tag::Heading { .. }) => counts[0] += 1,
            Event::Start(Tag::Item) => counts[1] += 1,
            Event::Start(Tag::List(_)) => counts[2] += 1,
            Event::TaskListMarker(_) => counts[3] += 1,
            Event::Start(Tag::Paragraph) | Event::End(_) | Event::Code(_) | Event::SoftBreak => {}
            Event::Text(text) => {
                let acts = ["@", "#", "www."].iter().any(|sign| text.contains(sign));
                if acts {
                    forbidden.push(text.to_string());
                }
            }
            other => forbidden.push(format!("{other:?}")),
        }
    }
    (counts, forbidden)
}

proptest! {
    #[test]
    fn nothing_acts_on_a_page(text in hostile()) {
        let plain = shape(&markdown::audit(&filled_with("x"), &made::cards()));
        prop_assert_eq!(&plain.1, &Vec::<String>::new());
        let page = markdown::audit(&filled_with(&text), &made::cards());
        prop_assert_eq!(shape(&page), plain);
        prop_assert_eq!(page.chars().find(|c| acts_on_a_terminal(*c)), None);
    }
}

#[test]
fn an_address_in_a_sentence_is_no_link() {
    let page = markdown::audit(
        &filled_with(" https://e.example www.e.example a@e.example "),
        &made::cards(),
    );
    // Sites link what looks like an address; the sign that makes it one is escaped or stands in code.
    assert!(page.contains("https\\://e.example www\\.e.example a`@`e.example"));
}
