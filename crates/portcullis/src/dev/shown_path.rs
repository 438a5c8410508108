//! A path as it is shown: what looks like a token or a mail address in it is cut short, and what stands before it is left out.

use portcullis_report::harmless_line;

/// A segment of fewer bytes is no token worth the name: 96 bits in base64url are 16.
const TOKEN_BYTES_MIN: usize = 16;

/// What is shown of a token.
const SHOWN_BYTES: usize = 4;

/// What is shown of a path at most.
const PATH_CHARS_MAX: usize = 120;

/// The path for a log. A link to set a password anew has its token in the path, and a target in the absolute form may have a password
/// before it; ids that are numbers or UUIDs stay as they are.
pub(super) fn shown_path(path: &str) -> String {
    let path = match path.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        Some(_) | None => path,
    };
    let segments: Vec<String> = path.split('/').map(shown_segment).collect();
    let path = harmless_line(&segments.join("/")).into_owned();
    match path.char_indices().nth(PATH_CHARS_MAX) {
        Some((at, _)) => format!("{}…", path.get(..at).unwrap_or_default()),
        None => path,
    }
}

fn shown_segment(segment: &str) -> String {
    if is_token(segment) || is_mail(segment) {
        let begin = segment.get(..SHOWN_BYTES).unwrap_or_default();
        format!("{begin}…")
    } else {
        segment.to_owned()
    }
}

fn is_mail(segment: &str) -> bool {
    segment.contains('@') || segment.contains("%40")
}

fn is_token(segment: &str) -> bool {
    let is_of_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~=+%".contains(&byte);
    let has = |is: fn(&u8) -> bool| segment.as_bytes().iter().any(is);
    segment.len() >= TOKEN_BYTES_MIN
        && segment.bytes().all(is_of_one)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !is_uuid(segment)
        && !is_file_name(segment)
}

fn is_uuid(segment: &str) -> bool {
    let lengths: Vec<usize> = segment.split('-').map(str::len).collect();
    let is_hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    lengths == [8, 4, 4, 4, 12] && segment.bytes().all(is_hex)
}

/// `main-3f9a8b7c6d5e4f32.js`: built files have a digest in their name.
fn is_file_name(segment: &str) -> bool {
    let ending = segment.rsplit_once('.').map_or("", |(_, ending)| ending);
    const ENDINGS: &[&str] = &[
        "avif", "css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "map", "mjs", "png",
        "svg", "ttf", "txt", "wasm", "webp", "woff", "woff2", "xml",
    ];
    ENDINGS.contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::shown_path;

    #[test]
    fn tokens_are_cut_and_ids_are_not() {
        for (path, shown) in [
            ("/", "/"),
            ("/api/items/42", "/api/items/42"),
            (
                "/orders/6f1c1b8e-3b0a-4c57-9e44-2f5a0c1d7e90/lines",
                "/orders/6f1c1b8e-3b0a-4c57-9e44-2f5a0c1d7e90/lines",
            ),
            ("/reset/9fJk3LmQ8sT2vX7z", "/reset/9fJk…"),
            ("/invite/eyJhbGciOiJIUzI1NiJ9.e30.abc/x", "/invite/eyJh…/x"),
            (
                "/_next/static/main-3f9a8b7c6d5e4f32.js",
                "/_next/static/main-3f9a8b7c6d5e4f32.js",
            ),
            ("/privacy-policy-and-imprint", "/privacy-policy-and-imprint"),
            ("/users/alice@example.com/x", "/users/alic…/x"),
            ("/users/a%40b.example", "/users/a%40…"),
            ("http://user:secret@shop.test/a", "/a"),
            ("http://user:secret@shop.test", "/"),
            ("/go/http://shop.test", "/go/http://shop.test"),
            ("/a\u{1b}[31m", "/a\\u{1b}[31m"),
        ] {
            assert_eq!(shown_path(path), shown);
        }
        assert_eq!(shown_path(&"a/".repeat(200)).chars().count(), 121);
    }
}
