#![cfg(test)]
//! The audit crate from outside.

mod express;
mod library;
mod matcher;
mod nextjs;
mod pages;
mod schema;
mod schema_code;
