//! `trusted_proxies`: the networks whose word about the client's address is taken.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::Malformed;
use crate::faults::Faults;
use crate::malformed::quoted;
use crate::node::Node;
use crate::policy_file::Draft;
use crate::table_reader::list;

/// The widest networks: who trusts a wider one trusts strangers.
const PREFIX_MIN: (u8, u8) = (8, 16);

/// Bits before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// One network. [`IpNet`] is not ours, so its reading has a type of its own.
#[derive(PartialEq)]
struct Network(IpNet);

impl FromStr for Network {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = read_network(text).ok_or_else(|| {
            let message = format!("{} is no network like `10.0.0.0/8`", quoted(text));
            Malformed::whole(text, message)
        })?;
        match fault_of(network) {
            None => Ok(Self(network)),
            Some((message, meant)) => {
                // What is suggested is right, or it is not suggested.
                let meant = meant.filter(|meant| fault_of(*meant).is_none());
                Err(Malformed::whole(text, message).perhaps(meant.map(shown)))
            }
        }
    }
}

/// An address is a network of one. Addresses are read by the standard library: `ipnet` itself takes `010.0.0.0`, which
/// is 10 to some readers and 8 to others.
fn read_network(text: &str) -> Option<IpNet> {
    let Some((address, prefix)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let plain = prefix.bytes().all(|byte| byte.is_ascii_digit()) && !prefix.starts_with("00");
    let prefix = prefix.parse::<u8>().ok().filter(|_| plain)?;
    IpNet::new(address.parse().ok()?, prefix).ok()
}

/// What is wrong with a network, and what was probably meant.
fn fault_of(network: IpNet) -> Option<(String, Option<IpNet>)> {
    if let IpNet::V6(network) = network
        && let Some(meant) = mapped(network)
    {
        // CVE-2026-90711: `::ffff:10.0.0.0/8` was read as `::/8`, and everybody was trusted.
        let message =
            "an IPv4 network is not written as IPv6: clients are known by their IPv4 address";
        return Some((message.to_owned(), meant));
    }
    let prefix = network.prefix_len();
    if prefix == 0 {
        return Some(("this would trust every client".to_owned(), None));
    }
    let least = match network {
        IpNet::V4(_) => PREFIX_MIN.0,
        IpNet::V6(_) => PREFIX_MIN.1,
    };
    if prefix < least {
        let message = format!("this is too wide to be trusted: use `/{least}` or narrower");
        return Some((message, None));
    }
    let whole = network.trunc();
    (whole != network).then(|| {
        let message = format!("the address has bits beyond its `/{prefix}`");
        (message, Some(whole))
    })
}

/// Whether a network has to do with IPv4-mapped addresses, and the IPv4 network that was meant.
fn mapped(network: Ipv6Net) -> Option<Option<IpNet>> {
    let address = network.addr().to_ipv4_mapped();
    let prefix = network.prefix_len();
    match address {
        Some(address) => {
            // A prefix that is short of the mapped part was meant for the IPv4 address.
            let short = prefix.checked_sub(MAPPED_PREFIX).unwrap_or(prefix);
            let meant = Ipv4Net::new(address, short)
                .ok()
                .map(|one| IpNet::V4(one.trunc()));
            Some(meant)
        }
        None if network.contains(&Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0)) && prefix > 0 => {
            Some(None)
        }
        None => None,
    }
}

/// A network of one address is written as the address.
fn shown(network: IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

/// Reads `trusted_proxies`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let networks: Vec<Network> = list(node, false, faults).unwrap_or_default();
    draft.policy.trusted_proxies = networks.into_iter().map(|network| network.0).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_at_the_edges() {
        for (text, expected) in [
            ("10.0.0.0/8", Ok("10.0.0.0/8")),
            ("10.0.0.7", Ok("10.0.0.7/32")),
            ("10.0.0.7/32", Ok("10.0.0.7/32")),
            ("2001:db8::/32", Ok("2001:db8::/32")),
            ("fd00::/16", Ok("fd00::/16")),
            ("::1", Ok("::1/128")),
            ("0.0.0.0/0", Err(None)),
            ("::/0", Err(None)),
            ("10.0.0.0/7", Err(None)),
            ("fc00::/15", Err(None)),
            ("10.0.0.1/8", Err(Some("10.0.0.0/8"))),
            ("2001:db8::1/32", Err(Some("2001:db8::/32"))),
            ("::ffff:10.0.0.0/104", Err(Some("10.0.0.0/8"))),
            ("::ffff:10.0.0.0/8", Err(Some("10.0.0.0/8"))),
            ("::ffff:10.0.0.1", Err(Some("10.0.0.1"))),
            ("::ffff:10.1.2.3/104", Err(Some("10.0.0.0/8"))),
            ("::ffff:0.0.0.0/96", Err(None)),
            ("::ffff:0:0/97", Err(None)),
            ("::/16", Err(None)),
            ("::/80", Err(None)),
            ("10.0.0.0/33", Err(None)),
            ("10.0.0/8", Err(None)),
            ("010.0.0.0/8", Err(None)),
            ("10.0.0.0/+8", Err(None)),
            ("10.0.0.0/", Err(None)),
            ("proxy.example.com", Err(None)),
            ("*", Err(None)),
            ("", Err(None)),
        ] {
            let read = text.parse::<Network>();
            let read = read
                .map(|one| one.0.to_string())
                .map_err(|fault| fault.suggestion);
            let expected = expected
                .map(str::to_owned)
                .map_err(|meant| meant.map(str::to_owned));
            assert_eq!(read, expected, "{text}");
        }
    }
}
