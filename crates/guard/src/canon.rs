//! Canonical types: one constructor from raw bytes each, so that what was judged is what is forwarded.
//!
//! What two readers could read differently is an error, never repaired.

mod address;
mod bucket;
mod client_ip;
pub mod cookies;
mod escape;
mod fault;
mod forwarded;
mod header_set;
mod host_name;
mod json_body;
mod json_shape;
mod letter_case;
mod media_type;
mod path;
mod raw_body;
mod set_cookie;
mod target;
mod trusted_proxies;

pub use bucket::{Bucket, Coarseness};
pub use client_ip::{Believed, Client, ClientIp, ForwardedBy, Scheme};
pub use cookies::{CookieRepeated, Cookies};
pub use fault::{CanonFault, ClientFault, HostFault, JsonFault, PathFault};
pub use header_set::{HeaderSet, Repeated};
pub use host_name::{HostKind, HostName};
pub use json_body::{JsonBody, Scalar};
#[cfg(test)]
pub(crate) use letter_case::is_in_small_letters;
pub(crate) use letter_case::{differ_by_case, near};
pub use media_type::MediaType;
pub use path::CanonPath;
pub use raw_body::{RawBody, TooLarge};
pub use set_cookie::{ATTRIBUTE_BYTES_MAX, Attribute, COOKIE_BYTES_MAX, SetCookie};
pub use target::{Query, Target};
pub use trusted_proxies::{TrustedFault, TrustedProxies};
