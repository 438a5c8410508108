//! The names that mean something to the guard, in the order in which they are looked for.

use super::Role;

/// One row: a name in lower case, or its beginning where it ends with `*`.
pub(super) type Row = (&'static [u8], Role);

/// The names of requests, by their first letter and, behind `x-`, their third.
pub(super) const fn request_rows(first: u8, third: u8) -> &'static [Row] {
    match first {
        b'c' => &[
            (b"connection", Role::Connection),
            (b"content-length", Role::ContentLength),
            (b"client-ip", Role::ClientAddress),
            (b"cf-connecting-ip", Role::ClientAddress),
            (b"cf-connecting-ipv6", Role::ClientAddress),
            (b"cf-pseudo-ipv4", Role::ClientAddress),
            (b"cf-access-authenticated-*", Role::Identity),
            (b"cloudfront-viewer-address", Role::ClientAddress),
        ],
        b'd' => &[(b"do-connecting-ip", Role::ClientAddress)],
        b'e' => &[(b"expect", Role::Expect)],
        b'f' => &[
            (b"forwarded", Role::Forwarded),
            (b"forwarded-for", Role::ClientAddress),
            (b"forwarded-host", Role::ClientAddress),
            (b"forwarded-proto", Role::ClientAddress),
            (b"fastly-client-ip", Role::ClientAddress),
            (b"fly-client-ip", Role::ClientAddress),
            (b"front-end-https", Role::ClientAddress),
        ],
        b'h' => &[(b"host", Role::Host), (b"http2-settings", Role::HopByHop)],
        b'i' => &[(b"incap-client-ip", Role::ClientAddress)],
        b'k' => &[(b"keep-alive", Role::HopByHop)],
        b'p' => &[
            (b"portcullis-*", Role::Identity),
            (b"proxy", Role::Internal),
            (b"proxy-authenticate", Role::HopByHop),
            (b"proxy-authorization", Role::HopByHop),
            (b"proxy-client-ip", Role::ClientAddress),
            (b"proxy-connection", Role::HopByHop),
        ],
        b'r' => &[
            (b"remote-addr", Role::ClientAddress),
            (b"remote-user", Role::Identity),
        ],
        b's' => &[(b"ssl-client-*", Role::Identity)],
        b't' => &[
            (b"te", Role::HopByHop),
            (b"trailer", Role::HopByHop),
            (b"transfer-encoding", Role::TransferEncoding),
            (b"true-client-ip", Role::ClientAddress),
            (b"tailscale-user-*", Role::Identity),
        ],
        b'u' => &[(b"upgrade", Role::Upgrade)],
        b'w' => &[(b"wl-proxy-client-ip", Role::ClientAddress)],
        b'x' => extension_rows(third),
        _ => &[],
    }
}

/// The names of requests that begin with `x-`, by the letter behind it.
const fn extension_rows(third: u8) -> &'static [Row] {
    match third {
        b'a' => &[
            (b"x-appengine-user-ip", Role::ClientAddress),
            (b"x-azure-clientip", Role::ClientAddress),
            (b"x-azure-socketip", Role::ClientAddress),
            (b"x-auth-request-*", Role::Identity),
            (b"x-authenticated-*", Role::Identity),
            (b"x-amzn-oidc-*", Role::Identity),
            (b"x-accel-*", Role::Internal),
        ],
        b'c' => &[
            (b"x-client-ip", Role::ClientAddress),
            (b"x-cluster-client-ip", Role::ClientAddress),
            (b"x-client-cert*", Role::Identity),
        ],
        b'e' => &[(b"x-envoy-*", Role::Internal)],
        b'f' => &[
            (b"x-forwarded-for", Role::ForwardedFor),
            (b"x-forwarded-proto", Role::ForwardedProto),
            (b"x-forwarded-host", Role::ForwardedHost),
            (b"x-forwarded-*", Role::ClientAddress),
            (b"x-forwarded", Role::ClientAddress),
            (b"x-forward-for", Role::ClientAddress),
        ],
        b'g' => &[
            (b"x-goog-authenticated-*", Role::Identity),
            (b"x-goog-iap-*", Role::Identity),
        ],
        b'h' => &[
            (b"x-host", Role::Override),
            (b"x-http-host-override", Role::Override),
            (b"x-http-method-override", Role::Override),
            (b"x-http-method", Role::Override),
        ],
        b'i' => &[(b"x-invoke-*", Role::Internal)],
        b'm' => &[
            (b"x-method-override", Role::Override),
            (b"x-ms-client-principal*", Role::Identity),
            (b"x-middleware-*", Role::Internal),
            (b"x-matched-path", Role::Internal),
        ],
        b'n' => &[
            (b"x-nf-client-connection-ip", Role::ClientAddress),
            (b"x-now-route-matches", Role::Internal),
            (b"x-nonce", Role::Internal),
        ],
        b'o' => &[
            (b"x-original-forwarded-for", Role::ClientAddress),
            (b"x-original-url", Role::Override),
            (b"x-original-uri", Role::Override),
            (b"x-original-host", Role::Override),
            (b"x-original-method", Role::Override),
        ],
        b'p' => &[(b"x-proxyuser-ip", Role::ClientAddress)],
        b'r' => &[
            (b"x-real-ip", Role::ClientAddress),
            (b"x-remote-addr", Role::ClientAddress),
            (b"x-remote-ip", Role::ClientAddress),
            (b"x-remote-user*", Role::Identity),
            (b"x-request-id", Role::RequestId),
            (b"x-rewrite-url", Role::Override),
        ],
        b's' => &[
            (b"x-scheme", Role::ClientAddress),
            (b"x-sucuri-clientip", Role::ClientAddress),
            (b"x-ssl-client-*", Role::Identity),
            (b"x-sendfile*", Role::Internal),
        ],
        b'u' => &[(b"x-url-scheme", Role::ClientAddress)],
        b'v' => &[
            (b"x-vercel-forwarded-for", Role::ClientAddress),
            (b"x-vercel-proxied-for", Role::ClientAddress),
        ],
        b'w' => &[(b"x-webauth-*", Role::Identity)],
        _ => &[],
    }
}

/// The names of responses, by their first letter.
pub(super) const fn response_rows(first: u8, _third: u8) -> &'static [Row] {
    match first {
        b'c' => &[
            (b"connection", Role::Connection),
            (b"content-length", Role::ContentLength),
        ],
        b'k' => &[(b"keep-alive", Role::HopByHop)],
        b'p' => &[
            (b"portcullis-*", Role::Identity),
            (b"proxy-authenticate", Role::HopByHop),
            (b"proxy-connection", Role::HopByHop),
        ],
        b's' => &[(b"server", Role::Software)],
        b't' => &[
            (b"te", Role::HopByHop),
            (b"trailer", Role::HopByHop),
            (b"transfer-encoding", Role::TransferEncoding),
        ],
        b'u' => &[(b"upgrade", Role::Upgrade)],
        b'x' => &[
            (b"x-powered-by", Role::Software),
            (b"x-aspnet-version", Role::Software),
            (b"x-aspnetmvc-version", Role::Software),
            (b"x-request-id", Role::RequestId),
            (b"x-middleware-*", Role::Internal),
            (b"x-accel-*", Role::Internal),
            (b"x-envoy-*", Role::Internal),
            (b"x-sendfile*", Role::Internal),
        ],
        _ => &[],
    }
}
