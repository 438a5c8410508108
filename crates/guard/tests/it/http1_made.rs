//! Heads made from text, for the tests of what is read from them.

use portcullis_guard::http1::{
    HeadBounds, HeadFault, Parsed, RequestHead, ResponseFault, ResponseHead, parse_request_head,
    parse_response_head,
};
use portcullis_policy::Method;

/// A request line for `/`, a host, these lines, and the empty line.
pub(crate) fn get(lines: &[&str]) -> Vec<u8> {
    with("GET / HTTP/1.1", lines)
}

/// A first line, a host, these lines, and the empty line.
pub(crate) fn with(first: &str, lines: &[&str]) -> Vec<u8> {
    let mut text = format!("{first}\r\nHost: shop.example.com\r\n");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Reads a whole request head.
pub(crate) fn request(bytes: &[u8]) -> Result<RequestHead, HeadFault> {
    match parse_request_head(bytes, &HeadBounds::STANDARD)? {
        Parsed::Complete { head, len } => {
            assert!(len <= bytes.len());
            Ok(head)
        }
        Parsed::Incomplete => panic!("incomplete: {}", bytes.escape_ascii()),
    }
}

/// The reason a request head is refused for.
pub(crate) fn refused(bytes: &[u8]) -> &'static str {
    match parse_request_head(bytes, &HeadBounds::STANDARD) {
        Err(fault) => fault.reason(),
        Ok(_) => panic!("not refused: {}", bytes.escape_ascii()),
    }
}

/// Reads a whole response head, as the answer to this method.
pub(crate) fn response(bytes: &[u8], method: Method) -> Result<ResponseHead, ResponseFault> {
    match parse_response_head(bytes, &HeadBounds::STANDARD, method)? {
        Parsed::Complete { head, len } => {
            assert!(len <= bytes.len());
            Ok(head)
        }
        Parsed::Incomplete => panic!("incomplete: {}", bytes.escape_ascii()),
    }
}
