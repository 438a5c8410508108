//! `AnswerPlan`: which header fields every answer has, the application's and the guard's own, worked out when a policy is
//! loaded.
//!
//! 1. what the application sends and only the guard says is left out (`names.rs`)
//! 2. the security fields are added by the media type of the answer (`defaults.rs`, `media.rs`)
//! 3. what a caller who is known gets is not stored (`caching.rs`)
//! 4. pages of other sites may read what `[cors]` lets them (`cors.rs`)
//!
//! Most answers cost one look at each name and one copy of bytes that were made beforehand.

mod audience;
mod block;
mod caching;
mod cors;
mod defaults;
mod location;
mod media;
mod names;
mod nonce;
mod relayed;

use portcullis_policy::{MethodSet, Policy};

use crate::http1::{ResponseFault, ResponseHead};
use crate::request::RequestView;

pub use audience::Audience;
pub use caching::Caching;
pub use cors::{is_preflight, write_methods};
pub use nonce::{NONCE_RANDOM_BYTES, Nonce};

use block::Blocks;
use caching::CacheRule;
use cors::CorsPlan;
use location::Locations;
use names::Names;

/// The header fields of answers, ready for use.
#[derive(Debug)]
pub struct AnswerPlan {
    names: Names,
    blocks: Blocks,
    cache: CacheRule,
    cors: Option<CorsPlan>,
    locations: Locations,
}

impl AnswerPlan {
    /// What a policy asks for.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let cors = policy.cors().map(CorsPlan::of);
        Self {
            names: Names::of(policy),
            blocks: Blocks::of(policy),
            cache: CacheRule::of(policy),
            cors,
            locations: Locations::of(policy),
        }
    }

    /// What holds before there is a policy.
    #[must_use]
    pub fn closed() -> Self {
        Self {
            names: Names::standard(),
            blocks: Blocks::standard(),
            cache: CacheRule::default(),
            cors: None,
            locations: Locations::default(),
        }
    }

    /// Who the answer to a request is for, as far as that changes its header fields.
    #[must_use]
    pub fn audience(&self, view: &RequestView<'_>) -> Audience {
        Audience::of(view, self.cors.as_ref())
    }

    /// Whether each request has a nonce, which the application is told in `X-Nonce` and browsers in the answer's
    /// Content-Security-Policy.
    #[must_use]
    pub const fn wants_nonce(&self) -> bool {
        self.blocks.wants_nonce()
    }

    /// Whether the policy says which other sites' pages may read answers: then the guard answers preflights itself.
    #[must_use]
    pub const fn has_cors(&self) -> bool {
        self.cors.is_some()
    }

    /// Writes the fields of an application's answer, and those of the guard.
    ///
    /// # Errors
    ///
    /// [`ResponseFault::Location`], where the answer leads to a place that two readers take for two places. What was
    /// written by then is no answer.
    pub fn write_relayed(
        &self,
        out: &mut Vec<u8>,
        head: &ResponseHead,
        buf: &[u8],
        audience: Audience,
        caching: Caching,
    ) -> Result<(), ResponseFault> {
        relayed::write(self, out, head, buf, audience, caching)
    }

    /// Writes the fields of an answer of the guard's own. `Cache-Control: no-store`, which stands in all of them, is not
    /// among them.
    pub fn write_own(&self, out: &mut Vec<u8>, audience: Audience) {
        out.extend_from_slice(self.blocks.own(audience.binds()));
        self.write_cors(out, audience);
    }

    /// The same for the answer to a preflight (Fetch §4.8), about a path with these methods. It says what is allowed, and
    /// echoes nothing that was asked; a browser compares.
    pub fn write_preflight(&self, out: &mut Vec<u8>, audience: Audience, methods: MethodSet) {
        out.extend_from_slice(self.blocks.own(audience.binds()));
        if let Some(cors) = &self.cors {
            cors.write_preflight(out, audience.cross(), methods);
        }
    }

    fn write_cors(&self, out: &mut Vec<u8>, audience: Audience) {
        if let Some(cors) = &self.cors {
            cors.write(out, audience.cross());
        }
    }
}

/// Writes one field.
pub(crate) fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
