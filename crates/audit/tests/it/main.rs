//! The audit crate from outside.
#![cfg(test)]

mod library;
//! The audit from outside, one module for each part of it.
mod matcher;
