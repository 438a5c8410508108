//! Secrets from outside: what is refused and how it is told, what keys are good for, and how they are changed.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use portcullis_guard::clock::Now;
use portcullis_policy::SecretKey;
use proptest::prelude::*;

use super::*;

/// Drawn for these tests: the SHA-256 of short sentences.
const ONE: &str = "1051c4b9c0887e41f0c30fc60fa896af195672afb531c4f33129e1957da6193c";
const ONE_BASE64: &str = "EFHEucCIfkHwww/GD6iWrxlWcq+1McTzMSnhlX2mGTw=";
const ONE_BASE64URL: &str = "EFHEucCIfkHwww_GD6iWrxlWcq-1McTzMSnhlX2mGTw";
const TWO: &str = "e21ec3a8bd4fbc4a9a41b5f25b2a6a5b6bc75f4f2a2a43bfc1b95b7dbbd3b1f0";

/// 2027-01-31, at noon.
const TODAY: Now = Now {
    monotonic: 0,
    unix_millis: (20_849 * 86_400 + 43_200) * 1_000,
};
const TOMORROW: Now = Now {
    monotonic: 0,
    unix_millis: 20_850 * 86_400 * 1_000,
};

/// Hex as bytes.
pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().as_chunks::<2>().0;
    let text = pairs.iter().map(|pair| str::from_utf8(pair).unwrap());
    text.map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn first(digits: usize) -> &'static str {
    ONE.split_at(digits).0
}

fn key(kid: Option<&str>, at: &str, not_after: Option<&str>) -> SecretKey {
    SecretKey {
        kid: kid.map(|kid| kid.parse().unwrap()),
        key: at.parse().unwrap(),
        not_after: not_after.map(|day| day.parse().unwrap()),
    }
}

/// Reads one secret of the keys that stand in variables called after their kid.
fn read(
    rows: &[(&str, &str, Option<&str>)],
    now: Now,
) -> (Result<Secret, SecretError>, Vec<SecretWarning>) {
    let variables: HashMap<&str, OsString> = rows
        .iter()
        .map(|(kid, text, _)| (*kid, OsString::from(text)))
        .collect();
    let environment = |name: &str| variables.get(name).cloned();
    let keys: Vec<SecretKey> = rows
        .iter()
        .map(|(kid, _, last)| key(Some(kid), &format!("env:{kid}"), *last))
        .collect();
    let mut reader = SecretReader::new(&environment);
    let secret = reader.read("identity.session.secret", &keys, now);
    (secret, reader.warnings().to_vec())
}

/// What is wrong with a text, if anything is.
fn fault(text: impl Into<OsString>) -> Option<SecretFault> {
    let text = text.into();
    let environment = |_: &str| Some(text.clone());
    let mut reader = SecretReader::new(&environment);
    let read = reader.read("x", &[key(None, "env:X", None)], TODAY);
    read.err().map(|error| error.fault)
}

fn cookies(rows: &[(&str, &str, Option<&str>)]) -> MacKeys {
    let secret = read(rows, TODAY).0.unwrap();
    secret.keys(Purpose::SessionCookie).unwrap()
}

