//! A policy on the machine of its author: everything as it is, but for where it is known and who stands before it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::host::Host;
use crate::origin::Scheme;
use crate::{HostPattern, Policy, PublicUrl, Upstream};

impl Policy {
    /// The same policy at `https://localhost:PORT`: it answers for `localhost` and its two addresses, and nobody stands before
    /// it as a proxy. All routes are reached there, whatever host they name. With an upstream, that one alone is before it.
    ///
    /// What is demanded of a request stays as it is.
    #[must_use]
    pub fn on_localhost(mut self, port: u16, upstream: Option<Upstream>) -> Self {
        let localhost = PublicUrl {
            scheme: Scheme::Https,
            host: Host::Name("localhost".to_owned()),
            port,
        };
        let written = localhost.host_pattern().port;
        self.public_url = Some(localhost);
        self.hosts = [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ]
        .map(|address| HostPattern {
            host: Host::Ip(address),
            port: written,
        })
        .to_vec();
        // The certificate of production is no certificate of this machine's.
        self.proxy.tls = None;
        // A proxy of production may have this machine's own address in its network.
        self.trusted_proxies.clear();
        for route in self.routes.iter_mut().chain(&mut self.statics) {
            route.hosts.clear();
        }
        if let Some(upstream) = upstream {
            self.upstreams = vec![upstream];
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCTION: &str = r#"version = 1
upstream = ["http://10.0.0.1:80", "http://10.0.0.2:80"]
public_url = "https://shop.example.com"
hosts = ["www.example.com"]
trusted_proxies = ["127.0.0.0/8"]

[[route]]
path = "/a"
methods = ["GET"]
hosts = ["www.example.com"]
type = "public_read"
"#;

    #[test]
    fn it_is_known_on_this_machine_and_nowhere_else() {
        let policy = Policy::parse(PRODUCTION).unwrap();
        let shown = |policy: &Policy| -> Vec<String> {
            policy.hosts().iter().map(ToString::to_string).collect()
        };
        let local = policy.clone().on_localhost(8443, None);
        assert_eq!(
            shown(&local),
            ["localhost:8443", "127.0.0.1:8443", "[::1]:8443"]
        );
        assert_eq!(local.upstreams(), policy.upstreams());
        assert!(local.trusted_proxies().is_empty());
        assert!(local.all_routes().all(|route| route.hosts.is_empty()));
        let upstream: Upstream = "http://127.0.0.1:3000".parse().unwrap();
        let local = policy.on_localhost(443, Some(upstream.clone()));
        assert_eq!(shown(&local), ["localhost", "127.0.0.1", "[::1]"]);
        assert_eq!(local.upstreams(), [upstream]);
    }
}
