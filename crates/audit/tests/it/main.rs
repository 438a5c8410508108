#![cfg(test)]
//! The audit crate from outside.

mod cache;
mod convex;
mod express;
mod inventory;
mod library;
mod matcher;
mod nextjs;
mod pages;
mod policy_excepts;
mod policy_flows;
mod policy_guards;
mod policy_types;
mod schema;
mod schema_code;
mod stage;
mod studio;
mod unmounted;
