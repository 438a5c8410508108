//! The renderers: each prints a settled `Report`, and none decides anything.

mod excerpt;
pub mod json;
pub mod markdown;
pub mod page;
pub mod routes;
pub mod sarif;
mod summary;
pub mod terminal;
mod wire;

/// Two spaces deep and a line break at the end, as every JSON document of the project.
pub(crate) fn pretty<T: serde::Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}
