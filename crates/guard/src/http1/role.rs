//! `Role`: what a field name means to the guard, from one table: who may say it, and whether it is forwarded.
//!
//! A name is compared without letter case, and with `_` and `.` taken as `-`: gateway interfaces (CGI, WSGI, PHP) turn
//! all three into one variable, so an application would take `X_Forwarded_For` for `X-Forwarded-For`.

/// What a field is to the guard. Only [`Role::EndToEnd`] is forwarded as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// For the other end; forwarded.
    EndToEnd,
    /// `Host`: forwarded in canonical form.
    Host,
    /// `Content-Length`: written anew.
    ContentLength,
    /// `Transfer-Encoding`: written anew.
    TransferEncoding,
    /// `Connection`.
    Connection,
    /// `Expect`: answered by the guard.
    Expect,
    /// `Upgrade`: never honoured.
    Upgrade,
    /// For this connection only (RFC 9110 §7.6.1).
    HopByHop,
    /// Listed by the message's own `Connection`, so for this connection only.
    Listed,
    /// A name that some servers take for one of the framing fields.
    FramingAlias,
    /// `X-Forwarded-For`: read from a trusted proxy, written anew.
    ForwardedFor,
    /// `X-Forwarded-Proto`: read from a trusted proxy, written anew.
    ForwardedProto,
    /// `X-Forwarded-Host`: read from a trusted proxy, written anew.
    ForwardedHost,
    /// `Forwarded`: read from a trusted proxy, written anew.
    Forwarded,
    /// Another way of saying whose request it is or how it came; never believed.
    ClientAddress,
    /// Said by the guard to the application: who the caller is.
    Identity,
    /// Would change the method or the path after they were judged.
    Override,
    /// A word between a proxy or a framework and itself.
    Internal,
    /// `X-Request-Id`: the guard gives each request its own.
    RequestId,
    /// In a response: what software answers.
    Software,
}

impl Role {
    /// Whether the field is forwarded as it came.
    #[must_use]
    pub const fn is_forwarded(self) -> bool {
        matches!(self, Self::EndToEnd)
    }

    /// Why the field is not forwarded as it came; none where it is.
    #[must_use]
    pub const fn why_not(self) -> Option<&'static str> {
        Some(match self {
            Self::EndToEnd => return None,
            Self::Host => "written anew from the canonical host",
            Self::ContentLength | Self::TransferEncoding => "framing is written anew",
            Self::Connection | Self::Expect | Self::Upgrade | Self::HopByHop => {
                "for this connection only"
            }
            Self::Listed => "listed by the connection field",
            Self::FramingAlias => "some servers take it for a framing field",
            Self::ForwardedFor | Self::ForwardedProto | Self::ForwardedHost | Self::Forwarded => {
                "written anew from what is known of the client"
            }
            Self::ClientAddress => "another spelling of the client's address",
            Self::Identity => "only the guard says who the caller is",
            Self::Override => "would change the request after it was judged",
            Self::Internal => "a word of a proxy or framework to itself",
            Self::RequestId => "the guard gives each request its own",
            Self::Software => "tells what software answers",
        })
    }

    /// Whether the field says where a message ends or who it is for, so that its aliases are dangerous.
    const fn is_framing(self) -> bool {
        matches!(
            self,
            Self::Host
                | Self::ContentLength
                | Self::TransferEncoding
                | Self::Connection
                | Self::Expect
                | Self::Upgrade
        )
    }

    /// The role of a name that is only nearly one of the table.
    const fn of_alias(self) -> Self {
        if self.is_framing() {
            Self::FramingAlias
        } else if matches!(
            self,
            Self::ForwardedFor | Self::ForwardedProto | Self::ForwardedHost | Self::Forwarded
        ) {
            Self::ClientAddress
        } else {
            self
        }
    }
}

