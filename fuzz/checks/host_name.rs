//! A host has one spelling, and a host that the policy takes is one that a request can name.

use std::net::{Ipv4Addr, Ipv6Addr};

use portcullis_guard::canon::{HostKind, HostName};
use portcullis_policy::HostPattern;

pub(crate) fn check(data: &[u8]) {
    if let Some(pattern) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| text.parse().ok())
    {
        let pattern: HostPattern = pattern;
        let written = pattern.to_string();
        let host = HostName::parse(written.as_bytes());
        let host = host.unwrap_or_else(|fault| panic!("no request can name {written}: {fault}"));
        assert_eq!(host.name(), pattern.host.to_string());
        assert_eq!(host.port(), pattern.port);
    }
    let Ok(host) = HostName::parse(data) else {
        return;
    };
    let text = host.to_string();
    assert!(text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()));
    assert!(
        text.eq_ignore_ascii_case(std::str::from_utf8(data).unwrap())
            || host.kind() == HostKind::Ipv6
    );
    assert_eq!(HostName::parse(text.as_bytes()).as_ref(), Ok(&host));
    assert_eq!(host.clone().into_owned(), host);
    assert_ne!(host.port(), Some(0));
    let inner = host.name().trim_start_matches('[').trim_end_matches(']');
    match host.kind() {
        HostKind::Domain => {
            assert!(inner.parse::<Ipv4Addr>().is_err() && inner.parse::<Ipv6Addr>().is_err());
            assert!(!inner.ends_with('.') && !inner.contains(':'));
        }
        HostKind::Ipv4 => assert_eq!(inner.parse::<Ipv4Addr>().unwrap().to_string(), inner),
        HostKind::Ipv6 => {
            let address = inner.parse::<Ipv6Addr>().unwrap();
            assert!(address.to_string() == inner && address.to_ipv4_mapped().is_none());
        }
    }
    let upper = data.to_ascii_uppercase();
    assert_eq!(HostName::parse(&upper).as_ref(), Ok(&host));
}
