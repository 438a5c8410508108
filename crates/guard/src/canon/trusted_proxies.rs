//! `TrustedProxies`: the networks whose word on the client is taken.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::address::unmapped;

/// Why a network cannot be trusted. Refused when the policy is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustedFault {
    /// Every address would be trusted: anybody could say who they are.
    Everyone,
    /// An IPv6 network that holds all of `::ffff:0:0/96`, and so every IPv4 client (CVE-2026-90711). `::ffff:10.0.0.0/8`
    /// is meant as `10.0.0.0/8`.
    AllOfIpv4,
}

impl fmt::Display for TrustedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everyone => {
                "a network of prefix length 0 trusts everybody: name the proxies' own networks"
            }
            Self::AllOfIpv4 => {
                "this IPv6 network holds every mapped IPv4 address: write the IPv4 network itself, like `10.0.0.0/8`"
            }
        })
    }
}

impl std::error::Error for TrustedFault {}

/// Networks of proxies. Empty: nobody is trusted, and the peer is the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// Takes the networks of a policy. Mapped IPv4 networks are taken as the IPv4 networks they are.
    ///
    /// # Errors
    ///
    /// The place of the first network that would trust everybody, and why.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Result<Self, (usize, TrustedFault)> {
        let networks = networks
            .into_iter()
            .enumerate()
            .map(|(place, network)| judged(network).map_err(|fault| (place, fault)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { networks })
    }

    /// Whether an address belongs to one of the networks.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = unmapped(address);
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}

/// The prefix length of `::ffff:0:0/96`.
const MAPPED_PREFIX_LEN: u8 = 96;

fn judged(network: IpNet) -> Result<IpNet, TrustedFault> {
    if network.prefix_len() == 0 {
        return Err(TrustedFault::Everyone);
    }
    match network {
        IpNet::V4(_) => Ok(network.trunc()),
        IpNet::V6(six) => judged_six(six),
    }
}

fn judged_six(network: Ipv6Net) -> Result<IpNet, TrustedFault> {
    let mapped = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    if network.prefix_len() <= MAPPED_PREFIX_LEN {
        return if network.contains(&mapped) || network.addr().to_ipv4_mapped().is_some() {
            Err(TrustedFault::AllOfIpv4)
        } else {
            Ok(IpNet::V6(network.trunc()))
        };
    }
    let four = network
        .addr()
        .to_ipv4_mapped()
        .and_then(|address| Ipv4Net::new(address, network.prefix_len() - MAPPED_PREFIX_LEN).ok());
    Ok(four.map_or(IpNet::V6(network.trunc()), |net| IpNet::V4(net.trunc())))
}