#[test]
fn what_is_no_key_is_told_apart() {
    use SecretFault::{Empty, Malformed, NotText, SeveralLines, Short, TooLarge, WhiteSpace};
    let with = |before: &str, after: &str| format!("{before}{ONE}{after}");
    let long = ONE.repeat(2) + "00".repeat(SECRET_BYTES_MAX / 2 - 64).as_str();
    assert_eq!(long.len(), SECRET_BYTES_MAX);
    for (text, expected) in [
        (ONE.to_owned(), None),
        (ONE.to_uppercase(), None),
        (ONE_BASE64.to_owned(), None),
        (ONE_BASE64URL.to_owned(), None),
        (with("", "\n"), None),
        (with("", "\r\n"), None),
        (String::new(), Some(Empty)),
        ("\n".to_owned(), Some(Empty)),
        (" \t\n".to_owned(), Some(Empty)),
        (with("", "\n\n"), Some(SeveralLines)),
        (with("", "\n00"), Some(SeveralLines)),
        (with("\n", ""), Some(SeveralLines)),
        (with(" ", ""), Some(WhiteSpace)),
        (with("", "\t"), Some(WhiteSpace)),
        (with("", "\0"), Some(NotText)),
        (with("\u{feff}", ""), Some(NotText)),
        (with("", "\u{7f}"), Some(NotText)),
        (with("", "é"), Some(NotText)),
        (with("\"", "\""), Some(Malformed)),
        (with("", "0"), Some(Malformed)),
        ("whsec.".to_owned() + ONE_BASE64, Some(Malformed)),
        (first(62).to_owned(), Some(Short(32))),
        (first(32).to_owned(), Some(Short(32))),
        (first(30).to_owned(), Some(Short(16))),
        ("secret".to_owned() + "QQ", Some(Short(16))),
        (long.clone(), Some(SecretFault::Weak(Weakness::Run))),
        (long + "0", Some(TooLarge)),
    ] {
        assert_eq!(fault(&text), expected, "{text:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    assert_eq!(
        fault(OsString::from_vec(vec![0xff; 40])),
        Some(SecretFault::NotText)
    );
}

#[test]
fn a_variable_that_is_not_set_is_missing() {
    let environment = |_: &str| None;
    let mut reader = SecretReader::new(&environment);
    let error = reader
        .read(
            "identity.csrf.secret",
            &[key(None, "env:CSRF_SECRET", None)],
            TODAY,
        )
        .unwrap_err();
    assert_eq!(error.fault, SecretFault::Missing);
    assert_eq!(
        error.to_string(),
        "the secret `identity.csrf.secret` at `env:CSRF_SECRET` is not there: set the variable, or create the file"
    );
}

#[test]
fn the_same_key_twice_is_refused_however_it_is_written() {
    let environment = |name: &str| match name {
        "HEX" => Some(ONE.into()),
        "BASE64" => Some(ONE_BASE64.into()),
        _ => Some(TWO.into()),
    };
    let mut reader = SecretReader::new(&environment);
    let session = [
        key(Some("b"), "env:OTHER", None),
        key(Some("a"), "env:HEX", None),
    ];
    reader
        .read("identity.session.secret", &session, TODAY)
        .unwrap();
    for at in ["env:HEX", "env:BASE64"] {
        let error = reader
            .read("identity.csrf.secret", &[key(None, at, None)], TODAY)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the secret `identity.csrf.secret` at `{at}` is the same as the key `a` of `identity.session.secret` at \
                 `env:HEX`: each has one of its own, make one with `openssl rand -hex 32`"
            )
        );
    }
    // A change of keys that changed nothing.
    let error = read(&[("b", ONE, None), ("a", ONE, None)], TODAY)
        .0
        .unwrap_err();
    assert!(matches!(error.fault, SecretFault::SameAs(_)), "{error}");
}

