//! The audit crate from outside.
#![cfg(test)]

mod library;
