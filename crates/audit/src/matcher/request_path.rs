//! Puts a request path into the form that Clerk's matchers test.

/// Percent-decodes as `decodeURI` does and folds repeated slashes; `None` where `decodeURI` throws.
pub(super) fn clerk(path: &str) -> Option<String> {
    let decoded = decode_uri(path)?;
    let mut folded = String::with_capacity(decoded.len());
    for c in decoded.chars() {
        if c != '/' || !folded.ends_with('/') {
            folded.push(c);
        }
    }
    Some(folded)
}

/// `decodeURI`: what would become one of the reserved characters stays as it is.
fn decode_uri(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let (&[high, low], after) = tail.split_first_chunk::<2>()?;
        let unit = hex(high)? * 16 + hex(low)?;
        if b";/?:@&=+$,#".contains(&unit) {
            bytes.extend_from_slice(&[first, high, low]);
        } else {
            bytes.push(unit);
        }
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}
