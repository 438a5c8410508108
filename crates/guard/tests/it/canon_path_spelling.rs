//! Spellings of paths: a character is one thing to the guard and the policy, however it is written.

use portcullis_guard::canon::CanonPath;
use portcullis_guard::route_table::{Found, RouteTable};
use portcullis_policy::{Method, MethodSet, PathTemplate};
use proptest::prelude::*;

/// The ways to write one byte.
fn spellings(byte: u8) -> Vec<String> {
    let mut spellings = vec![format!("%{byte:02X}"), format!("%{byte:02x}")];
    if byte.is_ascii() {
        spellings.push(char::from(byte).to_string());
    }
    spellings
}

/// What a path of this text leads to where these are the routes, by the guard's table and by the policy's templates.
fn found(templates: &[PathTemplate], path: &str) -> (Vec<bool>, Option<usize>) {
    let matches = templates.iter().map(|one| one.matches(path)).collect();
    let get = MethodSet::NONE.with(Method::Get);
    let routes = templates.iter().enumerate();
    let table = RouteTable::of(routes.map(|(number, path)| (number, path, get)));
    let number = match table.find(path, Method::Get, |_| true) {
        Found::Route(number) => Some(number),
        Found::OtherMethods(_) | Found::Nothing => None,
    };
    (matches, number)
}

/// Every byte, in each of its spellings, at each end of a segment, against a template in each of its spellings.
#[test]
fn each_byte_is_to_the_guard_what_it_is_to_the_policy() {
    let (mut taken, mut pairs) = (0, 0);
    for byte in 0..=255_u8 {
        for (before, after) in [("a", "b"), ("", "b"), ("a", ""), ("", "")] {
            let written: Vec<String> = spellings(byte)
                .iter()
                .map(|one| format!("/{before}{one}{after}"))
                .collect();
            let templates: Vec<PathTemplate> = written
                .iter()
                .filter_map(|text| PathTemplate::parse(text).ok())
                .collect();
            let open = PathTemplate::parse("/{*rest}").unwrap();
            for path in &written {
                let canonical = CanonPath::parse(path.as_bytes());
                assert_eq!(canonical.is_ok(), open.matches(path), "{path}");
                let Ok(canonical) = canonical else { continue };
                taken += 1;
                let again = CanonPath::parse(canonical.as_str().as_bytes()).unwrap();
                assert!(again == canonical && again.is_borrowed(), "{path}");
                for template in &templates {
                    // A `/` is a template of other segments.
                    if path.matches('/').count() != template.segments().len() {
                        continue;
                    }
                    assert!(template.matches(path), "{path} {template}");
                    assert!(template.matches(canonical.as_str()), "{path} {template}");
                    assert_eq!(template.as_str(), canonical.as_str(), "{path}");
                    pairs += 1;
                }
            }
        }
    }
    assert!(taken > 900 && pairs > 2000, "{taken} {pairs}");
}

#[test]
fn a_character_has_one_spelling() {
    for (written, canonical) in [
        ("/a%40b", "/a@b"),
        ("/a%21%26%27%2c%3D%3a", "/a!&',=:"),
        ("/:id", "/%3Aid"),
        ("/%3aid", "/%3Aid"),
        ("/a/:id", "/a/%3Aid"),
        ("/Users(1)/$ref", "/Users%281%29/%24ref"),
        ("/a+b|c[0]", "/a%2Bb%7Cc%5B0%5D"),
        ("/\"<>^`{}", "/%22%3C%3E%5E%60%7B%7D"),
        ("/what%3Fnow", "/what%3Fnow"),
    ] {
        let path = CanonPath::parse(written.as_bytes()).unwrap();
        assert_eq!(path.as_str(), canonical);
        let template = PathTemplate::parse(canonical).unwrap();
        assert_eq!(template.as_str(), canonical);
        assert!(template.matches(written), "{written}");
    }
}

/// `%40` used to fall through to the wider route, which may ask for less.
#[test]
fn no_spelling_passes_a_route_by() {
    let templates = ["/a@b", "/{x}"].map(|text| PathTemplate::parse(text).unwrap());
    for path in ["/a@b", "/a%40b", "/%61%40%62"] {
        let path = CanonPath::parse(path.as_bytes()).unwrap();
        assert_eq!(found(&templates, path.as_str()).1, Some(0), "{path}");
    }
    let templates = ["/%24metadata", "/{x}"].map(|text| PathTemplate::parse(text).unwrap());
    for path in ["/$metadata", "/%24metadata"] {
        let path = CanonPath::parse(path.as_bytes()).unwrap();
        assert_eq!(found(&templates, path.as_str()).1, Some(0), "{path}");
    }
}

