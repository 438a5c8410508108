//! Whose request it is, from the connection and from what trusted proxies say.

use std::net::IpAddr;

use portcullis_guard::canon::{
    Believed, Client, ClientFault, Coarseness, ForwardedBy, HeaderSet, Scheme, TrustedFault,
    TrustedProxies,
};
use portcullis_policy::IpNet;

use crate::http1_made::{get, request};

pub(crate) fn trusted(networks: &[&str]) -> TrustedProxies {
    let networks = networks.iter().map(|text| text.parse::<IpNet>().unwrap());
    TrustedProxies::new(networks).unwrap_or_else(|(place, fault)| panic!("{place}: {fault}"))
}

/// The client of a request with these lines.
pub(crate) fn client(
    peer: &str,
    lines: &[&str],
    trusted: &TrustedProxies,
    read: ForwardedBy,
) -> Result<String, ClientFault> {
    let bytes = get(lines);
    let head = request(&bytes).unwrap_or_else(|fault| panic!("{lines:?}: {fault}"));
    let headers = HeaderSet::of_request(&head, &bytes);
    let client = Client::of(
        peer.parse().unwrap(),
        &headers,
        trusted,
        Believed::all(read),
    )?;
    Ok(client.ip().address().to_string())
}

fn by_list(peer: &str, lines: &[&str]) -> Result<String, ClientFault> {
    client(
        peer,
        lines,
        &trusted(&["10.0.0.0/8", "fd00::/8"]),
        ForwardedBy::XForwardedFor,
    )
}

pub(crate) fn is(address: &str) -> Result<String, ClientFault> {
    Ok(address.to_owned())
}

#[test]
fn case_27_what_an_untrusted_peer_says_is_not_read() {
    let lines = [
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Host: a b",
    ];
    assert_eq!(by_list("203.0.113.9", &lines), is("203.0.113.9"));
    assert_eq!(
        by_list("203.0.113.9", &["X-Forwarded-For: nonsense"]),
        is("203.0.113.9")
    );
    let nobody = TrustedProxies::default();
    assert!(nobody.is_empty());
    for read in [
        ForwardedBy::XForwardedFor,
        ForwardedBy::Forwarded,
        ForwardedBy::Both,
    ] {
        assert_eq!(
            client(
                "10.0.0.1",
                &["Forwarded: \"", "X-Forwarded-For: ?"],
                &nobody,
                read
            ),
            is("10.0.0.1")
        );
    }
}

#[test]
fn case_30_31_scheme_and_host_stand_once_and_are_what_they_say() {
    let read = |lines: &[&str]| said(lines, Believed::all(ForwardedBy::XForwardedFor));
    assert_eq!(read(&[]), Ok((None, None)));
    let lines = [
        "X-Forwarded-Proto: HTTPS",
        "X-Forwarded-Host: Shop.example.com:8443",
    ];
    assert_eq!(
        read(&lines),
        Ok((
            Some(Scheme::Https),
            Some("shop.example.com:8443".to_owned())
        ))
    );
    for value in [
        "",
        "https,http",
        "https, https",
        "ftp",
        "https://",
        "https\tx",
        "javascript",
        "http s",
    ] {
        let line = format!("X-Forwarded-Proto: {value}");
        assert_eq!(read(&[&line]), Err(ClientFault::SchemeMalformed), "{value}");
    }
    let twice = ["X-Forwarded-Proto: https", "x-forwarded-proto: https"];
    assert_eq!(read(&twice), Err(ClientFault::SchemeMalformed));
    for value in ["", "a,b", "a/b", "a:0", "a@b"] {
        let line = format!("X-Forwarded-Host: {value}");
        assert_eq!(read(&[&line]), Err(ClientFault::HostMalformed), "{value}");
    }
    assert_eq!(
        read(&["X-Forwarded-Host: a", "X-Forwarded-Host: a"]),
        Err(ClientFault::HostMalformed)
    );
}

/// What a trusted proxy is believed of scheme and host.
pub(crate) fn said(
    lines: &[&str],
    believed: Believed,
) -> Result<(Option<Scheme>, Option<String>), ClientFault> {
    let bytes = get(lines);
    let head = request(&bytes).unwrap();
    let headers = HeaderSet::of_request(&head, &bytes);
    let trusted = trusted(&["10.0.0.0/8"]);
    let peer = "10.0.0.1".parse().unwrap();
    Client::of(peer, &headers, &trusted, believed).map(|client| {
        assert!(client.is_by_proxy());
        (client.scheme(), client.host().map(ToString::to_string))
    })
}

