//! What a route takes as a body: its media types, its largest size, and whether it is read before it is forwarded.

use crate::node::Node;
use crate::policy_file::{Draft, is_empty_list};
use crate::table_reader::TableReader;
use crate::{Body, ByteCount, MediaType, Name, Route, RouteType, Verify, default_limits};

/// The largest body where the route says nothing; [`FILE_MAX`] for a `file_upload`.
const BODY_MAX: ByteCount = ByteCount::kib(1024);

/// The largest body of a `file_upload` that says nothing.
const FILE_MAX: ByteCount = ByteCount::kib(32 * 1024);

/// A page of another site can send `text/plain` without being asked, and no form needs it; so it has to be named.
static FORMS: [MediaType; 3] = [MediaType::JSON, MediaType::FORM, MediaType::MULTIPART];
static FILES: [MediaType; 2] = [MediaType::MULTIPART, MediaType::BYTES];
static JSON: [MediaType; 1] = [MediaType::JSON];

impl Route {
    /// The media types that a body can have, of any method: those named, else JSON alone where the body is read as
    /// such, else what its type takes. A request without a body needs none; one with a body of another type, or of
    /// none, is refused.
    #[must_use]
    pub fn content_types(&self) -> &[MediaType] {
        if self.reads_json {
            return &JSON;
        }
        match &self.content_types {
            Some(named) => named,
            None if self.kind == RouteType::FileUpload => &FILES,
            None => &FORMS,
        }
    }

    /// The largest body: `body.max`, or else 1 MiB, for a `file_upload` 32 MiB.
    #[must_use]
    pub fn body_max(&self) -> ByteCount {
        body_max(self.kind, self.body.as_ref())
    }

    /// Whether the body is held in memory until the request is decided: it has a schema, a signature, or a limit that
    /// is counted by a field of it. Then it is never larger than the policy's `buffer_max`.
    #[must_use]
    pub const fn is_buffered(&self) -> bool {
        self.reads_json || self.verify.is_some()
    }
}

fn body_max(kind: RouteType, body: Option<&Body>) -> ByteCount {
    let default = if kind == RouteType::FileUpload {
        FILE_MAX
    } else {
        BODY_MAX
    };
    body.and_then(|body| body.max).unwrap_or(default)
}

/// What is read of a route before its content types are.
pub(crate) struct Content<'c> {
    pub(crate) kind: Option<RouteType>,
    pub(crate) limits: &'c [Name],
    pub(crate) body: Option<&'c Body>,
    pub(crate) body_node: Option<&'c Node>,
    pub(crate) verify: Option<&'c Verify>,
}

/// Reads `content_types`, and answers whether the body is read as JSON.
pub(crate) fn read_content(
    reader: &mut TableReader<'_, '_>,
    content: &Content<'_>,
    draft: &Draft,
) -> (Option<Vec<MediaType>>, bool) {
    let node = reader.optional("content_types");
    let types = reader.list::<MediaType>(node, false);
    if let Some(node) = node.filter(|node| is_empty_list(node)) {
        let message = "a body has a type: leave `content_types` out for those of the route's type";
        reader.faults().add(&node.span, message);
    }
    let has_schema = content.body.is_some_and(|body| body.schema.is_some());
    let reads_json = has_schema || limits_read_body(content, draft);
    if let (Some(node), Some(types)) = (node, &types)
        && reads_json
        && !types.is_empty()
        && *types != JSON
    {
        let message = "a body with a schema, or with a field that a limit counts by, is `application/json` and nothing else";
        reader
            .faults()
            .add_meant(&node.span, message, "[\"application/json\"]");
    }
    if let Some(kind) = content.kind
        && (reads_json || content.verify.is_some())
    {
        let most = draft.policy.proxy.buffer_max;
        let size = body_max(kind, content.body);
        if size > most {
            let message = format!(
                "this body of up to {size} is held in memory, where all together may be {most}: give it a smaller `max`, or `[proxy]` a larger `buffer_max`"
            );
            let span = content.body_node.map(|node| node.span.clone());
            let span = span.unwrap_or_else(|| reader.span().clone());
            reader.faults().add(&span, message);
        }
    }
    (types.filter(|types| !types.is_empty()), reads_json)
}

/// Whether a limit of the route, the default one of its type too, is counted by a field of the body.
fn limits_read_body(content: &Content<'_>, draft: &Draft) -> bool {
    let default = content.kind.map(default_limits::default_limit_name);
    content
        .limits
        .iter()
        .chain(&default)
        .filter_map(|name| draft.policy.limits.get(name))
        .any(crate::Limit::reads_body)
}