#[cfg(unix)]
#[test]
fn files_are_judged_by_who_may_use_them() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    let environment = |_: &str| None;
    let read = |path: &Path| {
        let mut reader = SecretReader::new(&environment);
        let keys = [key(None, &format!("file:{}", path.display()), None)];
        let read = reader.read("x", &keys, TODAY);
        let warnings: Vec<_> = reader.warnings().iter().map(|one| one.kind).collect();
        read.map(|_| warnings).map_err(|error| error.fault)
    };
    assert_eq!(read(&path), Err(SecretFault::Missing));
    fs::write(&path, format!("{ONE}\n")).unwrap();
    let readable = || Ok(vec![SecretWarningKind::ReadableByAll]);
    for (mode, expected) in [
        (0o600, Ok(Vec::new())),
        (0o400, Ok(Vec::new())),
        (0o440, Ok(Vec::new())),
        (0o444, readable()),
        (0o644, readable()),
        (0o620, Err(SecretFault::WritableByOthers)),
        (0o602, Err(SecretFault::WritableByOthers)),
        (0o666, Err(SecretFault::WritableByOthers)),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(read(&path), expected, "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(read(&link), Ok(Vec::new()));
    assert_eq!(read(folder.path()), Err(SecretFault::NotAFile));
    assert_eq!(read(Path::new("/dev/null")), Err(SecretFault::NotAFile));
    fs::write(&path, [0x17; 32]).unwrap();
    assert_eq!(read(&path), Err(SecretFault::NotText));
    fs::write(&path, "00".repeat(1_000_000)).unwrap();
    assert_eq!(read(&path), Err(SecretFault::TooLarge));
}

/// Computed by another implementation (Python's `hmac` and `hashlib`): whoever changes these ends every session there is.
#[test]
fn what_is_signed_stays_the_same() {
    let secret = read(&[("a", ONE, None)], TODAY).0.unwrap();
    for (purpose, id, expected) in [
        (
            Purpose::SessionCookie,
            "2a48437fc1d076cf",
            "72a8636cb4c696bc680238223369950d4b4f51193b0be1379816abca903f88d5",
        ),
        (
            Purpose::PreSessionCookie,
            "d22214a2aab48d5a",
            "0b33c567dd36539a5b243caac04dee2d9e40d307e4a7bf38e93d11d32f0e9468",
        ),
        (
            Purpose::CsrfToken,
            "e5592d3ae73e07fa",
            "b26ecb462a5c394edbbe17449d4d21e113ee050024eb485d40d097193b1574d0",
        ),
    ] {
        let keys = secret.keys(purpose).unwrap();
        let signed = keys.sign(TODAY, &[b"session", b"", b"token"]).unwrap();
        assert_eq!(signed.key.to_string(), id);
        assert_eq!(signed.tag.as_bytes().as_slice(), bytes(expected));
    }
}

#[test]
fn what_was_made_for_one_purpose_is_worth_nothing_for_another() {
    let secret = read(&[("a", ONE, None)], TODAY).0.unwrap();
    for made_for in Purpose::ALL {
        let signed = secret
            .keys(made_for)
            .unwrap()
            .sign(TODAY, &[b"it"])
            .unwrap();
        for used_for in Purpose::ALL {
            let keys = secret.keys(used_for).unwrap();
            let verified = keys.verify(TODAY, signed.key, &[b"it"], signed.tag.as_bytes());
            assert_eq!(verified.is_ok(), made_for == used_for);
            // Nor is it where the id is not looked at.
            let own = keys.sign(TODAY, &[b"it"]).unwrap();
            let verified = keys.verify(TODAY, own.key, &[b"it"], signed.tag.as_bytes());
            assert_eq!(verified.is_ok(), made_for == used_for);
        }
    }
}

/// The way of a key: alone, beside its successor, gone. Each step is a reload.
#[test]
fn a_key_is_changed_without_an_outage() {
    let parts: [&[u8]; 1] = [b"a session"];
    let before = cookies(&[("main", ONE, None)]);
    let old = before.sign(TODAY, &parts).unwrap();

    // The policy calls the old key something else by now, and its base64 stands where its hex stood.
    let between = cookies(&[("b", TWO, None), ("a", ONE_BASE64URL, Some("2027-01-31"))]);
    let new = between.sign(TODAY, &parts).unwrap();
    assert_ne!(new.key, old.key, "the first signs");
    let verify = |keys: &MacKeys, now, signed: Signed| {
        keys.verify(now, signed.key, &parts, signed.tag.as_bytes())
    };
    assert_eq!(verify(&between, TODAY, new), Ok(()));
    assert_eq!(verify(&between, TODAY, old), Ok(()));
    assert_eq!(verify(&between, TOMORROW, new), Ok(()));
    assert_eq!(verify(&between, TOMORROW, old), Err(MacFault::Expired));
    let tags = |keys: &MacKeys, now| {
        keys.tags(now, &parts)
            .map(|tag| *tag.as_bytes())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        tags(&between, TODAY),
        [*new.tag.as_bytes(), *old.tag.as_bytes()]
    );
    assert_eq!(tags(&between, TOMORROW), [*new.tag.as_bytes()]);

    let after = cookies(&[("b", TWO, None)]);
    assert_eq!(verify(&after, TODAY, new), Ok(()));
    assert_eq!(verify(&after, TODAY, old), Err(MacFault::UnknownKey));
    // What was signed by the new key before the reload was known everywhere.
    assert_eq!(verify(&before, TODAY, new), Err(MacFault::UnknownKey));
}

#[test]
fn where_all_keys_have_expired_nothing_is_signed_and_nothing_holds() {
    let keys = cookies(&[("a", ONE, Some("2027-01-31"))]);
    let signed = keys.sign(TODAY, &[b"it"]).unwrap();
    let tag = signed.tag.as_bytes();
    assert_eq!(keys.verify(TODAY, signed.key, &[b"it"], tag), Ok(()));
    assert_eq!(keys.sign(TOMORROW, &[b"it"]).unwrap_err(), MacFault::NoKey);
    assert_eq!(
        keys.verify(TOMORROW, signed.key, &[b"it"], tag),
        Err(MacFault::Expired)
    );
    assert_eq!(keys.tags(TOMORROW, &[b"it"]).count(), 0);

    let (secret, _) = read(&[("a", ONE, Some("2027-01-31"))], TOMORROW);
    assert_eq!(
        secret.unwrap_err().to_string(),
        "the secret `identity.session.secret` has no key that is still accepted: add a new one as the first"
    );
    let mut reader = SecretReader::new(&|_| None);
    assert!(reader.read("x", &[], TODAY).is_err());
}

/// Where the first has expired the next one signs.
#[test]
fn a_key_that_has_expired_is_not_read() {
    let rows = [("b", "gone", Some("2027-01-30")), ("a", ONE, None)];
    let (secret, warnings) = read(&rows, TODAY);
    assert!(secret.is_ok());
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "the key `b` of `identity.session.secret` at `env:b` is past its `not_after` and is not used: take it out of the policy"
        ]
    );
}

