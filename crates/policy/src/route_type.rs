//! `RouteType`: what sort of route it is, and so what it must have.

use crate::word::words;

/// What sort of route this is, as far as protection goes (`docs/guide` explains each).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

words!(RouteType, "route type", {
    PublicForm => "public_form",
    ProtectedMutation => "protected_mutation",
    PublicRead => "public_read",
    ProtectedRead => "protected_read",
    Webhook => "webhook",
    FileUpload => "file_upload",
    AuthOp => "auth_op",
    Internal => "internal",
});

impl RouteType {
    /// Whether a route of this type knows its caller, so that a permission or an owner has a meaning.
    #[must_use]
    pub const fn has_caller(self) -> bool {
        match self {
            Self::ProtectedMutation
            | Self::ProtectedRead
            | Self::FileUpload
            | Self::AuthOp
            | Self::Internal => true,
            Self::PublicForm | Self::PublicRead | Self::Webhook => false,
        }
    }
}
