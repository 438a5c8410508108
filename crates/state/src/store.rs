//! The stores: one in memory, the suite that each must pass, and one that fails on purpose.

pub mod conformance;
pub mod faults;
pub mod memory;
pub mod shards;
mod snapshot;
pub mod state_dir;
mod wait;
