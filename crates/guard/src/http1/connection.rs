//! `Connection`: what a message says of its own connection, and which fields it takes from the way.

use super::bytes::{token_len, trimmed};
use super::fault::FramingFault;
use super::field::{Field, Fields};
use super::role::{Role, is_same_name, of_request_field};

/// End-to-end fields that a request's `Connection` must not take away: the guard or the application decides by them,
/// so the application would judge another request than the guard did (CVE-2022-1388 and its kin).
const PROTECTED: &[&[u8]] = &[
    b"authorization",
    b"cookie",
    b"set-cookie",
    b"content-type",
    b"content-encoding",
    b"content-range",
    b"content-disposition",
    b"content-security-policy",
    b"cache-control",
    b"date",
    b"digest",
    b"content-digest",
    b"idempotency-key",
    b"location",
    b"origin",
    b"range",
    b"referer",
    b"signature",
    b"signature-input",
    b"sec-fetch-site",
    b"sec-fetch-mode",
    b"sec-fetch-dest",
    b"sec-fetch-user",
    b"stripe-signature",
    b"strict-transport-security",
    b"svix-id",
    b"svix-signature",
    b"svix-timestamp",
    b"traceparent",
    b"tracestate",
    b"user-agent",
    b"vary",
    b"webhook-id",
    b"webhook-signature",
    b"webhook-timestamp",
    b"www-authenticate",
    b"x-api-key",
    b"x-csrf-token",
    b"x-hub-signature",
    b"x-hub-signature-256",
    b"x-xsrf-token",
];

/// The `Connection` fields of a message, taken together.
#[derive(Default)]
pub(super) struct Connection {
    /// `close` is listed.
    pub(super) close: bool,
    /// `keep-alive` is listed.
    pub(super) keep_alive: bool,
    names: bool,
}

impl Connection {
    /// Reads one value: a list of tokens (RFC 9110 §5.6.1, empty elements ignored).
    pub(super) fn add(&mut self, value: &[u8]) -> Result<(), FramingFault> {
        for name in elements(value) {
            if token_len(name) != name.len() {
                return Err(FramingFault::ConnectionMalformed);
            }
            if name.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if name.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if is_protected(name) {
                return Err(FramingFault::ConnectionProtected);
            } else {
                self.names = true;
            }
        }
        Ok(())
    }

    /// Whether a field may be listed.
    pub(super) fn lists_names(&self) -> bool {
        self.names
    }

    /// Marks the fields that are listed.
    pub(super) fn mark_listed(&self, buf: &[u8], fields: &mut Fields) -> Result<(), FramingFault> {
        let lists: smallvec::SmallVec<[Field; 4]> = fields
            .iter()
            .filter(|field| field.role == Role::Connection)
            .copied()
            .collect();
        for field in fields.iter_mut().filter(|field| field.role.is_forwarded()) {
            let name = field.name.of(buf);
            let listed = lists
                .iter()
                .flat_map(|list| elements(list.value.of(buf)))
                .any(|element| is_same_name(element, name));
            if listed {
                field.role = Role::Listed;
            }
        }
        Ok(())
    }
}

fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(trimmed)
        .filter(|name| !name.is_empty())
}

/// Whether a field must not be listed: what the guard writes itself, and what is judged by.
fn is_protected(name: &[u8]) -> bool {
    let role = of_request_field(name);
    let own = !matches!(role, Role::EndToEnd | Role::HopByHop | Role::Upgrade);
    own || PROTECTED.iter().any(|one| is_same_name(one, name))
}
