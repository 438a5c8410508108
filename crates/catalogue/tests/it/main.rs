#![cfg(test)]
//! The catalogue as others see it: what the committed data says, and what is refused.

mod builtin;
mod refused;
