#![cfg(test)]
//! The crate from outside.
mod api_keys;
mod case_104;
mod conformance;
mod corpus;
mod embedded;
mod embedded_faults;
mod embedded_kill;
mod events;
mod issuer_keys;
mod key_sets;
mod key_sets_server;
mod memory;
mod sessions;
mod snapshot;
mod support;
mod tokens;
mod trail;
