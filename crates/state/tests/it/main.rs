#![cfg(test)]
//! The crate from outside.
mod conformance;
mod corpus;
mod events;
mod memory;
mod snapshot;
mod trail;
