#![cfg(test)]
//! The crate from outside.
