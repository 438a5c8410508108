//! The crate from outside: whole outputs of one made report.
#![cfg(test)]

mod hostile;
mod made;
mod outputs;
mod sarif;
mod settled;
