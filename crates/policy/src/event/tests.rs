//! An event is read as it was written, and nothing else is read as one.

use proptest::prelude::*;

use super::*;

fn full() -> SecurityEvent {
    let mut event = SecurityEvent::new(
        EventTime::of_unix_millis(1_801_387_800_000),
        EventKind::AuthzFail,
        EventLevel::Warn,
        EventVerdict::Refused,
        "route_unknown",
    );
    event.seq = 7;
    event.status = Some(404);
    event.method = Some(Method::Get);
    event.route = Some(EventText::new("/orders/{id}"));
    event.client = Some(EventClient::One(HexBytes([0xab; 16])));
    event
}

const LINE: &str = concat!(
    r#"{"schema":"portcullis.event/1","time":"2027-01-31T09:30:00.000Z","seq":7,"#,
    r#""prev_hash":"0000000000000000000000000000000000000000000000000000000000000000","#,
    r#""writer":"00000000000000000000000000000000","kind":"authz_fail","level":"WARN","#,
    r#""verdict":"refused","reason":"route_unknown","status":404,"method":"GET","#,
    r#""route":"/orders/{id}","client":"abababababababababababababababab","count":1}"#,
);

#[test]
fn the_form_of_version_1_stays_as_it_is() {
    assert_eq!(full().to_line().unwrap(), LINE);
    let mut out = b"before".to_vec();
    full().write_line(&mut out).unwrap();
    assert_eq!(out, [b"before", LINE.as_bytes()].concat());
    assert_eq!(SecurityEvent::parse(LINE).unwrap(), full());
}

#[test]
fn what_is_not_exactly_an_event_is_refused_with_its_place() {
    for (what, from, to) in [
        (
            "another version",
            "portcullis.event/1",
            "portcullis.event/2",
        ),
        ("an unknown field", r#""seq":7"#, r#""seq":7,"path":"/etc""#),
        ("a field twice", r#""seq":7"#, r#""seq":7,"seq":8"#),
        ("a field missing", r#""seq":7,"#, ""),
        ("a negative number", r#""seq":7"#, r#""seq":-7"#),
        ("a number as text", r#""seq":7"#, r#""seq":"7""#),
        ("an unknown kind", "authz_fail", "authz_failed"),
        ("a level in lower case", "WARN", "warn"),
        ("an unknown method", r#""GET""#, r#""BREW""#),
        ("upper-case hex", "abab", "ABAB"),
        ("short hex", "abab", "ab"),
        ("a time with an offset", "00.000Z", "00.000+00:00"),
        (
            "a reason that is too long",
            "route_unknown",
            &"r".repeat(65),
        ),
        ("a status beyond a status", "404", "70000"),
        ("two objects", r#""count":1}"#, r#""count":1}{}"#),
        ("nothing", LINE, ""),
        ("two lines", r#","seq""#, ",\n\"seq\""),
    ] {
        let line = LINE.replacen(from, to, 1);
        assert_ne!(line, LINE, "{what}");
        let error = SecurityEvent::parse(&line).unwrap_err();
        assert!(error.column > 0 || line.is_empty(), "{what}: {error}");
        assert!(!error.message.contains(" at line "), "{what}: {error}");
    }
    let long = format!("{}{}", " ".repeat(LINE_BYTES_MAX), LINE);
    assert!(SecurityEvent::parse(&long).is_err());
}

fn any_event() -> impl Strategy<Value = SecurityEvent> {
    let words = (
        prop::sample::select(EventKind::ALL),
        prop::sample::select(EventLevel::ALL),
        prop::sample::select(EventVerdict::ALL),
        prop::option::of(prop::sample::select(Method::ALL)),
    );
    let numbers = (
        0..=EventTime::MAX.unix_millis(),
        any::<u64>(),
        prop::option::of(any::<u16>()),
        any::<u64>(),
        any::<u64>(),
    );
    let bytes = (
        any::<[u8; 32]>(),
        any::<[u8; 16]>(),
        prop::option::of(any::<Option<[u8; 16]>>()),
        prop::option::of(any::<[u8; 16]>()),
    );
    let texts = prop::collection::vec(any::<String>(), 4);
    (words, numbers, bytes, texts).prop_map(|(words, numbers, bytes, texts)| {
        let time = EventTime::of_unix_millis(numbers.0);
        let mut event = SecurityEvent::new(time, words.0, words.1, words.2, "reason");
        event.method = words.3;
        (event.seq, event.status, event.count, event.dropped) =
            (numbers.1, numbers.2, numbers.3, numbers.4);
        event.prev_hash = HexBytes(bytes.0);
        event.policy_digest = event.method.map(|_| HexBytes(bytes.0));
        event.writer = HexBytes(bytes.1);
        event.client = bytes
            .2
            .map(|one| one.map_or(EventClient::Many, |one| EventClient::One(HexBytes(one))));
        event.user = bytes.3.map(HexBytes);
        let mut texts = texts.into_iter();
        event.route = texts.next().map(EventText::new);
        event.request_id = texts.next().map(EventText::new);
        event.host = texts.next().map(EventText::new);
        event.detail = texts.next().map(EventText::new);
        event
    })
}

#[test]
fn a_message_repeats_no_line_feed_and_no_escape_of_a_terminal() {
    for name in [r"v\nx", r"v\r\u001b[2J", r"\u202ev"] {
        let line = LINE.replacen("\"seq\"", &format!("\"{name}\""), 1);
        let message = SecurityEvent::parse(&line).unwrap_err().message;
        assert!(message.contains("unknown field"), "{message}");
        assert!(!message.contains(|one: char| one.is_control() || one == '\u{202e}'));
    }
    let line = LINE.replacen("\"seq\"", &format!("\"{}\"", "v".repeat(5000)), 1);
    assert!(SecurityEvent::parse(&line).unwrap_err().message.len() < 600);
}

proptest! {
    #[test]
    fn an_event_is_read_as_it_was_written(event in any_event()) {
        let line = event.to_line().unwrap();
        prop_assert!(!line.contains(['\n', '\r']));
        prop_assert!(line.chars().all(|one| !one.is_ascii_control()));
        prop_assert_eq!(SecurityEvent::parse(&line).unwrap(), event);
    }

    #[test]
    fn no_line_makes_it_panic(line in "\\PC{0,200}|\\{\"schema\":.{0,100}") {
        prop_assert!(SecurityEvent::parse(&line).is_err());
    }
}
