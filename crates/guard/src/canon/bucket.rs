//! `Bucket`: an address as the key of a limit, so that one client is one key.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many clients share a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coarseness {
    /// An IPv4 address, an IPv6 /64: what one subscriber gets at the least (RFC 6177).
    Client,
    /// An IPv4 /24, an IPv6 /48.
    Site,
    /// An IPv4 /16, an IPv6 /32.
    Provider,
}

impl Coarseness {
    /// The next coarser one; none after the coarsest.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Client => Some(Self::Site),
            Self::Site => Some(Self::Provider),
            Self::Provider => None,
        }
    }
}

/// The network of a client. Networks of different size are different keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    address: [u8; 16],
    prefix_len: u8,
}

impl Bucket {
    /// The bucket of an address, which is not a mapped one: the client's type sees to that.
    ///
    /// An IPv4 client behind a translator (RFC 6052 §2.1) is in the bucket of its IPv4 address: one /64 would hold
    /// every one of them.
    pub(super) fn of(address: IpAddr, coarseness: Coarseness) -> Self {
        match translated(address) {
            IpAddr::V4(four) => {
                let prefix_len = match coarseness {
                    Coarseness::Client => 32,
                    Coarseness::Site => 24,
                    Coarseness::Provider => 16,
                };
                let kept = u32::from(four) & (u32::MAX << (32 - prefix_len));
                Self {
                    address: Ipv4Addr::from(kept).to_ipv6_mapped().octets(),
                    prefix_len: 96 + prefix_len,
                }
            }
            IpAddr::V6(six) => {
                let prefix_len = match coarseness {
                    Coarseness::Client => 64,
                    Coarseness::Site => 48,
                    Coarseness::Provider => 32,
                };
                let kept = u128::from(six) & (u128::MAX << (128 - prefix_len));
                Self {
                    address: Ipv6Addr::from(kept).octets(),
                    prefix_len,
                }
            }
        }
    }

    /// The key: the network's address (an IPv4 one mapped into IPv6), then its prefix length.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        for (place, byte) in bytes.iter_mut().zip(self.address) {
            *place = byte;
        }
        if let Some(last) = bytes.last_mut() {
            *last = self.prefix_len;
        }
        bytes
    }
}

/// The IPv4 address in `64:ff9b::/96`; every other address as it is.
fn translated(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => match six.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
            }
            _ => address,
        },
        IpAddr::V4(_) => address,
    }
}
