//! What a peer says counts only if the peer is trusted, and what stands before the client never does. The first byte
//! chooses peer and field, the rest are header lines.

use std::net::IpAddr;

use portcullis_guard::canon::{
    Believed, Client, ClientFault, ForwardedBy, HeaderSet, TrustedProxies,
};
use portcullis_guard::http1::{HeadBounds, Parsed, parse_request_head};

const NETWORKS: [&str; 4] = ["10.0.0.0/8", "203.0.113.7/32", "fd00::/16", "2001:db8::/32"];
const PEERS: [&str; 6] = [
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "fd00::1",
    "203.0.113.8",
    "2001:db8::1",
    "::1",
];

pub(crate) fn check(data: &[u8]) {
    let [choice, lines @ ..] = data else {
        return;
    };
    let networks = NETWORKS.map(|text| text.parse().unwrap());
    let trusted = TrustedProxies::new(networks).unwrap();
    let peer: IpAddr = PEERS[usize::from(*choice) % PEERS.len()].parse().unwrap();
    let by = match choice / 8 % 3 {
        0 => ForwardedBy::XForwardedFor,
        1 => ForwardedBy::Forwarded,
        _ => ForwardedBy::Both,
    };
    let Some(found) = client(b"", lines, peer, &trusted, by) else {
        return;
    };
    let peer = peer.to_canonical();
    if !trusted.contains(peer) {
        assert_eq!(found, Ok((peer, false, String::new())));
        return;
    }
    // A field that is not read changes nothing.
    let other: &[u8] = match by {
        ForwardedBy::XForwardedFor => b"Forwarded: for=198.51.100.9;proto=gopher\r\n",
        ForwardedBy::Forwarded => b"X-Forwarded-For: 198.51.100.9\r\n",
        ForwardedBy::Both => b"X-Real-Ip: 198.51.100.9\r\n",
    };
    if let Some(with_other) = client(other, lines, peer, &trusted, by) {
        assert_eq!(found, with_other);
    }
    let Ok((address, by_proxy, _)) = found else {
        return;
    };
    assert!(by_proxy && address == address.to_canonical());
    if trusted.contains(address) {
        return;
    }
    // What a client writes itself stands to the left of what its proxy writes, and changes nothing.
    let lie: &[u8] = match by {
        ForwardedBy::XForwardedFor => b"X-Forwarded-For: 198.51.100.9, nonsense\r\n",
        ForwardedBy::Forwarded => {
            b"Forwarded: for=198.51.100.9;proto=https;host=evil.example.com\r\n"
        }
        ForwardedBy::Both => b"X-Forwarded-For: 198.51.100.9\r\nForwarded: for=198.51.100.9\r\n",
    };
    if let Some(lied) = client(lie, lines, peer, &trusted, by) {
        assert_eq!(found, lied);
    }
}

/// The client, whether a proxy names it, and what else the proxy says. Nothing where the lines are no head.
fn client(
    before: &[u8],
    lines: &[u8],
    peer: IpAddr,
    trusted: &TrustedProxies,
    by: ForwardedBy,
) -> Option<Result<(IpAddr, bool, String), ClientFault>> {
    let start = b"GET / HTTP/1.1\r\nHost: a\r\n";
    let bytes = [start, before, lines, b"\r\n\r\n"].concat();
    let Ok(Parsed::Complete { head, .. }) = parse_request_head(&bytes, &HeadBounds::STANDARD)
    else {
        return None;
    };
    let headers = HeaderSet::of_request(&head, &bytes);
    Some(
        Client::of(peer, &headers, trusted, Believed::all(by)).map(|client| {
            let mut said = String::new();
            if let Some(scheme) = client.scheme() {
                said.push_str(scheme.as_str());
            }
            if let Some(host) = client.host() {
                said.push_str(&host.to_string());
            }
            (client.ip().address(), client.is_by_proxy(), said)
        }),
    )
}
