//! The stores: what outlives a decision, in memory.

pub mod memory;
pub mod shards;
pub mod snapshot;
