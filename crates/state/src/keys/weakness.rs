//! `Weakness`: by what a key shows that nobody drew it at random, or that others know it.
//!
//! Each check is exact and refuses a key of 32 random bytes once in ten million times at most, most of them far less; the
//! numbers stand beside them. What passes is not proved to be random: nothing can prove that of a key.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::encoding::Encoding;

/// The fewest different bytes in a key. 32 random bytes have fewer once in 10^16 times.
const DIFFERENT_MIN: usize = 16;

/// The longest run of one byte. A run of six is in 32 random bytes once in 10^10 times.
const RUN_MAX: usize = 5;

/// What is written where a secret should be, without what separates words. In 43 random letters of base64 one of them
/// stands once in 10^7 times.
const WORDS: &[&[u8]] = &[
    b"changeme",
    b"changethis",
    b"default",
    b"development",
    b"example",
    b"insecure",
    b"password",
    b"placeholder",
    b"production",
    b"replaceme",
    b"replacethis",
    b"secret",
    b"yourkey",
];

/// The first eight bytes of the SHA-256 of each key that others published and no other check refuses, in hex, a line each, in
/// order. Where they come from: `known_weak.NOTICE.txt`; how they are made: `examples/known_weak.rs`.
const KNOWN: &[u8] = include_bytes!("known_weak.txt");

/// By what a key shows that it is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It is words in base64.
    Words,
    /// Its letters are of one case, as those of a sentence are.
    OneCase,
    /// It is text that somebody encoded.
    Text,
    /// It is a shorter one, repeated.
    Repeats,
    /// Each byte follows from the one before.
    Counts,
    /// It has the same byte many times in a row, as a short secret that was filled up.
    Run,
    /// It has few different bytes.
    FewBytes,
    /// It is on a public list.
    Known,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Words => "has words in it, which no random one has",
            Self::OneCase => {
                "has letters of one case only, which no random base64 has, and is not hex"
            }
            Self::Text => "is text that was encoded, and no random bytes",
            Self::Repeats => "is a shorter one, repeated",
            Self::Counts => "counts up or down",
            Self::Run => "has the same byte many times in a row",
            Self::FewBytes => "has too few different bytes",
            Self::Known => "is on a public list of secrets",
        })
    }
}

/// The first weakness of a key, as it is written and as it is decoded.
pub(super) fn weakness(encoding: Encoding, text: &[u8], key: &[u8]) -> Option<Weakness> {
    uncommon(encoding, text, key).or_else(|| is_known(key).then_some(Weakness::Known))
}

/// The same without the list.
pub(super) fn uncommon(encoding: Encoding, text: &[u8], key: &[u8]) -> Option<Weakness> {
    let is_base64 = encoding == Encoding::Base64;
    let checks = [
        (is_base64 && has_words(text), Weakness::Words),
        (is_base64 && is_of_one_case(text), Weakness::OneCase),
        (is_text(key), Weakness::Text),
        (repeats(key), Weakness::Repeats),
        (counts(key), Weakness::Counts),
        (longest_run(key) > RUN_MAX, Weakness::Run),
        (different(key) < DIFFERENT_MIN, Weakness::FewBytes),
    ];
    let found = checks.into_iter().find(|(is_weak, _)| *is_weak);
    found.map(|(_, weakness)| weakness)
}

fn has_words(text: &[u8]) -> bool {
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    let kept = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.extend(kept.map(u8::to_ascii_lowercase));
    WORDS
        .iter()
        .any(|word| letters.windows(word.len()).any(|part| part == *word))
}

/// 43 random letters of base64 are so once in 10^9 times.
fn is_of_one_case(text: &[u8]) -> bool {
    !text.iter().any(u8::is_ascii_lowercase) || !text.iter().any(u8::is_ascii_uppercase)
}

/// 32 random bytes are UTF-8 without control characters once in 10^11 times.
fn is_text(key: &[u8]) -> bool {
    str::from_utf8(key).is_ok_and(|text| {
        text.chars()
            .all(|one| !one.is_control() || matches!(one, '\t' | '\n' | '\r'))
    })
}

fn different(key: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in key {
        if let Some(one) = seen.get_mut(usize::from(*byte)) {
            *one = true;
        }
    }
    seen.into_iter().filter(|one| *one).count()
}

fn longest_run(key: &[u8]) -> usize {
    key.chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or_default()
}

/// Whether all of it follows from its first half or less.
fn repeats(key: &[u8]) -> bool {
    (1..=key.len() / 2).any(|period| key.iter().zip(key.iter().skip(period)).all(|(a, b)| a == b))
}

fn counts(key: &[u8]) -> bool {
    let mut steps = key
        .iter()
        .zip(key.iter().skip(1))
        .map(|(a, b)| b.wrapping_sub(*a));
    steps
        .next()
        .is_some_and(|first| steps.all(|step| step == first))
}

fn is_known(key: &[u8]) -> bool {
    let row = row(key);
    let (rows, _) = KNOWN.as_chunks::<ROW_BYTES>();
    rows.binary_search(&row).is_ok()
}