/// Most proxies pass on the client's own `X-Forwarded-Host` and `X-Forwarded-Proto`.
#[test]
fn scheme_and_host_are_not_read_where_a_proxy_is_not_believed_them() {
    let lines = [
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: a.example.com",
        "Forwarded: for=1.1.1.1;proto=https;host=a.example.com",
    ];
    let malformed = [
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: a, b",
        "X-Forwarded-Host: c",
        "Forwarded: for=1.1.1.1;proto=ws;host=\"a b\"",
    ];
    for by in [
        ForwardedBy::XForwardedFor,
        ForwardedBy::Forwarded,
        ForwardedBy::Both,
    ] {
        let scheme = Some(Scheme::Https);
        let host = Some("a.example.com".to_owned());
        let all = Believed::all(by);
        let no_host = Believed { host: false, ..all };
        let no_scheme = Believed {
            scheme: false,
            ..all
        };
        let address = Believed {
            host: false,
            scheme: false,
            by,
        };
        assert_eq!(said(&lines, all), Ok((scheme, host.clone())), "{by:?}");
        assert_eq!(said(&lines, no_host), Ok((scheme, None)), "{by:?}");
        assert_eq!(said(&lines, no_scheme), Ok((None, host)), "{by:?}");
        assert_eq!(said(&lines, address), Ok((None, None)), "{by:?}");
        assert_eq!(said(&malformed, address), Ok((None, None)), "{by:?}");
        let fault = ClientFault::SchemeMalformed;
        assert_eq!(said(&malformed, no_host), Err(fault), "{by:?}");
        let fault = ClientFault::HostMalformed;
        assert_eq!(said(&malformed, no_scheme), Err(fault), "{by:?}");
    }
}

#[test]
fn case_39_what_stands_left_of_the_client_changes_nothing() {
    for left in [
        "1.1.1.1",
        "2.2.2.2, 3.3.3.3",
        "nonsense",
        ",,",
        "10.0.0.9",
        "\"",
        "::ffff:10.0.0.9",
    ] {
        let line = format!("X-Forwarded-For: {left}, 203.0.113.7, 10.0.0.2");
        assert_eq!(by_list("10.0.0.1", &[&line]), is("203.0.113.7"), "{left}");
        let first = format!("X-Forwarded-For: {left}");
        let lines = [
            first.as_str(),
            "X-Forwarded-For: 203.0.113.7",
            "x-forwarded-for: 10.0.0.2",
        ];
        assert_eq!(by_list("10.0.0.1", &lines), is("203.0.113.7"), "{left}");
    }
}

#[test]
fn all_trusted_is_the_left_most() {
    assert_eq!(by_list("10.0.0.1", &[]), is("10.0.0.1"));
    assert_eq!(
        by_list("10.0.0.1", &["X-Forwarded-For: 10.0.0.4, 10.0.0.3"]),
        is("10.0.0.4")
    );
}

#[test]
fn a_hop_that_cannot_be_read_is_a_refusal() {
    for hop in [
        "nonsense",
        "",
        "unknown",
        "_hidden",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "0x1.2.3.4",
        "1.2.3.4:",
        "1.2.3.4:0",
        "1.2.3.4:99999",
        "1.2.3.4 5",
        "[1.2.3.4]",
        "[::1",
        "::1]",
        "[::1]x",
        "[fe80::1%eth0]",
        "fe80::1%1",
        "0.0.0.0",
        "::",
        "\"1.2.3.4\"",
        "1.2.3.4/32",
        "for=1.2.3.4",
        "::ffff:0.0.0.0",
    ] {
        let line = format!("X-Forwarded-For: 1.1.1.1, {hop}, 10.0.0.2");
        assert_eq!(
            by_list("10.0.0.1", &[&line]),
            Err(ClientFault::Unreadable),
            "{hop}"
        );
    }
    assert_eq!(ClientFault::Unreadable.reason(), "client_ip_unreadable");
    assert_eq!(
        by_list("10.0.0.1", &["X-Forwarded-For:"]),
        Err(ClientFault::Unreadable)
    );
}

#[test]
fn a_hop_may_have_a_port_and_brackets() {
    for (hop, client) in [
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:56", "1.2.3.4"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::1", "::1"),
        ("\t1.2.3.4 ", "1.2.3.4"),
    ] {
        let line = format!("X-Forwarded-For: {hop}");
        assert_eq!(by_list("fd00::1", &[&line]), is(client), "{hop}");
    }
}

