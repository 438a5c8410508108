#![cfg(test)]
//! The audit crate from outside.

mod library;
mod matcher;
mod schema;
mod nextjs;
