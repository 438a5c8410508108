//! `Locations`: where an application's answer may lead (RFC 9110 §10.2.2).
//!
//! A redirection to the application's own address, as it is behind the guard, tells what is inside and leads nowhere:
//! it is led to the public address instead. One that two readers take for two places is refused: browsers read `/\host` and
//! `/<tab>/host` as `//host`, another site (CVE-2026-83589).

use std::net::IpAddr;

use portcullis_policy::{Host, Policy, Upstream};

use super::write_field;
use crate::http1::ResponseFault;

/// The addresses inside, and the one outside.
#[derive(Debug, Default)]
pub(super) struct Locations {
    /// `http://127.0.0.1:3000`, without a path.
    inside: Vec<Box<str>>,
    /// `https://shop.example.com`, without a path; without a scheme where the policy has no `public_url`.
    outside: Box<str>,
}

/// How else the machine itself is called.
const LOOPBACK: [&str; 4] = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

impl Locations {
    pub(super) fn of(policy: &Policy) -> Self {
        let outside = match policy.public_url() {
            Some(url) => url.to_string(),
            // By the scheme that the client came with (RFC 3986 §4.2).
            None => match policy.hosts().first() {
                Some(host) => format!("//{host}"),
                None => return Self::default(),
            },
        };
        Self {
            inside: policy.upstreams().iter().flat_map(spellings).collect(),
            outside: outside.into(),
        }
    }

    /// Writes a field that says where the answer leads.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        name: &[u8],
        value: &[u8],
    ) -> Result<(), ResponseFault> {
        if is_ambiguous(value) {
            return Err(ResponseFault::Location);
        }
        let mut inside = self.inside.iter();
        match inside.find_map(|address| rest_behind(value, address)) {
            None => write_field(out, name, value),
            Some(rest) => {
                out.extend_from_slice(name);
                out.extend_from_slice(b": ");
                out.extend_from_slice(self.outside.as_bytes());
                if !rest.starts_with(b"/") {
                    out.push(b'/');
                }
                out.extend_from_slice(rest);
                out.extend_from_slice(b"\r\n");
            }
        }
        Ok(())
    }
}

/// How an application may write its own address.
fn spellings(upstream: &Upstream) -> Vec<Box<str>> {
    let is_here = match &upstream.host {
        Host::Ip(address) => address.is_loopback() || is_any(*address),
        Host::Name(name) => name == "localhost",
    };
    let mut hosts = vec![upstream.host.to_string()];
    if is_here {
        hosts.extend(LOOPBACK.map(str::to_owned));
    }
    let port = upstream.port;
    let mut spellings: Vec<Box<str>> = Vec::new();
    for host in hosts {
        spellings.push(format!("http://{host}:{port}").into());
        if port == 80 {
            spellings.push(format!("http://{host}").into());
        }
    }
    spellings
}

const fn is_any(address: IpAddr) -> bool {
    address.is_unspecified()
}

/// What stands behind an address; nothing where the value is about another one, as `http://127.0.0.1:30000` is.
fn rest_behind<'v>(value: &'v [u8], address: &str) -> Option<&'v [u8]> {
    let (start, rest) = value.split_at_checked(address.len())?;
    let is_whole = matches!(rest, [] | [b'/' | b'?' | b'#', ..]);
    (is_whole && start.eq_ignore_ascii_case(address.as_bytes())).then_some(rest)
}

/// Whether the part that says the place has a byte that no URI has (RFC 3986 §2) and that browsers repair: they take `\` for
/// `/` and leave tabs out (WHATWG URL §4.4).
fn is_ambiguous(value: &[u8]) -> bool {
    let place = value.split(|byte| matches!(byte, b'?' | b'#')).next();
    let place = place.unwrap_or_default();
    place
        .iter()
        .any(|byte| matches!(byte, b'\\' | ..=0x1f | 0x7f))
}
