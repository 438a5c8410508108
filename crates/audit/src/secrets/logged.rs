//! Where what is written to a log is handed to it: a project's own logger only passes it on.

use portcullis_code::machine::{Event, Machine};

use crate::route::Site;

/// Most wrappers around one line.
const WRAPPERS_MAX: usize = 6;

/// The call that hands something to a log: outside of the files that are the project's own logger.
pub(crate) fn handed_at(machine: &Machine<'_>, event: &Event) -> Site {
    let mut site = Site {
        module: event.module,
        span: event.span,
    };
    let mut at = event.frame;
    for _ in 0..WRAPPERS_MAX {
        let file = &machine.project.module(site.module).file;
        let stem = file.rsplit('/').next().unwrap_or(file).to_lowercase();
        let Some(frame) = at
            .filter(|_| stem.starts_with("log"))
            .and_then(|frame| machine.frame(frame))
        else {
            break;
        };
        site = Site {
            module: frame.call_module,
            span: frame.call_span,
        };
        at = frame.parent;
    }
    site
}
