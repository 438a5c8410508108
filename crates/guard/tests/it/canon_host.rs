//! Hosts: one spelling, or none.

use portcullis_guard::canon::{HostFault, HostKind, HostName};

use crate::http1_made::{get, refused, request};

fn fault(raw: &[u8]) -> HostFault {
    match HostName::parse(raw) {
        Err(fault) => fault,
        Ok(host) => panic!("{} is {host}", raw.escape_ascii()),
    }
}

fn canonical(raw: &str) -> String {
    HostName::parse(raw.as_bytes())
        .unwrap_or_else(|fault| panic!("{raw}: {fault}"))
        .to_string()
}

#[test]
fn case_23_letter_case_and_trailing_dot() {
    assert_eq!(canonical("Shop.EXAMPLE.com"), "shop.example.com");
    assert_eq!(
        HostName::parse(b"SHOP.example.com"),
        HostName::parse(b"shop.example.com")
    );
    for raw in [
        "example.com.",
        "Example.com.",
        "example.com.:443",
        "10.0.0.1.",
        ".",
    ] {
        assert_eq!(fault(raw.as_bytes()), HostFault::TrailingDot, "{raw}");
    }
}

#[test]
fn case_24_injection_characters() {
    for raw in [
        &b"shop.example.com/admin"[..],
        b"shop.example.com?x",
        b"shop.example.com#x",
        b"a@shop.example.com",
        b"shop.example.com\\x",
        b"shop example.com",
        b"shop.example.com,evil.example.com",
        b"shop.example.com;x",
        b"shop%2eexample.com",
        b"shop.example.com\x00",
        b"shop.example.com\tx",
        b"sh\xc3\xb6p.example.com",
        b"\"shop.example.com\"",
        b"<script>",
        b"*.example.com",
        b"${jndi}",
        b"a'b",
        b"a|b",
    ] {
        assert_eq!(fault(raw), HostFault::Byte, "{}", raw.escape_ascii());
    }
    for raw in ["", ":443"] {
        assert_eq!(fault(raw.as_bytes()), HostFault::Empty, "{raw}");
    }
    for raw in ["a..b", ".a", "-a.example.com", "a-.example.com", "a.-"] {
        assert_eq!(fault(raw.as_bytes()), HostFault::Label, "{raw}");
    }
    assert_eq!(fault("a".repeat(64).as_bytes()), HostFault::TooLong);
    assert_eq!(fault("a.".repeat(127).as_bytes()), HostFault::TooLong);
    assert_eq!(canonical("my_service.internal"), "my_service.internal");
    assert_eq!(
        canonical("xn--bcher-kva.example.com"),
        "xn--bcher-kva.example.com"
    );
}

#[test]
fn case_25_two_hosts() {
    assert_eq!(refused(&get(&["Host: shop.example.com"])), "host_repeated");
    assert_eq!(refused(&get(&["HOST: evil.example.com"])), "host_repeated");
    assert_eq!(
        refused(&get(&["Host : evil.example.com"])),
        "field_name_malformed"
    );
    assert_eq!(refused(b"GET / HTTP/1.1\r\n\r\n"), "host_missing");
    assert_eq!(refused(b"GET / HTTP/1.0\r\n\r\n"), "host_missing");
    let bytes = b"GET / HTTP/1.1\r\nHost:\r\n\r\n";
    let head = request(bytes).unwrap();
    assert_eq!(HostName::parse(head.host(bytes)), Err(HostFault::Empty));
}

#[test]
fn case_26_a_rebound_name_is_another_host_than_loopback() {
    let loopback = HostName::parse(b"127.0.0.1:9000").unwrap();
    for raw in [
        "rebind.example.com:9000",
        "localhost:9000",
        "127.0.0.1.example.com:9000",
        "127.0.0.1:9001",
        "127.0.0.1",
    ] {
        assert_ne!(HostName::parse(raw.as_bytes()).unwrap(), loopback, "{raw}");
    }
}

#[test]
fn an_ipv4_address_is_four_plain_octets() {
    assert_eq!(HostName::parse(b"10.0.0.1").unwrap().kind(), HostKind::Ipv4);
    for raw in [
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "256.0.0.1",
        "1.2.3.4.5",
        "a.1",
        "example.0x1F",
        "1.2.3.0x",
        "00.0.0.0",
    ] {
        assert_eq!(fault(raw.as_bytes()), HostFault::Ipv4, "{raw}");
    }
    assert_eq!(
        HostName::parse(b"1.2.3.4a").unwrap().kind(),
        HostKind::Domain
    );
    assert_eq!(
        HostName::parse(b"1a.example").unwrap().kind(),
        HostKind::Domain
    );
}

#[test]
fn an_ipv6_address_has_one_spelling_and_brackets() {
    for raw in [
        "[2001:DB8:0:0:0:0:0:1]",
        "[2001:db8::1]",
        "[2001:0db8:0000::0001]",
    ] {
        assert_eq!(canonical(raw), "[2001:db8::1]");
    }
    assert_eq!(canonical("[::1]:8080"), "[::1]:8080");
    for raw in [
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[::1",
        "[]",
        "[::1]x",
        "[::1]]",
        "[127.0.0.1]",
        "[:::1]",
        "[v1.a]",
        "[::ffff:127.0.0.1]",
        "[1::2::3]",
        "[ ::1]",
    ] {
        assert_eq!(fault(raw.as_bytes()), HostFault::Ipv6, "{raw}");
    }
    assert_eq!(fault(b"::1"), HostFault::Empty);
    assert_eq!(fault(b"2001:db8::1"), HostFault::Ipv4);
    assert_eq!(fault(b"fe80::1"), HostFault::Port);
}

#[test]
fn a_port_has_one_spelling() {
    let host = HostName::parse(b"a.example:65535").unwrap();
    assert_eq!((host.port(), host.port_or(443)), (Some(65535), 65535));
    assert_eq!(HostName::parse(b"a.example").unwrap().port_or(443), 443);
    for raw in [
        "a:",
        "a:0",
        "a:080",
        "a:65536",
        "a:+80",
        "a:8 0",
        "a:80:80",
        "a:-1",
        "a:8080808080",
        "[::1]:",
        "[::1]:x",
        "a:\u{663}",
    ] {
        assert_eq!(fault(raw.as_bytes()), HostFault::Port, "{raw}");
    }
}

#[test]
fn a_lower_case_host_is_not_copied_and_can_be_kept() {
    let kept = HostName::parse(b"Shop.example.com:1").unwrap().into_owned();
    assert_eq!(kept.name(), "shop.example.com");
    assert_eq!(kept, HostName::parse(b"shop.example.com:1").unwrap());
}
