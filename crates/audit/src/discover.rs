//! Finds the routes of a project: one file per framework.

pub mod convex;
pub mod express;
pub mod nextjs;
pub mod unmounted;