/// One row: a name in lower case, or its beginning where it ends with `*`.
type Row = (&'static [u8], Role);

/// The names of requests, by their first letter.
const fn request_rows(first: u8) -> &'static [Row] {
    match first {
        b'c' => &[
            (b"connection", Role::Connection),
            (b"content-length", Role::ContentLength),
            (b"client-ip", Role::ClientAddress),
            (b"cf-connecting-ip", Role::ClientAddress),
            (b"cf-connecting-ipv6", Role::ClientAddress),
            (b"cf-pseudo-ipv4", Role::ClientAddress),
        ],
        b'e' => &[(b"expect", Role::Expect)],
        b'f' => &[
            (b"forwarded", Role::Forwarded),
            (b"forwarded-for", Role::ClientAddress),
            (b"forwarded-host", Role::ClientAddress),
            (b"forwarded-proto", Role::ClientAddress),
            (b"fastly-client-ip", Role::ClientAddress),
            (b"fly-client-ip", Role::ClientAddress),
        ],
        b'h' => &[(b"host", Role::Host), (b"http2-settings", Role::HopByHop)],
        b'k' => &[(b"keep-alive", Role::HopByHop)],
        b'p' => &[
            (b"portcullis-*", Role::Identity),
            (b"proxy", Role::Internal),
            (b"proxy-authenticate", Role::HopByHop),
            (b"proxy-authorization", Role::HopByHop),
            (b"proxy-client-ip", Role::ClientAddress),
            (b"proxy-connection", Role::HopByHop),
        ],
        b'r' => &[(b"remote-addr", Role::ClientAddress)],
        b't' => &[
            (b"te", Role::HopByHop),
            (b"trailer", Role::HopByHop),
            (b"transfer-encoding", Role::TransferEncoding),
            (b"true-client-ip", Role::ClientAddress),
        ],
        b'u' => &[(b"upgrade", Role::Upgrade)],
        b'w' => &[(b"wl-proxy-client-ip", Role::ClientAddress)],
        b'x' => &[
            (b"x-forwarded-for", Role::ForwardedFor),
            (b"x-forwarded-proto", Role::ForwardedProto),
            (b"x-forwarded-host", Role::ForwardedHost),
            (b"x-forwarded-*", Role::ClientAddress),
            (b"x-forwarded", Role::ClientAddress),
            (b"x-forward-for", Role::ClientAddress),
            (b"x-original-forwarded-for", Role::ClientAddress),
            (b"x-real-ip", Role::ClientAddress),
            (b"x-client-ip", Role::ClientAddress),
            (b"x-cluster-client-ip", Role::ClientAddress),
            (b"x-remote-addr", Role::ClientAddress),
            (b"x-remote-ip", Role::ClientAddress),
            (b"x-proxyuser-ip", Role::ClientAddress),
            (b"x-vercel-forwarded-for", Role::ClientAddress),
            (b"x-vercel-proxied-for", Role::ClientAddress),
            (b"x-appengine-user-ip", Role::ClientAddress),
            (b"x-azure-clientip", Role::ClientAddress),
            (b"x-azure-socketip", Role::ClientAddress),
            (b"x-request-id", Role::RequestId),
            (b"x-original-url", Role::Override),
            (b"x-original-uri", Role::Override),
            (b"x-original-host", Role::Override),
            (b"x-original-method", Role::Override),
            (b"x-rewrite-url", Role::Override),
            (b"x-host", Role::Override),
            (b"x-http-host-override", Role::Override),
            (b"x-http-method-override", Role::Override),
            (b"x-http-method", Role::Override),
            (b"x-method-override", Role::Override),
            (b"x-middleware-*", Role::Internal),
            (b"x-invoke-*", Role::Internal),
            (b"x-matched-path", Role::Internal),
            (b"x-now-route-matches", Role::Internal),
            (b"x-nonce", Role::Internal),
            (b"x-envoy-*", Role::Internal),
            (b"x-accel-*", Role::Internal),
            (b"x-sendfile*", Role::Internal),
        ],
        _ => &[],
    }
}

/// The names of responses, by their first letter.
const fn response_rows(first: u8) -> &'static [Row] {
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

/// The role of a field of a request.
#[must_use]
pub fn of_request_field(name: &[u8]) -> Role {
    role(name, request_rows)
}

/// The role of a field of a response.
#[must_use]
pub fn of_response_field(name: &[u8]) -> Role {
    role(name, response_rows)
}

fn role(name: &[u8], rows: fn(u8) -> &'static [Row]) -> Role {
    let Some(first) = name.first() else {
        return Role::EndToEnd;
    };
    let found = rows(first.to_ascii_lowercase())
        .iter()
        .find(|(row, _)| fits(row, name));
    let Some((_, role)) = found else {
        return Role::EndToEnd;
    };
    if name.iter().any(|byte| matches!(byte, b'_' | b'.')) {
        role.of_alias()
    } else {
        *role
    }
}

/// Whether a row means a name. The length settles most of them.
fn fits(row: &[u8], name: &[u8]) -> bool {
    match row {
        [beginning @ .., b'*'] => name
            .get(..beginning.len())
            .is_some_and(|start| is_same_name(beginning, start)),
        whole => is_same_name(whole, name),
    }
}

/// The byte of a name as it is compared.
const fn plain(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        other => other.to_ascii_lowercase(),
    }
}

/// Whether two field names are one to some reader: without letter case, `_` and `.` taken as `-`.
#[must_use]
pub fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| plain(*a) == plain(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_reached_and_is_what_its_row_says() {
        for rows in [request_rows, response_rows] {
            for first in 0..=255 {
                for (row, expected) in rows(first) {
                    let name: Vec<u8> = row
                        .iter()
                        .flat_map(|byte| {
                            if *byte == b'*' {
                                &b"any"[..]
                            } else {
                                std::slice::from_ref(byte)
                            }
                        })
                        .copied()
                        .collect();
                    assert_eq!(name.first(), Some(&first));
                    assert_eq!(role(&name, rows), *expected, "{}", name.escape_ascii());
                    assert_eq!(role(&name.to_ascii_uppercase(), rows), *expected);
                    for separator in [b'_', b'.'] {
                        let alias: Vec<u8> = name
                            .iter()
                            .map(|byte| if *byte == b'-' { separator } else { *byte })
                            .collect();
                        assert!(
                            !role(&alias, rows).is_forwarded(),
                            "{}",
                            alias.escape_ascii()
                        );
                    }
                    assert_eq!(expected.why_not().is_some(), !expected.is_forwarded());
                }
            }
        }
    }

    #[test]
    fn names_that_only_begin_alike_are_forwarded() {
        for name in [
            "hos",
            "hosts",
            "te-",
            "x-real-ipx",
            "x-nextjs-data",
            "rsc",
            "next-router-state-tree",
            "traceparent",
            "tracestate",
            "x-csrf-token",
            "authorization",
            "cookie",
            "content-type",
            "proxyx",
            "portcullis",
            "x-sendfil",
            "a-name-that-is-longer-than-any-row-of-the-table",
            "x-original-forwarded-for-and-more-than-that",
        ] {
            assert_eq!(of_request_field(name.as_bytes()), Role::EndToEnd, "{name}");
        }
    }

    #[test]
    fn separators_and_case_make_no_other_name() {
        assert!(is_same_name(b"X_User.Id", b"x-user-id"));
        assert!(!is_same_name(b"x-user", b"x-users"));
        assert_eq!(of_request_field(b"Content_Length"), Role::FramingAlias);
        assert_eq!(of_request_field(b"X_Forwarded_For"), Role::ClientAddress);
    }
}
