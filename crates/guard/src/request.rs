//! `RequestView`: all that a phase may look at, in canonical types, made by the same code for every door.

use std::net::IpAddr;

use portcullis_policy::Method;

use crate::canon::{CanonFault, CanonPath, Client, ClientIp, HeaderSet, HostName, Scheme, Target};
use crate::http1::{Framing, RequestHead};
use crate::plan::Plan;

/// A request, as the policy is asked about it. `'r` is the buffer that its head was read from.
#[derive(Debug)]
pub struct RequestView<'r> {
    method: Method,
    target: Target<'r>,
    host: HostName<'r>,
    client: ClientIp,
    scheme: Scheme,
    framing: Framing,
    fields: HeaderSet<'r>,
}

/// The other end of a connection, as the door knows it without a word of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address: the client's, or a proxy's before us.
    pub address: IpAddr,
    /// How it came to us.
    pub scheme: Scheme,
}

/// One that came without TLS.
impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            scheme: Scheme::Http,
        }
    }
}

impl<'r> RequestView<'r> {
    /// Reads a head that the byte checker has let through. `buf` is the buffer that it was read from, `peer` the other
    /// end of the connection, which is the client or a proxy before us.
    ///
    /// The host is the one that the client asked: the `Host` field, or what a trusted proxy says it was where the policy has
    /// it believed.
    ///
    /// # Errors
    ///
    /// Why the request is ambiguous: two readers could take it for two requests, or its client cannot be told.
    pub fn read(
        plan: &'r Plan,
        head: &'r RequestHead,
        buf: &'r [u8],
        peer: impl Into<Peer>,
    ) -> Result<Self, CanonFault> {
        let peer = peer.into();
        let written = head.host(buf);
        let host = match plan.host_as_written(written) {
            Some(host) => host,
            None => HostName::parse(written)?,
        };
        let target = Target::parse(head.target(buf), head.method(), &host)?;
        let fields = HeaderSet::of_request(head, buf);
        let client = Client::of(peer.address, &fields, &plan.trusted, plan.believed)?;
        Ok(Self {
            method: head.method(),
            target,
            host: client.host().cloned().unwrap_or(host),
            client: client.ip(),
            scheme: if client.is_by_proxy() {
                client.scheme().unwrap_or(plan.public_scheme)
            } else {
                peer.scheme
            },
            framing: head.framing(),
            fields,
        })
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// What is asked for, as it is forwarded.
    #[must_use]
    pub const fn target(&self) -> &Target<'r> {
        &self.target
    }

    /// The path; none of `OPTIONS *`.
    #[must_use]
    pub fn path(&self) -> Option<&CanonPath<'r>> {
        self.target.path()
    }

    /// The host that the client asked.
    #[must_use]
    pub const fn host(&self) -> &HostName<'r> {
        &self.host
    }

    /// Who the client is.
    #[must_use]
    pub const fn client(&self) -> ClientIp {
        self.client
    }

    /// How the client came: as the door saw it, but behind a trusted proxy by the scheme of `public_url`, or by what the proxy says
    /// where the policy has it believed.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Where the body ends.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// The header fields.
    #[must_use]
    pub const fn fields(&self) -> &HeaderSet<'r> {
        &self.fields
    }

    /// Whether there is a body: chunks, or a length that is not zero.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        !matches!(self.framing, Framing::None | Framing::Length(0))
    }

    /// Whether the method may change something (RFC 9110 §9.2.1).
    #[must_use]
    pub const fn is_unsafe(&self) -> bool {
        !matches!(self.method, Method::Get | Method::Head | Method::Options)
    }
}
