//! A request head has one answer however it arrives, and what was read of it is written and read alike.

use portcullis_guard::http1::{
    Framing, HeadBounds, Parsed, RequestHead, Role, Version, head_may_be_complete,
    parse_request_head,
};

const SMALL: HeadBounds = HeadBounds {
    head_bytes_max: 160,
    target_bytes_max: 24,
    fields_max: 5,
};

pub(crate) fn check(data: &[u8]) {
    for bounds in [HeadBounds::STANDARD, SMALL] {
        let whole = parse_request_head(data, &bounds);
        arrives_in_pieces(data, &bounds, &whole);
        if let Ok(Parsed::Complete { head, len }) = whole {
            assert!(data[..len].ends_with(b"\r\n\r\n"));
            judge(&head, data);
            written_is_read_alike(&head, data);
        }
    }
}

/// Whatever a beginning says for certain, the whole says too.
fn arrives_in_pieces(
    data: &[u8],
    bounds: &HeadBounds,
    whole: &Result<Parsed<RequestHead>, portcullis_guard::http1::HeadFault>,
) {
    let step = data.len() / 64 + 1;
    for seen in (0..data.len()).step_by(step) {
        let part = parse_request_head(&data[..seen], bounds);
        if part != Ok(Parsed::Incomplete) {
            assert_eq!(&part, whole, "the first {seen} bytes say something else");
            return;
        }
        if matches!(whole, Ok(Parsed::Complete { .. })) {
            assert!(head_may_be_complete(data, seen), "after {seen} bytes");
        }
    }
}

fn judge(head: &RequestHead, data: &[u8]) {
    let target = head.target(data);
    assert!(!target.is_empty() && target.iter().all(u8::is_ascii_graphic));
    let hosts = head.fields().iter().filter(|one| one.role == Role::Host);
    assert_eq!(hosts.count(), 1);
    for field in head.fields() {
        let (name, value) = (field.name.of(data), field.value.of(data));
        let is_token =
            |byte: &u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte);
        assert!(!name.is_empty() && name.iter().all(is_token));
        assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        assert_eq!(value, value.trim_ascii());
    }
    let has = |role| head.fields().iter().any(|field| field.role == role);
    match head.framing() {
        Framing::None => assert!(!has(Role::ContentLength) && !has(Role::TransferEncoding)),
        Framing::Length(_) => assert!(!has(Role::TransferEncoding)),
        Framing::Chunked => {
            assert!(!has(Role::ContentLength) && head.version() == Version::Http11);
        }
    }
}

fn written_is_read_alike(head: &RequestHead, data: &[u8]) {
    let mut out = format!("{} ", head.method()).into_bytes();
    out.extend_from_slice(head.target(data));
    out.extend_from_slice(match head.version() {
        Version::Http11 => b" HTTP/1.1\r\n",
        Version::Http10 => b" HTTP/1.0\r\n",
    });
    for field in head.fields() {
        out.extend_from_slice(field.name.of(data));
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value.of(data));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    // A space after each colon may be more than the head had.
    let roomy = HeadBounds {
        head_bytes_max: HeadBounds::STANDARD.head_bytes_max * 2,
        ..HeadBounds::STANDARD
    };
    let Ok(Parsed::Complete { head: other, len }) = parse_request_head(&out, &roomy) else {
        panic!("not read again: {}", out.escape_ascii());
    };
    assert_eq!(len, out.len());
    assert_eq!(meaning(head, data), meaning(&other, &out));
}

/// All that was decided about a head, without the places in its buffer.
fn meaning(head: &RequestHead, buf: &[u8]) -> String {
    let fields: Vec<_> = head
        .fields()
        .iter()
        .map(|field| (field.name.of(buf), field.value.of(buf), field.role))
        .collect();
    format!(
        "{:?}",
        (
            (head.method(), head.target(buf), head.version(), fields),
            (head.framing(), head.keep_alive()),
            (head.expects_continue(), head.has_upgrade()),
        )
    )
}
