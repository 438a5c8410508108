//! Finds the routes of a project: each framework's declarations, made into [`crate::route::Route`]s.

pub mod nextjs;
