//! The recorded cases of two libraries that find the client of a request, with each difference and its reason.

use std::collections::BTreeMap;
use std::net::IpAddr;

use portcullis_guard::canon::{ClientFault, ForwardedBy};
use portcullis_policy::IpNet;
use serde_json::Value;

use crate::client_ip::{client, trusted};

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/vectors/client-ip/"
);

fn load(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{FOLDER}{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The networks of a list, as the policy has them: an address is a network of one.
fn networks(list: &Value) -> Option<Vec<String>> {
    let list = match list {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        Value::Null => Vec::new(),
        _ => return None,
    };
    list.iter()
        .map(|text| {
            let network = text
                .parse::<IpNet>()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            network.map(|network| network.to_string())
        })
        .collect()
}

fn found(
    peer: &str,
    lines: &[String],
    networks: &[String],
    by: ForwardedBy,
) -> Result<String, ClientFault> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
    client(peer, &lines, &trusted(&networks), by)
}

/// proxy-addr: what is asked in words of its own, and cannot be asked here.
const OTHER_WORDS: &[(&str, &str)] = &[
    (
        "should reject a number",
        "a policy's list has texts only, which the policy's reader holds",
    ),
    (
        "should accept pre-defined names in array",
        "there are no names for networks: a policy says which ones it means",
    ),
    (
        "should not alter input array",
        "the same case: `loopback` is no network here",
    ),
    (
        "should reject non-IP",
        "the policy's reader refuses it, as this library does",
    ),
    (
        "should reject bad CIDR",
        "the policy's reader refuses it, as this library does",
    ),
    (
        "should return socket address with no headers",
        "a function of the caller's decides; a policy has no functions",
    ),
    (
        "should return socket address when not trusted",
        "a function of the caller's decides",
    ),
    (
        "should not skip untrusted",
        "a function of the caller's decides",
    ),
    (
        "should accept netmask notation",
        "a network is written with its prefix length only",
    ),
    (
        "should return undefined even with trusted headers",
        "a connection without an address does not reach the guard",
    ),
    ("proxyaddr.all", "the list of all hops is not asked for"),
];

#[test]
fn proxy_addr() {
    let cases = load("proxy-addr.json");
    let mut same = 0;
    let mut other: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases.as_array().unwrap() {
        let name = case["test"].as_str().unwrap();
        if let Some((words, _)) = OTHER_WORDS.iter().find(|(words, _)| name.contains(words)) {
            *other.entry(words).or_default() += 1;
            continue;
        }
        let networks = networks(&case["trust"]).unwrap_or_else(|| panic!("{name}"));
        let line = case["req"]["xff"]
            .as_str()
            .map(|list| format!("X-Forwarded-For: {list}"));
        let peer = case["req"]["remote"].as_str().unwrap();
        let found = found(peer, line.as_slice(), &networks, ForwardedBy::XForwardedFor);
        assert_eq!(found.as_deref().ok(), case["result"].as_str(), "{name}");
        same += 1;
    }
    assert_eq!(other.len(), OTHER_WORDS.len(), "each reason is needed");
    assert_eq!(
        (same, other.values().sum::<usize>()),
        (10, 16),
        "of {}",
        cases.as_array().unwrap().len()
    );
}

/// realclientip: right-most address outside trusted networks, which is what the guard does.
const RANGE_DIFFERENCES: &[(&str, &str, Result<&str, ClientFault>)] = &[
    (
        "Fail: no non-trusted IP",
        "where all hops are trusted the left-most is the client: one of our own machines asked",
        Ok("2.2.2.2"),
    ),
    (
        "Peer unspecified IP: walks header as normal",
        "an unspecified peer is not trusted, so what it says is not read",
        Ok("0.0.0.0"),
    ),
    (
        "No ranges",
        "whoever trusts nobody gets the peer, not a header of it",
        Ok("9.9.9.9"),
    ),
];

#[test]
fn realclientip_trusted_ranges() {
    let cases = load("realclientip.json");
    let (mut same, mut different, mut without_peer) = (0, 0, 0);
    for case in cases["TestRightmostTrustedRangeStrategy"]
        .as_array()
        .unwrap()
    {
        let name = case["name"].as_str().unwrap();
        let args = &case["args"];
        let mut networks = networks(&args["trustedRanges"]).unwrap();
        let lines: Vec<String> = args["headers"]["X-Forwarded-For"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| format!("X-Forwarded-For: {}", value.as_str().unwrap()))
            .collect();
        let peer = match args["remoteAddr"].as_str() {
            // A Unix socket, nothing, or rubbish: there is no such peer here, which is a type and not a text.
            Some("@" | "" | "ohno") => {
                without_peer += 1;
                continue;
            }
            Some(peer) => peer,
            None if networks.is_empty() => "9.9.9.9",
            None => {
                // The library takes the peer for granted; here it has to be trusted.
                networks.push("9.9.9.9/32".to_owned());
                "9.9.9.9"
            }
        };
        let found = found(peer, &lines, &networks, ForwardedBy::XForwardedFor);
        if let Some((_, reason, ours)) = RANGE_DIFFERENCES.iter().find(|(one, _, _)| *one == name) {
            assert_eq!(found.as_deref(), ours.as_ref().copied(), "{name}: {reason}");
            different += 1;
        } else {
            // The library's empty answer is a refusal here.
            let theirs = case["want"].as_str().filter(|want| !want.is_empty());
            assert_eq!(found.as_deref().ok(), theirs, "{name}");
            same += 1;
        }
    }
    assert_eq!((same, different, without_peer), (2, 3, 3));
}

/// realclientip: one element of `Forwarded`. The library is lenient where RFC 7239 is not.
const ELEMENT_DIFFERENCES: &[(&str, &str, ClientFault)] = &[
    (
        "IPv6 with quotes, no brackets, and no port",
        "RFC 7239 §6: an IPv6 address stands in brackets",
        ClientFault::Unreadable,
    ),
    (
        "IPv6 with brackets, no quotes, and no port",
        "RFC 7239 §4: what is no token stands in quotes",
        ClientFault::ForwardedMalformed,
    ),
    (
        "IPv6 with port and no quotes",
        "RFC 7239 §4: what is no token stands in quotes",
        ClientFault::ForwardedMalformed,
    ),
    (
        "IPv6 with port, quotes, and zone",
        "a zone means something on the proxy's machine only",
        ClientFault::Unreadable,
    ),
    (
        "IPv6 with zone, no quotes, no port",
        "a zone, and no brackets",
        ClientFault::Unreadable,
    ),
    (
        "Multiple IPv6 directives",
        "RFC 7239 §4: `1::1` is no token",
        ClientFault::ForwardedMalformed,
    ),
];

#[test]
fn realclientip_forwarded_elements() {
    let cases = load("realclientip.json");
    let (mut same, mut different) = (0, 0);
    let networks = ["9.9.9.9/32".to_owned()];
    for case in cases["Test_parseForwardedListItem"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let line = format!("Forwarded: {}", case["fwd"].as_str().unwrap());
        let found = found("9.9.9.9", &[line], &networks, ForwardedBy::Forwarded);
        if let Some((_, reason, fault)) =
            ELEMENT_DIFFERENCES.iter().find(|(one, _, _)| *one == name)
        {
            assert_eq!(found, Err(*fault), "{name}: {reason}");
            assert!(!case["want"].is_null());
            different += 1;
            continue;
        }
        let theirs = case["want"]["args"][0]
            .as_str()
            .map(|text| text.parse::<IpAddr>().unwrap().to_canonical().to_string());
        assert_eq!(found.ok(), theirs, "{name}");
        same += 1;
    }
    assert_eq!((same, different), (6, 6));
}

/// realclientip says itself where it leaves RFC 7239. A strict reader refuses all three.
#[test]
fn realclientip_deviations_from_the_standard() {
    let cases = load("realclientip.json");
    let networks = ["9.9.9.9/32".to_owned()];
    for case in cases["Test_forwardedHeaderRFCDeviations"]
        .as_array()
        .unwrap()
    {
        let line = format!(
            "Forwarded: {}",
            case["args"]["headers"]["Forwarded"][0].as_str().unwrap()
        );
        let found = found("9.9.9.9", &[line], &networks, ForwardedBy::Forwarded);
        assert!(found.is_err(), "{}", case["name"]);
    }
}

/// Of the other strategies, only the answer to the question "is this an address" has a meaning here: a single header
/// (`X-Real-IP`), the left-most entry, or a count of hops can all be forged, and none of them can be configured.
#[test]
fn realclientip_addresses() {
    let cases = load("realclientip.json");
    let networks = ["9.9.9.9/32".to_owned()];
    for table in ["TestParseIPAddr", "Test_goodIPAddr"] {
        for case in cases[table].as_array().unwrap() {
            let line = format!("X-Forwarded-For: {}", case["ipStr"].as_str().unwrap());
            let found = found("9.9.9.9", &[line], &networks, ForwardedBy::XForwardedFor);
            // `1.1.1.1%` (an empty zone) and `0.0.0.0` are addresses to the library's parser, and nobody's here.
            assert_eq!(
                found,
                Err(ClientFault::Unreadable),
                "{table} {}",
                case["name"]
            );
        }
    }
    for case in cases["TestRemoteAddrStrategy"].as_array().unwrap() {
        let peer = case["args"]["remoteAddr"].as_str().unwrap();
        // A zone and rubbish are no addresses of a connection.
        if peer.parse::<IpAddr>().is_ok() {
            let found = found(peer, &[], &[], ForwardedBy::XForwardedFor);
            assert_eq!(
                found.as_deref().ok(),
                case["want"].as_str(),
                "{}",
                case["name"]
            );
        }
    }
    for case in cases["TestAddressesAndRangesToIPNets"].as_array().unwrap() {
        let read = self::networks(&case["ranges"]);
        assert_eq!(
            read.is_none(),
            case["wantErr"].as_bool().unwrap_or(false),
            "{}",
            case["name"]
        );
    }
}
