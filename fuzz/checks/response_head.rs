//! A response head has one answer however it arrives, and what was read of it is written and read alike.

use portcullis_guard::http1::{
    HeadBounds, Parsed, ResponseFraming, ResponseHead, Version, parse_response_head,
};
use portcullis_policy::Method;

const SMALL: HeadBounds = HeadBounds {
    head_bytes_max: 160,
    target_bytes_max: 24,
    fields_max: 5,
};

pub(crate) fn check(data: &[u8]) {
    for method in [Method::Get, Method::Head] {
        for bounds in [HeadBounds::STANDARD, SMALL] {
            let whole = parse_response_head(data, &bounds, method);
            let step = data.len() / 64 + 1;
            for seen in (0..data.len()).step_by(step) {
                let part = parse_response_head(&data[..seen], &bounds, method);
                if part != Ok(Parsed::Incomplete) {
                    assert_eq!(part, whole, "the first {seen} bytes say something else");
                    break;
                }
            }
            if let Ok(Parsed::Complete { head, len }) = whole {
                assert!(data[..len].ends_with(b"\r\n\r\n"));
                judge(&head, method);
                written_is_read_alike(&head, data, method);
            }
        }
    }
}

fn judge(head: &ResponseHead, method: Method) {
    assert!((100..600).contains(&head.status()) && head.status() != 101);
    let is_bodiless =
        method == Method::Head || head.is_interim() || matches!(head.status(), 204 | 304);
    if is_bodiless {
        assert_eq!(head.framing(), ResponseFraming::None);
    }
    if head.framing() == ResponseFraming::UntilClose {
        assert!(!head.keep_alive());
    }
    if let ResponseFraming::Length(length) = head.framing() {
        assert_eq!(head.content_length(), Some(length));
    }
}

fn written_is_read_alike(head: &ResponseHead, data: &[u8], method: Method) {
    let version = match head.version() {
        Version::Http11 => "1.1",
        Version::Http10 => "1.0",
    };
    let mut out = format!("HTTP/{version} {} \r\n", head.status()).into_bytes();
    for field in head.fields() {
        out.extend_from_slice(field.name.of(data));
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value.of(data));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    let roomy = HeadBounds {
        head_bytes_max: HeadBounds::STANDARD.head_bytes_max * 2,
        ..HeadBounds::STANDARD
    };
    let Ok(Parsed::Complete { head: other, len }) = parse_response_head(&out, &roomy, method)
    else {
        panic!("not read again: {}", out.escape_ascii());
    };
    assert_eq!(len, out.len());
    assert_eq!(meaning(head, data), meaning(&other, &out));
}

/// All that was decided about a head, without the places in its buffer.
fn meaning(head: &ResponseHead, buf: &[u8]) -> String {
    let fields: Vec<_> = head
        .fields()
        .iter()
        .map(|field| (field.name.of(buf), field.value.of(buf), field.role))
        .collect();
    format!(
        "{:?}",
        (
            (head.status(), head.version(), fields, head.framing()),
            (head.content_length(), head.keep_alive()),
        )
    )
}
