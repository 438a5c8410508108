//! What is looked for, in every spelling in which it could have been written.

use portcullis_guard::base64url;

use crate::logging_in::bytes_of_hex;

/// A value that nobody may read, or only where it belongs.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    /// What it is, for who reads that it was found.
    what: &'static str,
    spellings: Vec<Vec<u8>>,
    /// Where it belongs: the beginnings of what places are called.
    belongs: &'static [&'static str],
}

/// Of a long value this much is recognised too: a log may cut it short.
const BEGINNING: usize = 12;

impl Needle {
    pub(super) fn new(what: &'static str, value: &str) -> Self {
        let mut spellings = spellings(value.as_bytes());
        if value.len() >= 2 * BEGINNING {
            spellings.push(value.as_bytes()[..BEGINNING].to_vec());
        }
        // A secret is written in hex, and may be told as the bytes that it stands for.
        if let Some(bytes) = bytes_of_hex(value) {
            spellings.extend(self::spellings(&bytes));
        }
        Self {
            what,
            spellings,
            belongs: &[],
        }
    }

    /// One that may stand in places whose name begins so.
    pub(super) fn in_its_place(mut self, places: &'static [&'static str]) -> Self {
        self.belongs = places;
        self
    }

    fn is_in(&self, text: &[u8]) -> Option<&[u8]> {
        let found = self.spellings.iter().find(|one| holds(text, one));
        found.map(Vec::as_slice)
    }
}

/// What was found in a place; nothing if all is well.
pub(super) fn found(place: &str, text: &[u8], needles: &[Needle]) -> Vec<String> {
    needles
        .iter()
        .filter(|needle| !needle.belongs.iter().any(|begin| place.starts_with(begin)))
        .filter_map(|needle| {
            let spelling = needle.is_in(text)?;
            let at = position(text, spelling)?;
            let around = &text[at.saturating_sub(60)..(at + 120).min(text.len())];
            Some(format!(
                "{} is in {place}: ..{}..",
                needle.what,
                String::from_utf8_lossy(around)
            ))
        })
        .collect()
}

fn holds(text: &[u8], spelling: &[u8]) -> bool {
    position(text, spelling).is_some()
}

fn position(text: &[u8], spelling: &[u8]) -> Option<usize> {
    text.windows(spelling.len()).position(|one| one == spelling)
}

/// As it is, percent-encoded wholly and where it must be, in hex, and in base64 at each place that it may have in a longer text.
fn spellings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![value.to_vec()];
    for upper in [true, false] {
        let hex = |byte: u8| {
            if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            }
        };
        let plain: String = value.iter().map(|byte| hex(*byte)).collect();
        let whole: String = value
            .iter()
            .map(|byte| format!("%{}", hex(*byte)))
            .collect();
        let needed: String = value
            .iter()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                    char::from(*byte).to_string()
                } else {
                    format!("%{}", hex(*byte))
                }
            })
            .collect();
        all.extend([plain, whole, needed].map(String::into_bytes));
    }
    for before in 0..3 {
        let text = base64url::text(&[&vec![0; before], value].concat());
        // Characters of which some bits belong to a neighbour are left out.
        let begin = [0, 2, 3][before];
        let end = text.len() - usize::from(!(before + value.len()).is_multiple_of(3));
        let inner = text.get(begin..end).unwrap();
        all.push(inner.replace('-', "+").replace('_', "/").into_bytes());
        all.push(inner.as_bytes().to_vec());
    }
    all
}

/// The search itself finds what is there in each spelling, or it would find nothing for ever.
#[test]
fn each_spelling_is_found() {
    let value = "quentin.body-3xR7@example.com";
    let needle = [Needle::new("mail", value)];
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for text in [
        value.to_owned(),
        format!("a={}&b", value.replace('@', "%40")),
        hex.clone(),
        hex.to_ascii_uppercase(),
        percent.to_ascii_lowercase(),
        percent,
        base64url::text(value.as_bytes()),
        base64url::text(format!("a{value}b").as_bytes()),
        base64url::text(format!("ab{value}").as_bytes()),
        "quentin.body…".to_owned(),
    ] {
        assert_eq!(found("x", text.as_bytes(), &needle).len(), 1, "{text}");
    }
    assert!(found("x", b"quentin", &needle).is_empty());
    let secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let bytes = bytes_of_hex(secret).unwrap();
    let needle = [Needle::new("secret", secret).in_its_place(&["its file"])];
    assert_eq!(found("x", &bytes, &needle).len(), 1);
    assert!(found("its file of keys", &bytes, &needle).is_empty());
}
