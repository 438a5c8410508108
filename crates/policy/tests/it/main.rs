//! The policy crate from outside.
#![cfg(test)]

mod errors;
mod guide;
mod paths;
mod policies;
mod robustness;
