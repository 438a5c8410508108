//! Reads source of any language into one body form, and unfolds it; knows no security and no framework.

pub mod body;
mod facts;
mod language;
pub mod machine;
pub mod project;
pub mod resolve;
pub mod track;
pub mod value;
