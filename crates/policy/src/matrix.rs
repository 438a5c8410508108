//! The decision matrix: which control each type of route needs.

use crate::{Control, RouteType};

/// Whether a control is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Its absence is a finding.
    Required,
    /// Needed where a condition holds (a cookie authenticates, the route is expensive).
    Conditional,
    /// Its absence is as it should be.
    NotNeeded,
}

/// One row per type, one column per control. Controls outside the matrix are `NotNeeded`.
#[must_use]
pub const fn need(kind: RouteType, control: Control) -> Need {
    use Control::{Authentication, Csrf, RateLimit, Signature};
    use Need::{Conditional, NotNeeded, Required};
    use RouteType::{
        AuthOp, FileUpload, Internal, ProtectedMutation, ProtectedRead, PublicForm, PublicRead,
        Webhook,
    };
    match (kind, control) {
        (PublicForm | ProtectedMutation | Webhook | FileUpload | AuthOp, RateLimit) => Required,
        (PublicForm | ProtectedMutation | FileUpload | AuthOp, Csrf) => Conditional,
        (ProtectedRead, RateLimit) => Conditional,
        (ProtectedMutation | ProtectedRead | FileUpload | Internal, Authentication) => Required,
        (Webhook, Signature) => Required,
        (
            PublicForm | PublicRead | ProtectedRead | ProtectedMutation | Webhook | FileUpload
            | AuthOp | Internal,
            _,
        ) => NotNeeded,
    }
}
