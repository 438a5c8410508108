#![cfg(test)]
//! The crate from outside.
mod conformance;
mod events;
mod memory;
mod snapshot;
