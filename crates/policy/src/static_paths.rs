//! `static`: paths that anybody may get.

use crate::faults::Faults;
use crate::node::Node;
use crate::policy_file::Draft;
use crate::table_reader::{nodes, parsed};
use crate::{PathTemplate, Route};

/// Reads `static`: each entry becomes a `public_read` route for `GET`, and `HEAD` with it.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let Some(values) = nodes(node, faults) else {
        return;
    };
    for value in values {
        let Some(path) = parsed::<PathTemplate>(value, faults) else {
            continue;
        };
        draft
            .policy
            .statics
            .push(Route::of_static(path, faults.place(&value.span)));
    }
}
