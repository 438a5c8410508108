//! `ClientIp`: whose request it is, from the connection and from what trusted proxies say.
//!
//! 1. A peer that is not trusted is the client; what it says of others is not read.
//! 2. Of a trusted peer, the configured field is read from the right, which is the end that the nearest proxy wrote, and
//!    as long as each address is itself trusted. The other field is not read: a proxy passes on what it does not write.
//! 3. The first address that is not trusted is the client. If all are trusted, the left-most is.
//! 4. Which host was asked, and by which scheme, a trusted proxy is believed only where the policy says so: most proxies pass
//!    on `X-Forwarded-Host` and `X-Forwarded-Proto` as the client wrote them, and what is not believed is not read.
//! 5. A hop that cannot be read where one is needed is a refusal: who that is, nobody knows.

use std::net::IpAddr;

use portcullis_policy::ForwardedKind;

use super::address::{node_address, unmapped};
use super::bucket::{Bucket, Coarseness};
use super::fault::ClientFault;
use super::forwarded;
use super::header_set::HeaderSet;
use super::host_name::HostName;
use super::trusted_proxies::TrustedProxies;
use crate::http1::Role;

/// Which field a trusted proxy writes. Only this one is read: a proxy that writes one passes the other on unseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ForwardedBy {
    /// `X-Forwarded-For`; with `X-Forwarded-Proto` and `X-Forwarded-Host`, where they are believed.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// Both, which have to agree.
    Both,
}

impl From<ForwardedKind> for ForwardedBy {
    fn from(kind: ForwardedKind) -> Self {
        match kind {
            ForwardedKind::XForwarded => Self::XForwardedFor,
            ForwardedKind::Forwarded => Self::Forwarded,
            ForwardedKind::Both => Self::Both,
        }
    }
}

/// What a trusted proxy is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Believed {
    /// By which field: the client's address.
    pub by: ForwardedBy,
    /// Which host the client asked, besides.
    pub host: bool,
    /// By which scheme it came, besides.
    pub scheme: bool,
}

impl Believed {
    /// Address, host and scheme.
    #[must_use]
    pub const fn all(by: ForwardedBy) -> Self {
        Self {
            by,
            host: true,
            scheme: true,
        }
    }
}

/// How the client came to the first proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl From<portcullis_policy::Scheme> for Scheme {
    fn from(scheme: portcullis_policy::Scheme) -> Self {
        match scheme {
            portcullis_policy::Scheme::Http => Self::Http,
            portcullis_policy::Scheme::Https => Self::Https,
        }
    }
}

impl Scheme {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Reads `http` or `https`, in any letter case.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ClientFault> {
        if text.eq_ignore_ascii_case(b"https") {
            Ok(Self::Https)
        } else if text.eq_ignore_ascii_case(b"http") {
            Ok(Self::Http)
        } else {
            Err(ClientFault::SchemeMalformed)
        }
    }
}

/// The address of a client; never a mapped IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientIp(IpAddr);

impl ClientIp {
    /// The other end of a connection, where nothing is known of a client behind it.
    #[must_use]
    pub fn of_peer(peer: IpAddr) -> Self {
        Self(unmapped(peer))
    }

    /// The address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// The key of this client in a limit.
    #[must_use]
    pub fn bucket(self) -> Bucket {
        self.coarser(Coarseness::Client)
    }

    /// The key of the clients around this one, for when there is no room for a key each.
    #[must_use]
    pub fn coarser(self, coarseness: Coarseness) -> Bucket {
        Bucket::of(self.0, coarseness)
    }
}

/// What is known of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client<'b> {
    ip: ClientIp,
    by_proxy: bool,
    scheme: Option<Scheme>,
    host: Option<HostName<'b>>,
}

