#![cfg(test)]
//! The crate from outside.
mod canon_headers;
mod canon_host;
mod canon_json;
mod canon_path;
mod canon_path_spelling;
mod client_ip;
mod client_ip_forwarded;
mod client_ip_vectors;
mod core_bodies;
mod core_limits;
mod core_made;
mod core_phases;
mod core_shadow;
mod core_store;
mod corpus;
mod decide_properties;
mod http1_chunked;
mod http1_framing;
mod http1_head;
mod http1_llhttp;
mod http1_llhttp_differences;
mod http1_made;
mod http1_properties;
mod http1_response;
mod limit;
mod plan_compile;
