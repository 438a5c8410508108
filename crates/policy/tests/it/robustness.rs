//! No text makes the reader panic, and every place it names is in the text.

use std::fmt::Debug;
use std::str::FromStr;

use portcullis_policy::{
    ByteCount, Date, EventTarget, GuardSymbol, HostPattern, LimitKey, Malformed, MediaType, Name,
    PathGlob, PathTemplate, Policy, PublicUrl, Rate, RouteName, SecretRef, Upstream,
};
use proptest::prelude::*;
use proptest::sample::Index;

const SHOP: &str = include_str!("shop.toml");

/// Pieces of policy files, put together without sense.
const PIECES: &[&str] = &[
    "version = 1\n",
    "[[route]]\n",
    "[route]\n",
    "[limits.a]\n",
    "[limits]\n",
    "[[guard]]\n",
    "[[except]]\n",
    "[audit]\n",
    "[proxy]\n",
    "[events]\n",
    "hosts = [\"a:1\"]\n",
    "static = [\"/{*r}\"]\n",
    "upstream = ",
    "trusted_proxies = ",
    "health = { path = ",
    "path = ",
    "methods = ",
    "type = ",
    "rate = ",
    "by = ",
    "until = ",
    "means = ",
    "symbol = ",
    "body = { max = ",
    "}\n",
    "\"/a/{id}\"\n",
    "[\"GET\"]\n",
    "\"10 per 1m\"\n",
    "2027-01-31\n",
    "\"\"\n",
    "1\n",
    "-1\n",
    "nan\n",
    "[[1]]\n",
    "\n",
    "\"",
    "'''",
    "\"\"\"",
    "é",
    "\u{feff}",
    "a.b.c = 1\n",
    "# x\n",
    "\r\n",
    ",",
    "=",
];

fn check(text: &str) -> Result<(), TestCaseError> {
    if let Err(errors) = Policy::parse(text) {
        prop_assert!(!errors.as_slice().is_empty());
        prop_assert!(errors.as_slice().is_sorted_by_key(|error| error.span.start));
        for error in &errors {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error);
            prop_assert!(error.line >= 1 && error.column >= 1, "{:?}", error);
            prop_assert!((error.line, error.column) <= error.end, "{:?}", error);
            prop_assert!(error.line <= text.split('\n').count(), "{:?}", error);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn pieces_of_policies(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
        check(&pieces.concat())?;
        check(&format!("version = 1\n{}", pieces.concat()))?;
    }

    /// A valid file with bytes taken out, doubled or put in.
    #[test]
    fn mutated_policies(
        changes in prop::collection::vec((any::<Index>(), 0_usize..40, prop::sample::select(PIECES)), 1..4),
    ) {
        let mut text = SHOP.to_owned();
        for (place, length, piece) in changes {
            let mut start = place.index(text.len().max(1));
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let mut end = (start + length).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(start..end, piece);
        }
        check(&text)?;
    }

    /// Every value of a valid file replaced by a value of another kind.
    #[test]
    fn values_of_another_kind(line in any::<Index>(), value in prop::sample::select(&[
        "1", "-9223372036854775808", "1.5", "true", "\"\"", "\"x\"", "[]", "[1]", "[[]]", "{}", "{ a = 1 }",
        "2027-01-31", "07:32:00", "\"\\u0000\"", "[\"x\", \"x\"]",
    ][..])) {
        let lines: Vec<&str> = SHOP.lines().collect();
        let chosen = line.index(lines.len());
        let changed: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(number, line)| match line.split_once(" = ") {
                Some((key, _)) if number == chosen => format!("{key} = {value}"),
                _ => (*line).to_owned(),
            })
            .collect();
        check(&changed.join("\n"))?;
    }

    /// A suggestion for a value is itself a right value, so that taking it never leads to the next fault.
    #[test]
    fn suggestions_are_right(text in "[0-9]{0,11} ?(per|/|requests per)? ?[0-9]{0,3} ?(s|m|h|d|min|hours|days|kb|KiB|gb)?|\\PC*") {
        if let Err(fault) = text.parse::<Rate>() {
            prop_assert!(fault.suggestion.is_none_or(|rate| rate.parse::<Rate>().is_ok()));
        }
        if let Err(fault) = text.parse::<ByteCount>() {
            prop_assert!(fault.suggestion.is_none_or(|size| size.parse::<ByteCount>().is_ok()));
        }
        if let Err(fault) = text.parse::<MediaType>() {
            prop_assert!(fault.suggestion.is_none_or(|one| one.parse::<MediaType>().is_ok()));
        }
        for fault in [
            text.parse::<PathTemplate>().err(),
            text.parse::<EventTarget>().err(),
            text.parse::<SecretRef>().err(),
            text.parse::<GuardSymbol>().err(),
            text.parse::<RouteName>().err(),
            text.parse::<Name>().err(),
            text.parse::<LimitKey>().err(),
            text.parse::<Date>().err(),
            text.parse::<PathGlob>().err(),
        ]
        .into_iter()
        .flatten()
        {
            prop_assert!(fault.at.start <= fault.at.end && fault.at.end <= text.len().max(1), "{:?}", fault);
        }
    }

    /// The same of addresses: what is suggested is right, and what is read is printed as it is read again.
    #[test]
    fn addresses_are_read_once(
        text in "(https?://)?(u@)?(\\[?[0-9a-fF:.]{1,12}\\]?|[a-zA-Z0-9.-]{1,8}|\\PC{1,4})(:[0-9]{0,6})?(/|/x|\\?y)?|\\PC*",
    ) {
        check_address::<PublicUrl>(&text)?;
        check_address::<HostPattern>(&text)?;
        check_address::<Upstream>(&text)?;
    }

    #[test]
    fn networks_are_read_once(
        text in "(::ffff:|2001:db8::|::)?[0-9]{0,3}(\\.[0-9]{1,3}){0,3}(/[0-9]{0,3})?",
    ) {
        let policy = |network: &str| Policy::parse(&format!("version = 1\ntrusted_proxies = [\"{network}\"]"));
        match policy(&text) {
            Ok(read) => {
                let shown = read.trusted_proxies()[0];
                prop_assert!(shown == shown.trunc() && shown.prefix_len() >= 8, "{}", shown);
                prop_assert!(policy(&shown.to_string()).is_ok(), "{}", shown);
            }
            Err(errors) => {
                let error = &errors.as_slice()[0];
                let right = error.suggestion.as_ref().is_none_or(|meant| policy(meant).is_ok());
                prop_assert!(right, "{}", error);
            }
        }
    }
}

fn check_address<T>(text: &str) -> Result<(), TestCaseError>
where
    T: FromStr<Err = Malformed> + ToString + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(read) => prop_assert_eq!(read.to_string().parse::<T>(), Ok(read)),
        Err(fault) => {
            let at = &fault.at;
            prop_assert!(
                at.start <= at.end && at.end <= text.len().max(1),
                "{:?}",
                fault
            );
            prop_assert!(
                text.get(at.start..at.end.min(text.len())).is_some(),
                "{:?}",
                fault
            );
            let right = fault
                .suggestion
                .as_ref()
                .is_none_or(|meant| meant.parse::<T>().is_ok());
            prop_assert!(right, "{:?}", fault);
        }
    }
    Ok(())
}
