//! Addresses and ports in text: one spelling each, and mapped IPv4 addresses as what they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Four plain decimal octets: no leading zeros (octal to some, CVE-2021-29922), no hexadecimal, no short forms.
///
/// What the parser of the standard library takes, in a third of its steps: every request has a host.
pub(super) fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut address, mut dots, mut octet) = (0_u32, 0, None);
    for byte in text {
        match (byte, octet) {
            (b'0'..=b'9', None) => octet = Some(u32::from(*byte - b'0')),
            // A zero stands alone.
            (b'0'..=b'9', Some(value @ 1..)) => {
                let more = value * 10 + u32::from(*byte - b'0');
                octet = Some(more).filter(|value| *value <= 255);
                octet?;
            }
            (b'.', Some(value)) if dots < 3 => {
                address = (address << 8) | value;
                dots += 1;
                octet = None;
            }
            _ => return None,
        }
    }
    let last = octet.filter(|_| dots == 3)?;
    Some(Ipv4Addr::from((address << 8) | last))
}

/// 1 to 65535 without leading zeros.
pub(super) fn port(digits: &[u8]) -> Option<u16> {
    if digits.starts_with(b"0") || digits.len() > 5 {
        return None;
    }
    let mut number = 0_u32;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u32::from(*digit - b'0');
    }
    u16::try_from(number).ok().filter(|port| *port > 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        let octets = [
            "", "0", "00", "01", "1", "9", "10", "99", "100", "255", "256", "999", "1000", "a",
            "0x1", "+1", " 1",
        ];
        for first in octets {
            for second in octets {
                for text in [
                    format!("{first}.{second}.3.4"),
                    format!("1.2.{first}.{second}"),
                    format!("1.{first}.{second}"),
                    format!("1.2.3.4{first}.{second}"),
                    format!("{first}{second}"),
                ] {
                    assert_eq!(ipv4(text.as_bytes()), text.parse().ok(), "{text}");
                }
            }
        }
        assert_eq!(ipv4(b"1.2.3.4."), None);
        assert_eq!(ipv4(b"1.2.3.\xff"), None);
    }

    #[test]
    fn ports_are_those_of_the_standard_library_without_leading_zeros() {
        for text in [
            "", "0", "1", "80", "080", "65535", "65536", "99999", "100000", "+80", "8a",
        ] {
            let expected: Option<u16> = text.parse().ok();
            let expected = expected.filter(|_| !text.starts_with(['0', '+']));
            assert_eq!(port(text.as_bytes()), expected, "{text}");
        }
    }
}
