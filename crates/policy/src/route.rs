//! Route types and methods.

use serde::Serialize;

/// What sort of route this is, as far as protection goes (`docs/guide` explains each).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteType {
    /// Anybody may submit, for example a contact form.
    PublicForm,
    /// Changes data of a signed-in user.
    ProtectedMutation,
    /// Reads public data.
    PublicRead,
    /// Reads data of a signed-in user.
    ProtectedRead,
    /// Called by another service and signed by it.
    Webhook,
    /// Takes a file from a signed-in user.
    FileUpload,
    /// Login, sign-up, reset, token.
    AuthOp,
    /// For the platform or another service, not for users.
    Internal,
}

/// An HTTP method, or `Any` where a handler answers every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the methods of RFC 9110 need no explanation")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    /// Every method: the handler does not look.
    Any,
}
