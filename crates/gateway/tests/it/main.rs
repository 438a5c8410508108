#![cfg(test)]
//! The crate from outside: a running gateway between a client of bytes and an application that writes everything down.
mod bounds;
mod cases_accept;
mod cases_decision;
mod cases_events;
mod cases_framing;
mod cases_json;
mod cases_request;
mod cases_slow;
mod drain;
mod exactness;
mod exchanges;
mod faults_upload;
mod faults_upstream;
mod fields;
mod llhttp;
mod past_failures;
mod pool;
mod rate_limit_fields;
mod reviewed;
mod sequences;
mod smuggler;
mod store_faults;
mod structured_fields;
mod support;
mod tls;
mod tls_faults;
