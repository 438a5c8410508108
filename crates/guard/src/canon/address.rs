//! Addresses and ports in text: one spelling each, and mapped IPv4 addresses as what they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Four plain decimal octets: no leading zeros (octal to some), no hexadecimal, no short forms.
pub(super) fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    // The parser of the standard library takes exactly this form since Rust 1.55 (CVE-2021-29922).
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// 1 to 65535 without leading zeros.
pub(super) fn port(digits: &[u8]) -> Option<u16> {
    if digits.starts_with(b"0") || digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// An IPv4 address in the clothes of IPv6 (`::ffff:10.0.0.1`) as the IPv4 address it is (RFC 4291 §2.5.5.2).
pub(super) fn unmapped(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// An address as proxies write it into a list: bare, or with a port; IPv6 in brackets where there is a port.
///
/// None for everything else, and for the unspecified address, which is nobody's. Zones are refused: they mean
/// something on the proxy's machine only.
pub(super) fn node_address(text: &[u8]) -> Option<IpAddr> {
    let address = match text {
        [b'[', rest @ ..] => {
            let (inner, after) = rest.split_at_checked(memchr::memchr(b']', rest)?)?;
            match after {
                [b']'] => {}
                [b']', b':', digits @ ..] => {
                    port(digits)?;
                }
                _ => return None,
            }
            IpAddr::V6(ipv6(inner)?)
        }
        _ => bare(text)?,
    };
    let address = unmapped(address);
    (!address.is_unspecified()).then_some(address)
}

fn bare(text: &[u8]) -> Option<IpAddr> {
    let Some(first) = memchr::memchr(b':', text) else {
        return ipv4(text).map(IpAddr::V4);
    };
    let (before, after) = text.split_at_checked(first)?;
    let digits = after.get(1..)?;
    if digits.contains(&b':') || before.is_empty() {
        return ipv6(text).map(IpAddr::V6);
    }
    port(digits)?;
    ipv4(before).map(IpAddr::V4)
}

fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
