#![cfg(test)]
//! The crate from outside: a running gateway between a client of bytes and an application that writes everything down.
mod cases_decision;
mod cases_framing;
mod cases_json;
mod cases_request;
mod llhttp;
mod rate_limit_fields;
mod smuggler;
mod structured_fields;
mod support;
