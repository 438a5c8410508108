//! Finds the routes of a project: one file per framework.

pub mod express;
pub mod nextjs;
