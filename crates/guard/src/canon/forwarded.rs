//! `Forwarded` as RFC 7239 §4 writes it, read strictly and as a whole.
//!
//! Quotes make the list unreadable from its end: a client could leave one open, and swallow what the proxy appended.
//! So all elements are read from the left, and one fault refuses the field.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::address::node_address;
use super::fault::ClientFault;
use crate::http1::token_len;

/// One hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'b> {
    /// The address in `for=`. None where there is none, where it is hidden (`_name`, `unknown`) or no address.
    pub(super) node: Option<IpAddr>,
    /// The text of `proto=`.
    pub(super) proto: Option<&'b [u8]>,
    /// The text of `host=`.
    pub(super) host: Option<&'b [u8]>,
}

/// Hops in the order of the field.
pub(super) type Elements<'b> = SmallVec<[Element<'b>; 8]>;

/// Reads all fields as one list.
pub(super) fn elements<'b>(
    values: impl Iterator<Item = &'b [u8]>,
) -> Result<Elements<'b>, ClientFault> {
    let mut elements = Elements::new();
    for value in values {
        let mut rest = value;
        loop {
            let (element, after) = element(rest)?;
            elements.push(element);
            match after.split_first() {
                Some((_comma, more)) => rest = more,
                None => break,
            }
        }
    }
    Ok(elements)
}

/// One element, and what follows from its comma.
fn element(text: &[u8]) -> Result<(Element<'_>, &[u8]), ClientFault> {
    let mut element = Element::default();
    let mut names: SmallVec<[&[u8]; 4]> = SmallVec::new();
    let mut rest = text;
    loop {
        let Pair { name, value, after } = pair(without_space(rest))?;
        if names.iter().any(|one| one.eq_ignore_ascii_case(name)) {
            return Err(ClientFault::ForwardedMalformed);
        }
        names.push(name);
        if name.eq_ignore_ascii_case(b"for") {
            element.node = node(value);
        } else if name.eq_ignore_ascii_case(b"proto") {
            element.proto = Some(value);
        } else if name.eq_ignore_ascii_case(b"host") {
            element.host = Some(value);
        }
        let after = without_space(after);
        match after.split_first() {
            Some((b';', more)) => rest = more,
            Some((b',', _)) | None => return Ok((element, after)),
            Some(_) => return Err(ClientFault::ForwardedMalformed),
        }
    }
}

/// One parameter of an element.
struct Pair<'b> {
    name: &'b [u8],
    /// Without its quotes.
    value: &'b [u8],
    /// What follows it.
    after: &'b [u8],
}

/// `name=value`, without spaces around the sign.
fn pair(text: &[u8]) -> Result<Pair<'_>, ClientFault> {
    let malformed = ClientFault::ForwardedMalformed;
    let (name, rest) = text.split_at_checked(token_len(text)).ok_or(malformed)?;
    let Some((b'=', written)) = rest.split_first() else {
        return Err(malformed);
    };
    if name.is_empty() {
        return Err(malformed);
    }
    if let Some((b'"', quoted)) = written.split_first() {
        let end = memchr::memchr2(b'"', b'\\', quoted).ok_or(malformed)?;
        let (value, after) = quoted.split_at_checked(end).ok_or(malformed)?;
        // Nothing that is written here needs a quoted pair, so one is a second spelling.
        return match after.split_first() {
            Some((b'"', after)) => Ok(Pair { name, value, after }),
            Some(_) | None => Err(malformed),
        };
    }
    let (value, after) = written
        .split_at_checked(token_len(written))
        .ok_or(malformed)?;
    if value.is_empty() {
        return Err(malformed);
    }
    Ok(Pair { name, value, after })
}

/// RFC 7239 §6: an IPv6 address stands in brackets. Without them its end could be a port.
fn node(value: &[u8]) -> Option<IpAddr> {
    let colons = value.iter().filter(|byte| **byte == b':').count();
    if colons > 1 && !value.starts_with(b"[") {
        return None;
    }
    node_address(value)
}

/// The text without the spaces and tabs at its beginning.
fn without_space(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}
