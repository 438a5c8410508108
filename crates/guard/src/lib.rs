//! Decides whether a request may pass: canonical types, the numbered order of controls, the words of the store. It does
//! no I/O and reads no clock. No answer is never a yes.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod canon;
pub mod clock;
pub mod http1;
pub mod limit;
pub mod store;
