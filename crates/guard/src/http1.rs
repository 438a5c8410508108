//! A strict reader of HTTP/1 heads and chunked bodies: what two readers could read differently is refused.
//!
//! A head is read in place. A [`RequestHead`] or [`ResponseHead`] holds ranges of the buffer it was read from and
//! what was decided about its framing; nothing is copied and nothing is repaired (RFC 9112 as its strict reader).

mod bounds;
mod bytes;
pub mod chunked;
mod connection;
mod fault;
mod field;
mod framing;
pub mod head;
pub mod response;
pub mod role;

pub use bounds::HeadBounds;
pub(crate) use bytes::{is_token, token_len, trimmed};
pub use chunked::{ChunkDecoder, ChunkFault, ChunkStep};
pub use fault::{FieldFault, FramingFault, HeadFault, ResponseFault};
pub use field::{Field, Fields, Span};
pub use framing::{Framing, ResponseFraming, Version};
pub use head::{RequestHead, parse_request_head, parse_request_head_into};
pub use response::{ResponseHead, parse_response_head};
pub use role::Role;

/// What a reader found so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// Nothing wrong yet, and not the whole head. More bytes are needed.
    Incomplete,
    /// The whole head.
    Complete {
        /// What it says.
        head: T,
        /// How many bytes it took, the empty line included. The body begins there.
        len: usize,
    },
}

/// Whether the head can be complete now, when at an earlier call with the first `seen` bytes it was not.
///
/// A head that arrives byte by byte would otherwise be read from its beginning for every byte. Looks at the new bytes
/// only; the answer `false` is certain, the answer `true` is not.
#[must_use]
pub fn head_may_be_complete(buf: &[u8], seen: usize) -> bool {
    let from = seen.saturating_sub(2);
    let fresh = buf.get(from..).unwrap_or_default();
    memchr::memchr_iter(b'\n', fresh)
        .any(|at| matches!(fresh.get(at + 1..), Some([b'\r', b'\n', ..])))
}
