//! Everything that outlives a decision: the stores, what is kept over a restart, the events that are written.

pub mod clock;
mod error;
pub mod events;
pub mod store;

pub use clock::SystemClock;
pub use error::StateError;
pub use events::{EventHealth, EventSink, EventWriter, Pseudonyms};
pub use store::memory::{MemoryOptions, MemoryStore};
pub use store::snapshot::SnapshotDir;
