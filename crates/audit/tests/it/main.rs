#![cfg(test)]
//! The audit from outside, one module for each part of it.

mod matcher;
