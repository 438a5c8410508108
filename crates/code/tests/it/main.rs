#![cfg(test)]
//! The integration tests of crate `code`.

mod machine;
mod project;
