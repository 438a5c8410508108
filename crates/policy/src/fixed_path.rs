//! One path of the service, as a setting names it: canonical, without parameters.

use crate::{Malformed, PathTemplate, Segment};

/// Reads a path that is written as in a route, but is one path. It begins with `/`, and has neither a query nor what another reader
/// could take for a host.
///
/// # Errors
///
/// What is no canonical path, and what has parameters.
pub(crate) fn fixed_path(text: &str) -> Result<String, Malformed> {
    let template = PathTemplate::parse(text)?;
    let fixed = template
        .segments()
        .iter()
        .all(|segment| matches!(segment, Segment::Literal(_)));
    if fixed {
        return Ok(template.as_str().to_owned());
    }
    Err(Malformed::whole(
        text,
        "this is one path, without parameters",
    ))
}
