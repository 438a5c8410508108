//! Decides whether a request may pass: canonical types, the numbered order of controls, the words of the store. It does
//! no I/O and reads no clock. No answer is never a yes.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod answer;
pub mod api_key;
pub mod application;
pub mod base64url;
pub mod bearer;
pub mod canon;
pub mod clock;
mod codes;
pub mod compile;
pub mod credential;
pub mod csrf;
pub mod decide;
pub mod decision;
pub mod digest;
pub mod http1;
pub mod identity_plan;
pub mod issuing;
pub mod keys;
pub mod limit;
mod packed;
mod phases;
pub mod plan;
pub mod principal;
pub mod reason;
pub mod request;
pub mod route_table;
pub mod session;
pub mod store;
pub mod token;
mod token_cookies;
pub mod trace;
