//! Everything that outlives a decision: the stores, what is kept over a restart, the events that are written, the secrets, the trail.

pub mod api_keys;
mod asking;
pub mod clock;
mod error;
pub mod events;
pub mod issuer;
pub mod key_sets;
pub mod keys;
mod private_files;
pub mod revocations;
pub mod sessions;
pub mod store;
pub mod tokens;
pub mod trail;
mod user_list;

pub use clock::{SystemClock, Wall};
pub use error::StateError;
pub use events::{EventHealth, EventSink, EventWriter, Pseudonyms};
pub use store::embedded::EmbeddedStore;
pub use store::local::LocalStore;
pub use store::memory::{MemoryOptions, MemoryStore};
pub use store::state_dir::StateDir;
pub use trail::{Trail, TrailError, TrailOptions, TrailRecord};

/// So many of the system's random bytes.
///
/// # Errors
///
/// When there are none.
pub fn random_bytes<const COUNT: usize>() -> Result<[u8; COUNT], StateError> {
    let mut bytes = [0; COUNT];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| StateError::NoRandomness)?;
    Ok(bytes)
}

/// A number of the system's random bytes.
///
/// # Errors
///
/// When there are none.
pub fn random() -> Result<u64, StateError> {
    random_bytes().map(u64::from_ne_bytes)
}