#[test]
fn nothing_that_is_printed_has_a_secret_in_it() {
    let secret = read(&[("a", ONE, None)], TODAY).0.unwrap();
    let keys = secret.keys(Purpose::CsrfToken).unwrap();
    let signed = keys.sign(TODAY, &[b"it"]).unwrap();
    let environment = |_: &str| Some(ONE.into());
    let mut reader = SecretReader::new(&environment);
    reader
        .read("x", &[key(None, "env:X", None)], TODAY)
        .unwrap();
    let printed = format!("{secret:?} {keys:?} {signed:?} {reader:?}");
    assert!(printed.contains("Tag(..)"), "{printed}");
    let decimal = format!("{:?}", &bytes(ONE)[..4]);
    for hidden in [
        first(8),
        ONE_BASE64.split_at(8).0,
        decimal.trim_matches(['[', ']']),
    ] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}

/// All that an error and a reader print of a text.
fn told(text: &str) -> String {
    let environment = |_: &str| Some(text.into());
    let mut reader = SecretReader::new(&environment);
    let read = reader.read("s", &[key(None, "env:S", None)], TODAY);
    let error = read.map_or_else(
        |error| format!("{error} {error:?}"),
        |secret| format!("{secret:?}"),
    );
    format!("{error} {reader:?}")
}

fn base64(bytes: &[u8], last: &[u8; 2], is_padded: bool) -> String {
    let alphabet: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(*last)
        .collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        for digit in 0..=chunk.len() {
            text.push(char::from(
                alphabet[(bits >> (18 - 6 * digit) & 63) as usize],
            ));
        }
        if is_padded {
            text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
        }
    }
    text
}

proptest! {
    /// Each spelling of random bytes is the same key; their first 31 are too few.
    #[test]
    fn random_bytes_are_a_key_in_each_spelling(drawn in prop::collection::vec(any::<u8>(), 32..96)) {
        let hex: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
        let spellings = [
            hex.clone(),
            hex.to_uppercase(),
            base64(&drawn, b"+/", true),
            base64(&drawn, b"+/", false),
            base64(&drawn, b"-_", true),
            base64(&drawn, b"-_", false),
        ];
        let ids = spellings.map(|text| cookies(&[("a", &text, None)]).sign(TODAY, &[]).unwrap().key);
        prop_assert!(ids.iter().all(|id| *id == ids[0]));
        prop_assert_eq!(fault(hex.split_at(62).0), Some(SecretFault::Short(32)));
    }

    /// Whatever stands in a variable, no eight characters in a row of it are told.
    #[test]
    fn an_error_repeats_nothing(text in "[0-9A-Za-z+/=_ \n-]{8,80}") {
        let told = told(&text);
        for part in text.as_bytes().windows(8) {
            let part = str::from_utf8(part).unwrap();
            prop_assert!(!told.contains(part), "{}", told);
        }
    }

    /// Any change of what was signed, of its tag or of where a part ends is found.
    #[test]
    fn no_other_list_has_the_tag(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..4),
        others in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..4),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let keys = cookies(&[("a", ONE, None)]);
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let signed = keys.sign(TODAY, &slices).unwrap();
        let verify = |slices: &[&[u8]], tag: &[u8]| keys.verify(TODAY, signed.key, slices, tag);
        prop_assert_eq!(verify(&slices, signed.tag.as_bytes()), Ok(()));

        let other: Vec<&[u8]> = others.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(verify(&other, signed.tag.as_bytes()).is_ok(), parts == others);
        let joined = parts.concat();
        prop_assert_eq!(verify(&[&joined], signed.tag.as_bytes()).is_ok(), parts.len() == 1);

        let mut tag = signed.tag.as_bytes().to_vec();
        tag[at.index(32)] ^= 1 << bit;
        prop_assert_eq!(verify(&slices, &tag), Err(MacFault::Mismatch));
        let whole = signed.tag.as_bytes();
        prop_assert_eq!(verify(&slices, &whole[..at.index(32)]), Err(MacFault::Mismatch));
        prop_assert_eq!(verify(&slices, &[whole.as_slice(), &[0]].concat()), Err(MacFault::Mismatch));
    }
}