/// `/x%2Ab` is `x*b`, which does not end in `Ab`.
#[test]
fn a_fixed_end_does_not_begin_inside_an_escape() {
    for (template, path, matches) in [
        ("/{x}Ab", "/x%2Ab", false),
        ("/{x}b", "/x%2Ab", true),
        ("/{x}2Ab", "/x%2Ab", false),
        ("/{x}%2Ab", "/x%2Ab", true),
        ("/{x}Ab", "/x%2AAb", true),
        ("/{x}:cancel", "/op:cancel", true),
        ("/{x}:cancel", "/op%3Acancel", true),
        ("/:{x}", "/a", false),
    ] {
        let Ok(template) = PathTemplate::parse(template) else {
            assert_eq!(template, "/:{x}");
            continue;
        };
        let path = CanonPath::parse(path.as_bytes()).unwrap();
        let found = found(std::slice::from_ref(&template), path.as_str());
        assert_eq!(
            found,
            (vec![matches], matches.then_some(0)),
            "{template} {path}"
        );
    }
}

/// A segment of bytes that can stand in one, each in one of its spellings.
fn segment() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let byte = prop_oneof![
        Just(b'a'),
        Just(b':'),
        Just(b'A'),
        Just(b'b'),
        0x21..=0x7e_u8
    ]
    .prop_filter("hidden", |byte| !b"/\\.;%#?".contains(byte));
    prop::collection::vec((byte, any::<u8>()), 1..6).prop_map(|pairs| pairs.into_iter().unzip())
}

/// Writes each byte in the spelling that its choice says.
fn write(bytes: &[u8], choices: &[u8]) -> String {
    let mut text = String::new();
    for (byte, choice) in bytes.iter().zip(choices) {
        let spellings = spellings(*byte);
        text.push_str(&spellings[usize::from(*choice) % spellings.len()]);
    }
    text
}

proptest! {
    #[test]
    fn two_spellings_of_a_path_are_one_path((bytes, choices) in segment(), others in prop::collection::vec(any::<u8>(), 6)) {
        let (one, another) = (write(&bytes, &choices), write(&bytes, &others));
        let one = CanonPath::parse(format!("/{one}").as_bytes()).unwrap().into_owned();
        let another = CanonPath::parse(format!("/{another}").as_bytes()).unwrap().into_owned();
        prop_assert_eq!(&one, &another);
        let template = PathTemplate::parse(one.as_str());
        prop_assert_eq!(template.as_ref().map(PathTemplate::as_str), Ok(one.as_str()));
        prop_assert!(template.unwrap().matches(one.as_str()));
    }

    /// A partly fixed template matches what begins and ends so when it is decoded, whatever the spellings.
    #[test]
    fn a_partly_fixed_template_means_what_is_decoded(
        (bytes, choices) in segment(),
        (start, start_choices) in segment(),
        (end, end_choices) in segment(),
        shown in 0..3_usize,
    ) {
        let mut path: Vec<u8> = Vec::new();
        if shown != 0 { path.extend(&start); }
        path.extend(&bytes);
        if shown != 1 { path.extend(&end); }
        let mut spelled: Vec<u8> = Vec::new();
        if shown != 0 { spelled.extend(&start_choices); }
        spelled.extend(&choices);
        if shown != 1 { spelled.extend(&end_choices); }
        let written = format!("/{}", write(&path, &spelled));
        let canonical = CanonPath::parse(written.as_bytes()).unwrap();
        let fixed = |bytes: &[u8]| bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
        for (prefix, suffix) in [(&start[..], &end[..]), (&start, b""), (b"", &end)] {
            let template = PathTemplate::parse(&format!("/{}{{x}}{}", fixed(prefix), fixed(suffix))).unwrap();
            let meant = path
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_suffix(suffix))
                .is_some_and(|middle| !middle.is_empty());
            prop_assert_eq!(template.matches(canonical.as_str()), meant, "{} {}", template, canonical);
            let again = PathTemplate::parse(template.as_str());
            prop_assert_eq!(again.as_ref(), Ok(&template));
            prop_assert_eq!(found(std::slice::from_ref(&template), canonical.as_str()).1.is_some(), meant);
        }
    }

    /// What the policy takes is what the guard takes, and they match alike.
    #[test]
    fn any_text_is_taken_by_both_or_by_neither(path in "/[a%2fF.:@3C0e*/{}A9]{0,12}", template in "/[a%:@2A.*{x}/]{0,10}") {
        let open = PathTemplate::parse("/{*rest}").unwrap();
        let canonical = CanonPath::parse(path.as_bytes());
        // Alone, the slash is a path without a rest; so is the catch-all of nothing.
        prop_assert_eq!(canonical.is_ok(), open.matches(&path) || path == "/", "{}", path);
        let (Ok(canonical), Ok(template)) = (canonical, PathTemplate::parse(&template)) else {
            return Ok(());
        };
        prop_assert_eq!(template.matches(&path), template.matches(canonical.as_str()));
        prop_assert_eq!(found(std::slice::from_ref(&template), canonical.as_str()).1.is_some(), template.matches(&path));
    }
}
