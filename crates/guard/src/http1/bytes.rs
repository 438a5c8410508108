//! Which bytes may stand where, as tables, and a search that looks at many bytes at once.

/// A table of 256 answers for a set of bytes.
const fn table_of(set: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut rest = set;
    while let [byte, tail @ ..] = rest {
        table = with(table, *byte);
        rest = tail;
    }
    table
}

#[expect(
    clippy::indexing_slicing,
    reason = "a byte is always a place in a table of 256, and this runs when the crate is compiled"
)]
const fn with(mut table: [bool; 256], byte: u8) -> [bool; 256] {
    table[byte as usize] = true;
    table
}

/// RFC 9110 §5.6.2: `tchar`.
const TOKEN: [bool; 256] =
    table_of(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// Whether a byte may stand in a token: a method, a field name.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

/// The length of the token at the beginning of a text.
pub(crate) fn token_len(text: &[u8]) -> usize {
    text.iter()
        .position(|byte| !is_token(*byte))
        .unwrap_or(text.len())
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The place of the first byte that is no printable ASCII character and no space; the length if there is none.
pub(crate) fn printable_len(text: &[u8]) -> usize {
    // Long values first by blocks, in which nothing is told apart.
    let (blocks, _) = text.as_chunks::<32>();
    let is_printable = |byte: &u8| byte.wrapping_sub(b' ') <= b'~' - b' ';
    let is_good = |block: &&[u8; 32]| {
        block
            .iter()
            .fold(true, |all, byte| all & is_printable(byte))
    };
    let mut at = blocks.iter().take_while(is_good).count() * 32;
    let mut rest = text.get(at..).unwrap_or_default();
    while let Some((eight, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        // Each subtraction borrows from the next byte only where a byte was found, so the lowest mark is exact.
        let control = word.wrapping_sub(LOW_BITS * 0x20) & !word;
        let deleted = word ^ (LOW_BITS * 0x7f);
        let delete = deleted.wrapping_sub(LOW_BITS) & !deleted;
        let marks = (control | delete | word) & HIGH_BITS;
        if marks != 0 {
            // The number of trailing zeros is below 64, so eight of them make a place below 8.
            return at + usize::try_from(marks.trailing_zeros() / 8).unwrap_or(0);
        }
        at += 8;
        rest = tail;
    }
    let tail = rest
        .iter()
        .position(|byte| !matches!(byte, b' '..=b'~'))
        .unwrap_or(rest.len());
    at + tail
}

/// The text without spaces and tabs at both ends (RFC 9110 §5.5: optional whitespace is no part of a value).
pub(crate) fn trimmed(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_search_finds_what_a_byte_search_finds() {
        for place in (0..20).chain([31, 32, 33, 63, 64, 79]) {
            let length = if place < 20 { 20 } else { 80 };
            for byte in 0..=255_u8 {
                for other in [b' ', b'~', 0, 0x1f, 0x7f, 0x80, 0xff] {
                    let mut text = vec![b'a'; length];
                    text[place] = byte;
                    text[(place + 1) % length] = other;
                    let plain = text
                        .iter()
                        .position(|one| !matches!(one, b' '..=b'~'))
                        .unwrap_or(length);
                    assert_eq!(printable_len(&text), plain, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_token_has_the_characters_of_the_standard() {
        let count = (0..=255).filter(|byte| is_token(*byte)).count();
        assert_eq!(count, 15 + 10 + 52);
        assert!(!is_token(b':') && !is_token(b' ') && !is_token(0) && !is_token(b'('));
        assert_eq!(token_len(b"Host: a"), 4);
        assert_eq!(trimmed(b" \t a b\t "), b"a b");
    }
}
