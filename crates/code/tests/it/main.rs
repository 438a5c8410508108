#![cfg(test)]
//! The integration tests of crate `code`.

mod hostile;
mod machine;
mod project;
