//! Every field has one reading, and what a browser would send for it names a cookie of the guard only if the field is
//! told to be one. The data are the value of one field.

use portcullis_guard::canon::cookies::{is_own, pairs_of};
use portcullis_guard::canon::{ATTRIBUTE_BYTES_MAX, SetCookie};

pub(crate) fn check(data: &[u8]) {
    let cookie = SetCookie::read(data);
    let (name, value) = (cookie.name(), cookie.value());
    for text in [name, value] {
        assert!(!text.contains(&b';') && is_bare(text));
    }
    assert!(!name.contains(&b'='));
    assert!(name.len() + value.len() <= data.len());

    // What was read is read alike when it is written again.
    let pair = [name, b"=", value].concat();
    let again = SetCookie::read(&pair);
    assert_eq!((again.name(), again.value()), (name, value));
    assert_eq!(
        (again.is_own(), again.is_too_long()),
        (cookie.is_own(), cookie.is_too_long())
    );
    assert_eq!(again.attributes().count(), 0);

    for one in cookie.attributes() {
        assert!(!one.name.is_empty() && one.value.len() <= ATTRIBUTE_BYTES_MAX);
        assert!(is_bare(one.name) && is_bare(one.value) && !one.name.contains(&b'='));
        assert!(!one.name.contains(&b';') && !one.value.contains(&b';'));
    }

    // A browser sends the name and the value, or the value alone where there is no name.
    let sent = if name.is_empty() {
        value
    } else {
        pair.as_slice()
    };
    let names_own = pairs_of(sent).any(|(name, value)| is_own(name, value));
    assert!(cookie.is_own() || !names_own);

    // Neither letter case nor what stands before it hides one.
    for before in [&b" "[..], b"\t", b"\"", b"\xe2\x80\x80", b"=", b",", b"\0"] {
        let hidden = [before, sent].concat().to_ascii_uppercase();
        assert!(!names_own || SetCookie::read(&hidden).is_own());
    }
}

/// Neither a space nor a tab at either end.
fn is_bare(text: &[u8]) -> bool {
    let ends = [text.first(), text.last()];
    !ends.contains(&Some(&b' ')) && !ends.contains(&Some(&b'\t'))
}
