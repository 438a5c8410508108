//! What a web service must have: route types, the matrix, controls, and the policy file they are written in.

mod control;
mod matrix;
mod route;

pub use control::Control;
pub use matrix::{Need, need};
pub use route::{Method, RouteType};
