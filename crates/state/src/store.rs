//! The stores: one in memory, one that keeps its entries on the disk, the suite that each must pass, and one that fails on purpose.

pub mod conformance;
pub mod embedded;
pub mod faults;
mod journal;
pub mod local;
pub mod memory;
pub mod shards;
mod snapshot;
pub mod state_dir;
pub mod wait;