#[test]
fn case_40_a_network_that_holds_every_mapped_address_is_refused_at_load() {
    for (text, fault) in [
        ("::ffff:10.0.0.0/8", TrustedFault::AllOfIpv4),
        ("::/1", TrustedFault::AllOfIpv4),
        ("::ffff:0:0/96", TrustedFault::AllOfIpv4),
        ("::ffff:10.0.0.0/96", TrustedFault::AllOfIpv4),
        ("::/8", TrustedFault::AllOfIpv4),
        ("0.0.0.0/0", TrustedFault::Everyone),
        ("::/0", TrustedFault::Everyone),
    ] {
        let networks = ["10.0.0.0/8", text].map(|text| text.parse::<IpNet>().unwrap());
        assert_eq!(TrustedProxies::new(networks), Err((1, fault)), "{text}");
    }
    let mapped = trusted(&["::ffff:10.0.0.0/104"]);
    assert_eq!(mapped, trusted(&["10.0.0.0/8"]));
    assert!(!mapped.contains("11.0.0.1".parse().unwrap()));
}

#[test]
fn case_41_43_a_mapped_address_is_the_ipv4_address_it_is() {
    let trusted = trusted(&["10.0.0.0/8"]);
    assert!(trusted.contains("::ffff:10.1.2.3".parse().unwrap()));
    assert!(!trusted.contains("::10.1.2.3".parse().unwrap()));
    let read = ForwardedBy::XForwardedFor;
    assert_eq!(
        client("::ffff:203.0.113.9", &[], &trusted, read),
        is("203.0.113.9")
    );
    let lines = ["X-Forwarded-For: ::ffff:cb00:7107, [::ffff:10.0.0.2]:80"];
    assert_eq!(
        client("::ffff:10.0.0.1", &lines, &trusted, read),
        is("203.0.113.7")
    );
}

#[test]
fn case_41_a_bucket_is_one_ipv4_address_or_one_ipv6_subscriber() {
    let bucket = |text: &str| {
        let bytes = get(&[]);
        let head = request(&bytes).unwrap();
        let headers = HeaderSet::of_request(&head, &bytes);
        let peer: IpAddr = text.parse().unwrap();
        Client::of(
            peer,
            &headers,
            &TrustedProxies::default(),
            Believed::default(),
        )
        .unwrap()
        .ip()
    };
    let same = |one, other| bucket(one).bucket() == bucket(other).bucket();
    assert!(same("1.2.3.4", "::ffff:1.2.3.4"));
    assert!(same("1.2.3.4", "64:ff9b::1.2.3.4"));
    assert!(!same("64:ff9b::1.2.3.4", "64:ff9b::1.2.3.5"));
    assert!(same("64:ff9b:1::1.2.3.4", "64:ff9b:1::1.2.3.5"));
    assert!(!same("1.2.3.4", "1.2.3.5"));
    assert!(!same("::ffff:1.2.3.4", "::ffff:1.2.3.5"));
    assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    let coarse = |text, coarseness| bucket(text).coarser(coarseness).to_bytes();
    for (coarseness, one, other, far) in [
        (Coarseness::Site, "1.2.3.4", "1.2.3.255", "1.2.4.4"),
        (Coarseness::Provider, "1.2.3.4", "1.2.255.1", "1.3.3.4"),
        (
            Coarseness::Site,
            "2001:db8:1:2::1",
            "2001:db8:1:ffff::1",
            "2001:db8:2:2::1",
        ),
        (
            Coarseness::Provider,
            "2001:db8:1::1",
            "2001:db8:ffff::1",
            "2001:db9:1::1",
        ),
    ] {
        assert_eq!(coarse(one, coarseness), coarse(other, coarseness));
        assert_ne!(coarse(one, coarseness), coarse(far, coarseness));
    }
    assert_ne!(
        coarse("1.2.0.0", Coarseness::Provider),
        coarse("1.2.0.0", Coarseness::Site)
    );
    assert_ne!(
        coarse("1.2.0.0", Coarseness::Client),
        coarse("1.2.0.0", Coarseness::Site)
    );
    assert_eq!(Coarseness::Client.next(), Some(Coarseness::Site));
    assert_eq!(Coarseness::Provider.next(), None);
}
