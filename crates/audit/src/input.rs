//! The opaque inputs of a route's entries: what a framework hands to a handler, by tag.

use portcullis_code::value::{Value, ValueId, Values};
use ustr::ustr;

use crate::discover::convex::SERVER;

/// What a framework hands to a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// A web `Request` (Next.js route handlers, middleware).
    WebRequest,
    /// The second argument of a Next.js route handler: `{ params }`.
    Context,
    /// A Node request as Express hands it out (`body`, `params`, `query`, `headers`, `cookies`, `ip`).
    NodeRequest,
    /// A Node request of a Next.js page route: `query` holds the path's parameters too.
    PagesRequest,
    /// A Node response.
    Response,
    /// Goes on with the next link of a chain.
    Next,
    /// The properties of a page: `{ params, searchParams }`.
    PageProps,
    /// The error that an error handler is given.
    Error,
    /// An argument of a remote procedure (server action): chosen by the client.
    Argument(u8),
    /// An argument of a remote procedure that a schema was applied to before.
    CheckedArgument,
    /// What Convex hands to every function: the database, who calls, other functions.
    ConvexContext,
    /// What a function in the cloud is called with: a request of a gateway, or what another service says.
    CloudEvent,
    /// A middleware's event argument, or anything else that says nothing.
    Other,
}

const FIXED: [Input; 12] = [
    Input::WebRequest,
    Input::Context,
    Input::NodeRequest,
    Input::PagesRequest,
    Input::Response,
    Input::Next,
    Input::PageProps,
    Input::Error,
    Input::Other,
    Input::CheckedArgument,
    Input::ConvexContext,
    Input::CloudEvent,
];
const FIRST_ARGUMENT: u32 = 100;

impl Input {
    /// The tag that stands for it on the machine.
    #[must_use]
    pub fn tag(self) -> u32 {
        match self {
            Self::Argument(number) => FIRST_ARGUMENT + u32::from(number),
            fixed => FIXED
                .iter()
                .position(|known| *known == fixed)
                .and_then(|at| u32::try_from(at).ok())
                .unwrap_or(0),
        }
    }

    /// What a tag stands for.
    #[must_use]
    pub fn of(tag: u32) -> Self {
        match tag.checked_sub(FIRST_ARGUMENT) {
            Some(number) => Self::Argument(u8::try_from(number).unwrap_or(u8::MAX)),
            None => FIXED.get(tag as usize).copied().unwrap_or(Self::Other),
        }
    }

    /// The value that stands for it.
    pub fn value(self, values: &mut Values) -> ValueId {
        // What its members do is the package's: rows speak of them by this name.
        if self == Self::ConvexContext {
            return values.make(Value::External(ustr(SERVER), ustr("ctx")));
        }
        values.make(Value::Input(self.tag()))
    }
}
