//! Where a site is, as reports write it.

use portcullis_code::project::Project;
use portcullis_report::Location;

use crate::route::Site;

/// The place of a site, as reports write it.
pub(super) fn location(project: &Project, site: Site) -> Location {
    let module = project.module(site.module);
    Location::in_text(
        module.file.to_string(),
        &module.text,
        site.span.start as usize..site.span.end as usize,
    )
}

/// What stands there.
pub(super) fn snippet(project: &Project, site: Site) -> &str {
    let text = &project.module(site.module).text;
    text.get(site.span.start as usize..site.span.end as usize)
        .unwrap_or_default()
}
