#![cfg(test)]
//! The crate from outside.
mod conformance;