impl<'b> Client<'b> {
    /// Finds the client of a request from the address of its connection.
    ///
    /// # Errors
    ///
    /// Only where the peer is trusted: a hop that is needed and is no address, a `Forwarded` that is malformed
    /// anywhere, a scheme or host that is believed and not exactly one, two fields that have to agree and do not.
    pub fn of(
        peer: IpAddr,
        headers: &HeaderSet<'b>,
        trusted: &TrustedProxies,
        believed: Believed,
    ) -> Result<Self, ClientFault> {
        let peer = unmapped(peer);
        if !trusted.contains(peer) {
            return Ok(Self {
                ip: ClientIp(peer),
                by_proxy: false,
                scheme: None,
                host: None,
            });
        }
        match believed.by {
            ForwardedBy::XForwardedFor => Self::of_x_forwarded(peer, headers, trusted, believed),
            ForwardedBy::Forwarded => Self::of_forwarded(peer, headers, trusted, believed),
            ForwardedBy::Both => {
                let one = Self::of_x_forwarded(peer, headers, trusted, believed)?;
                one.agreeing(Self::of_forwarded(peer, headers, trusted, believed)?)
            }
        }
    }

    /// Two accounts of one client as one. What only one of them tells is taken.
    fn agreeing(self, other: Self) -> Result<Self, ClientFault> {
        let differ = self.ip != other.ip
            || other
                .scheme
                .is_some_and(|scheme| self.scheme.is_some_and(|own| own != scheme))
            || matches!((&self.host, &other.host), (Some(own), Some(host)) if own != host);
        if differ {
            return Err(ClientFault::Disagreement);
        }
        Ok(Self {
            scheme: self.scheme.or(other.scheme),
            host: self.host.or(other.host),
            ..self
        })
    }

    fn of_x_forwarded(
        peer: IpAddr,
        headers: &HeaderSet<'b>,
        trusted: &TrustedProxies,
        believed: Believed,
    ) -> Result<Self, ClientFault> {
        // All fields are one list (RFC 9110 §5.3), read from its end.
        let hops = headers
            .values_of(Role::ForwardedFor)
            .rev()
            .flat_map(|value| value.rsplit(|byte| *byte == b','))
            .map(|entry| node_address(crate::http1::trimmed(entry)));
        let one = |role, is_believed: bool, fault| match is_believed {
            true => headers.one_of(role).map_err(|_repeated| fault),
            false => Ok(None),
        };
        let scheme = one(
            Role::ForwardedProto,
            believed.scheme,
            ClientFault::SchemeMalformed,
        )?;
        let host = one(
            Role::ForwardedHost,
            believed.host,
            ClientFault::HostMalformed,
        )?;
        Ok(Self {
            ip: walk(peer, hops, trusted)?,
            by_proxy: true,
            scheme: scheme.map(Scheme::parse).transpose()?,
            host: host.map(forwarded_host).transpose()?,
        })
    }

    fn of_forwarded(
        peer: IpAddr,
        headers: &HeaderSet<'b>,
        trusted: &TrustedProxies,
        believed: Believed,
    ) -> Result<Self, ClientFault> {
        let elements = forwarded::elements(headers.values_of(Role::Forwarded))?;
        let hops = elements.iter().rev().map(|element| element.node);
        let ip = walk(peer, hops, trusted)?;
        // What the nearest proxy wrote; the ones before it may be anybody's.
        let nearest = elements.last();
        Ok(Self {
            ip,
            by_proxy: true,
            scheme: nearest
                .and_then(|element| element.proto.filter(|_| believed.scheme))
                .map(Scheme::parse)
                .transpose()?,
            host: nearest
                .and_then(|element| element.host.filter(|_| believed.host))
                .map(forwarded_host)
                .transpose()?,
        })
    }

    /// The address.
    #[must_use]
    pub fn ip(&self) -> ClientIp {
        self.ip
    }

    /// Whether the connection comes from a trusted proxy.
    #[must_use]
    pub fn is_by_proxy(&self) -> bool {
        self.by_proxy
    }

    /// The scheme that a trusted proxy names and is believed.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// The host that a trusted proxy names and is believed.
    #[must_use]
    pub fn host(&self) -> Option<&HostName<'b>> {
        self.host.as_ref()
    }
}

fn forwarded_host(value: &[u8]) -> Result<HostName<'_>, ClientFault> {
    HostName::parse(value).map_err(|_fault| ClientFault::HostMalformed)
}

/// Walks from the peer towards the client.
fn walk(
    peer: IpAddr,
    hops: impl Iterator<Item = Option<IpAddr>>,
    trusted: &TrustedProxies,
) -> Result<ClientIp, ClientFault> {
    let mut client = peer;
    for hop in hops {
        client = hop.ok_or(ClientFault::Unreadable)?;
        if !trusted.contains(client) {
            break;
        }
    }
    Ok(ClientIp(client))
}
