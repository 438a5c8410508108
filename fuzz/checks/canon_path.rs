//! A canonical path means what was written, is one to the guard and the policy, and reads as itself. A template may
//! stand behind a line feed.

use portcullis_guard::canon::{CanonPath, PathFault};
use portcullis_guard::route_table::{Found, RouteTable};
use portcullis_policy::{Method, MethodSet, PathTemplate};

pub(crate) fn check(data: &[u8]) {
    let (raw, template) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b""[..]),
    };
    let template = std::str::from_utf8(template).ok();
    let template = template.and_then(|text| PathTemplate::parse(text).ok());
    if let Some(template) = &template {
        assert_eq!(
            PathTemplate::parse(template.as_str()).as_ref(),
            Ok(template)
        );
    }
    let open = PathTemplate::parse("/{*rest}").unwrap();
    let path = match CanonPath::parse(raw) {
        Ok(path) => path,
        Err(fault) => {
            if let (Ok(text), true) = (std::str::from_utf8(raw), fault != PathFault::TooLong) {
                assert!(!open.matches(text), "the policy takes {text}");
                assert!(template.is_none_or(|one| !one.matches(text)), "{text}");
            }
            return;
        }
    };
    let text = path.as_str();
    assert!(text.len() <= CanonPath::BYTES_MAX);
    assert_eq!(decoded(raw), decoded(text.as_bytes()), "{text}");
    assert!(std::str::from_utf8(&decoded(raw)).is_ok());
    let again = CanonPath::parse(text.as_bytes()).unwrap();
    assert!(again == path && again.is_borrowed());
    assert_eq!(path.is_borrowed(), text.as_bytes() == raw);
    let segments: Vec<&str> = path.segments().collect();
    assert_eq!(format!("/{}", segments.join("/")), text);
    for (place, segment) in segments.iter().enumerate() {
        assert!(*segment != "." && *segment != "..");
        assert!(!segment.is_empty() || place + 1 == segments.len());
        assert!(!segment.contains(['\\', ';', '?', '#', '{', '}', '*']));
    }
    let written = std::str::from_utf8(raw).unwrap();
    assert_eq!(open.matches(written), text != "/");
    // A template of this text is this text; its bounds are tighter, and `/.portcullis` is no route.
    if let Ok(literal) = PathTemplate::parse(text) {
        assert_eq!(literal.as_str(), text);
        assert!(literal.matches(written) && finds(&literal, text));
    }
    if let Some(template) = template {
        assert_eq!(template.matches(written), template.matches(text));
        assert_eq!(
            template.matches(text),
            finds(&template, text),
            "{template} {text}"
        );
    }
}

/// Whether the guard's table leads from the path to a route with this template.
fn finds(template: &PathTemplate, path: &str) -> bool {
    let get = MethodSet::NONE.with(Method::Get);
    let table = RouteTable::of([(0, template, get)].into_iter());
    match table.find(path, Method::Get, |_| true) {
        Found::Route(_) => true,
        Found::OtherMethods(_) | Found::Nothing => false,
    }
}

/// The bytes that are meant.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = path;
    while let [byte, after @ ..] = rest {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped.filter(|_| *byte == b'%') {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    bytes
}
