//! `Role`: what a field name means to the guard, from one table: who may say it, and whether it is forwarded.
//!
//! A name is compared without letter case, and with `_` and `.` taken as `-`: gateway interfaces (CGI, WSGI, PHP) turn
//! all three into one variable, so an application would take `X_Forwarded_For` for `X-Forwarded-For`.

mod names;

use names::{Row, request_rows, response_rows};

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
    /// Who the caller is: said by the guard to the application, or what a proxy that authenticates would say.
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

/// The role of a field of a request.
#[must_use]
pub fn of_request_field(name: &[u8]) -> Role {
    // As nearly every request writes it.
    if name == b"Host" {
        return Role::Host;
    }
    role(name, request_rows)
}

/// The role of a field of a response.
#[must_use]
pub fn of_response_field(name: &[u8]) -> Role {
    role(name, response_rows)
}

fn role(name: &[u8], rows: fn(u8, u8) -> &'static [Row]) -> Role {
    let letter = |at: usize| name.get(at).map_or(0, u8::to_ascii_lowercase);
    let found = rows(letter(0), letter(2))
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
            let starts = (0..=255).flat_map(|first| (0..=255).map(move |third| (first, third)));
            for (first, third) in starts {
                for (row, expected) in rows(first, third) {
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

    /// What a proxy that authenticates would say of the caller, or one more way of saying where a request comes from.
    #[test]
    fn what_a_client_must_not_say_of_itself_is_not_forwarded() {
        for name in [
            "Remote-User",
            "X-Remote-User",
            "X-Remote-User-Email",
            "X-Auth-Request-User",
            "X-Auth-Request-Groups",
            "X-WebAuth-User",
            "X-Authenticated-Userid",
            "X-Goog-Authenticated-User-Email",
            "X-Goog-IAP-JWT-Assertion",
            "X-Amzn-Oidc-Identity",
            "X-MS-CLIENT-PRINCIPAL",
            "X-MS-CLIENT-PRINCIPAL-NAME",
            "Cf-Access-Authenticated-User-Email",
            "Tailscale-User-Login",
            "X-SSL-Client-S-DN",
            "SSL-Client-Verify",
            "X-Client-Cert",
            "X-Client-Certificate",
            "X-Forwarded-Client-Cert",
            "X-Forwarded-User",
            "X-Forwarded-Email",
            "Incap-Client-IP",
            "X-Sucuri-ClientIP",
            "DO-Connecting-IP",
            "X-NF-Client-Connection-IP",
            "CloudFront-Viewer-Address",
            "X-Scheme",
            "X-Url-Scheme",
            "Front-End-Https",
        ] {
            for name in [
                name.to_owned(),
                name.replace('-', "_"),
                name.replace('-', "."),
            ] {
                let role = of_request_field(name.as_bytes());
                let is_said = matches!(role, Role::Identity | Role::ClientAddress);
                assert!(is_said, "{name}: {role:?}");
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
            // Signed, or of no caller.
            "cf-access-jwt-assertion",
            "cf-ray",
            "cloudfront-viewer-country",
            "x-amzn-trace-id",
            "x-ms-client-request-id",
            "x-goog-api-key",
            "x-goog-api-client",
            "x-client-data",
            "x-client-version",
            "x-auth-token",
            "x-authorization",
            "x-requested-with",
            "x-csrftoken",
            "x-schema",
            "x-session-id",
            "x-ssl",
            "x-webhook-id",
            "sec-fetch-site",
            "remote-users",
            "x-",
            "x",
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