/// 16 digits of hex and the end of the line.
const ROW_BYTES: usize = 17;

/// What stands in the list for a key.
pub(super) fn row(key: &[u8]) -> [u8; ROW_BYTES] {
    let hash = digest(&SHA256, key);
    let mut row = [b'\n'; ROW_BYTES];
    let (pairs, _) = row.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(hash.as_ref()) {
        *pair = [byte >> 4, byte & 0xf].map(|digit| match digit {
            0..=9 => b'0' + digit,
            _ => b'a' + digit - 10,
        });
    }
    row
}

#[cfg(test)]
mod tests {
    use super::super::encoding::decoded;
    use super::*;

    fn judged(text: &str) -> Option<Weakness> {
        let (encoding, key) = decoded(text.as_bytes()).expect(text);
        weakness(encoding, text.as_bytes(), &key)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// 32 bytes that nobody would write: the digest of a word.
    fn drawn() -> [u8; 32] {
        digest(&SHA256, b"drawn").as_ref().try_into().unwrap()
    }

    #[test]
    fn each_weakness_at_its_edge() {
        let key = drawn();
        let half = &key[..16];
        let run = |length: usize| {
            let mut run = key;
            run[10..10 + length].fill(0);
            run.to_vec()
        };
        let counting = |step: u8| (0..32).map(|n: u8| n.wrapping_mul(step)).collect();
        let off_by_one = {
            let mut bytes: Vec<u8> = counting(7);
            bytes[31] ^= 1;
            bytes
        };
        let almost_twice = {
            let mut bytes = [&key[..], &key[..]].concat();
            bytes[63] ^= 1;
            bytes
        };
        let rows: Vec<(Vec<u8>, Option<Weakness>)> = vec![
            (key.to_vec(), None),
            (run(5), None),
            (run(6), Some(Weakness::Run)),
            ([half, half].concat(), Some(Weakness::Repeats)),
            ([half, half, &half[..3]].concat(), Some(Weakness::Repeats)),
            (almost_twice, None),
            (counting(1), Some(Weakness::Counts)),
            (counting(255), Some(Weakness::Counts)),
            (counting(17), Some(Weakness::Counts)),
            (off_by_one, None),
            (vec![0; 32], Some(Weakness::Repeats)),
            ([0xff; 33].to_vec(), Some(Weakness::Repeats)),
            (
                b"correct horse battery staple, again".to_vec(),
                Some(Weakness::Text),
            ),
            (
                "ключ от квартиры, где деньги лежат".into(),
                Some(Weakness::Text),
            ),
            (hex(&key).into_bytes(), Some(Weakness::Text)),
        ];
        for (bytes, expected) in rows {
            assert_eq!(judged(&hex(&bytes)), expected, "{}", hex(&bytes));
        }
    }

    #[test]
    fn few_different_bytes_are_counted() {
        // Drawn from an alphabet: 15 bytes are too few, 16 are enough.
        let of = |size: u8| -> Vec<u8> {
            let picks = [digest(&SHA256, b"one"), digest(&SHA256, b"two")];
            let drawn = picks.iter().flat_map(|pick| pick.as_ref().to_vec());
            let alphabet = 0..size;
            alphabet
                .chain(drawn.map(|byte| byte % size))
                .map(|letter| letter.wrapping_mul(151) ^ 0xc3)
                .collect()
        };
        assert_eq!(judged(&hex(&of(15))), Some(Weakness::FewBytes));
        assert_eq!(judged(&hex(&of(16))), None);
    }

    #[test]
    fn words_that_pass_for_base64() {
        for (text, expected) in [
            (
                "your-super-secret-key-change-it-in-time-ok00",
                Weakness::Words,
            ),
            (
                "MyApp_ChangeMe_MyApp_Now_MyApp_Soon_MyApp000",
                Weakness::Words,
            ),
            (
                "PASS+WORD/PASS+word/abcdefghijklmnopqrstuvw0",
                Weakness::Words,
            ),
            (
                "correct-horse-battery-staple-and-so-it-goes-",
                Weakness::OneCase,
            ),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKL",
                Weakness::OneCase,
            ),
        ] {
            assert_eq!(judged(text), Some(expected), "{text}");
        }
        // Of one case as well, but it is hex.
        assert_eq!(judged(&hex(&drawn()).to_uppercase()), None);
    }

    #[test]
    fn printed_keys_are_known_in_each_spelling() {
        for text in include_str!("printed_keys.txt").lines() {
            let (_, key) = decoded(text.as_bytes()).unwrap();
            assert_eq!(judged(text), Some(Weakness::Known), "{text}");
            assert_eq!(judged(&hex(&key)), Some(Weakness::Known), "{text}");
        }
    }

    #[test]
    fn the_list_is_whole_and_in_order() {
        let (rows, rest) = KNOWN.as_chunks::<ROW_BYTES>();
        assert!(rest.is_empty() && rows.len() > 300, "{} rows", rows.len());
        assert!(rows.is_sorted_by(|a, b| a < b));
        for row in rows {
            assert!(row[..16].iter().all(u8::is_ascii_hexdigit) && row[16] == b'\n');
        }
    }
}
