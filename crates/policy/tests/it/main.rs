//! The policy crate from outside.
#![cfg(test)]

mod api_keys;
mod corpus;
mod csp;
mod demands;
mod deployment;
mod errors;
mod functions;
mod guard_needs;
mod guide;
mod identity;
mod overlaps;
mod own_issuer;
mod paths;
mod policies;
mod resolved;
mod robustness;
mod schema;
