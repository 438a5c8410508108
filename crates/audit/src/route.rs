//! A route as discovery finds it, whatever framework it was written in: where it is, and what runs in which order.

use portcullis_code::{
    body::{ModuleId, Span},
    value::ValueId,
};
use portcullis_policy::Method;
use portcullis_report::RouteMethod;

use crate::input::Input;

/// A place in the project's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The module.
    pub module: ModuleId,
    /// The bytes.
    pub span: Span,
}

/// One route: one method and path, or one remote procedure.
#[derive(Clone, Debug)]
pub struct Route {
    /// `nextjs-app`, `nextjs-pages`, `nextjs-action`, `nextjs-page`, `express`, `convex`, `convex-http`; `handler` for a function
    /// that nothing is seen to mount.
    pub framework: &'static str,
    /// The method; `Any` where the framework dispatches every one.
    pub method: Method,
    /// What it is called where it is a remote procedure with a name of its own; the method then only says whether it
    /// changes something.
    pub operation: Option<Operation>,
    /// The canonical path, `/api/items/{id}`; `action:<file>#<export>` for a server action,
    /// `<file>:<export>` for a Convex function.
    pub path: String,
    /// The path as the handler itself reads it (`request.nextUrl.pathname`), where that is known.
    pub pathname: Option<String>,
    /// The declaration (route handlers: the exported name or function; Express: the `router.get(...)` call).
    pub site: Site,
    /// What runs, in order; the last link is the handler.
    pub chain: Vec<Link>,
    /// Under which conditions it exists.
    pub conditions: Vec<String>,
    /// What could not be known about its declaration.
    pub unknowns: Vec<Unknown>,
    /// A library router inside one route (`NextAuth`, uploadthing): its name, else none.
    pub mega: Option<String>,
    /// Whether a browser can be made to call it from another site with cookies, if the framework itself prevents that:
    /// server actions compare Origin and Host.
    pub origin_checked: bool,
}

impl Route {
    /// What it answers: a method of HTTP, or the kind of operation that it is.
    #[must_use]
    pub fn answers(&self) -> RouteMethod {
        match self.operation {
            Some(operation) => RouteMethod::Operation(operation.kind.to_owned()),
            None => self.method.into(),
        }
    }
}

/// A remote procedure that is called by its name and a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `QUERY`, `MUTATION`, `ACTION`, or one of them with `INTERNAL` before it.
    pub kind: &'static str,
    /// Whether no client can call it.
    pub is_internal: bool,
    /// Whether all that it did is undone when it throws: its run is one transaction.
    pub is_transaction: bool,
}

/// What is known of the arguments of a remote procedure before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What is declared of them.
    pub validators: Validators,
    /// Whether a client chooses them; else other functions do.
    pub of_client: bool,
    /// The validators themselves, by the arguments' names.
    pub declared: Option<ValueId>,
    /// Whether something is declared of the answer.
    pub returns: bool,
    /// Whether a library's own code acts on the caller's session, and does nothing without one.
    pub own_session: bool,
}

/// What is declared of the arguments of a remote procedure; the server refuses what does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validators {
    /// That there are none.
    Empty,
    /// What each of them is.
    Complete,
    /// The same, but some of it may be anything.
    Partial,
    /// Nothing.
    Missing,
}

/// One link of a route's chain.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The function value, or the opaque value that a library made.
    pub value: ValueId,
    /// How it is called.
    pub convention: Convention,
    /// Where it stands in front of the handler, or is the handler.
    pub role: LinkRole,
    /// Where it was attached.
    pub site: Site,
}

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRole {
    /// A middleware of the whole application or of a router.
    Middleware,
    /// A middleware of this route alone.
    RouteMiddleware,
    /// The handler.
    Handler,
}

/// How a link is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// `(request, { params })`, returns a response.
    Web,
    /// `(req, res)` of a Next.js page route.
    Pages,
    /// `(req, res, next)`.
    Express,
    /// `(error, req, res, next)`.
    ExpressError,
    /// The arguments of a remote procedure.
    Action,
    /// `({ params, searchParams })`, returns markup.
    Page,
    /// `(ctx, args)` of a Convex function.
    Convex(Arguments),
    /// The same, returns what is added to the context of what runs after it.
    ConvexContext(Arguments),
    /// The same, returns `{ ctx }` with what is added to the context.
    ConvexInput(Arguments),
    /// `(ctx, request)` of a Convex HTTP action, returns a response.
    ConvexHttp,
    /// `(event, context, callback)` of a function in the cloud, returns `{ statusCode, headers, body }`.
    Cloud,
}

impl Convention {
    /// What a link of this convention is given.
    #[must_use]
    pub fn inputs(self) -> Vec<Input> {
        match self {
            Self::Web => vec![Input::WebRequest, Input::Context],
            Self::Pages => vec![Input::PagesRequest, Input::Response],
            Self::Express => vec![Input::NodeRequest, Input::Response, Input::Next],
            Self::ExpressError => vec![
                Input::Error,
                Input::NodeRequest,
                Input::Response,
                Input::Next,
            ],
            Self::Action => (0..6).map(Input::Argument).collect(),
            Self::Page => vec![Input::PageProps],
            Self::Convex(arguments)
            | Self::ConvexContext(arguments)
            | Self::ConvexInput(arguments) => {
                let args = match arguments.validators {
                    _ if !arguments.of_client => Input::Other,
                    Validators::Empty | Validators::Complete => Input::CheckedArgument,
                    Validators::Partial | Validators::Missing => Input::Argument(0),
                };
                vec![Input::ConvexContext, args]
            }
            Self::ConvexHttp => vec![Input::ConvexContext, Input::WebRequest],
            Self::Cloud => vec![Input::CloudEvent, Input::Other, Input::Other],
        }
    }
}

/// Something that could not be known, with its reason code (frameworks: U1 to U10).
#[derive(Clone, Debug)]
pub struct Unknown {
    /// `U1` a guard outside the project; `U2` a path that is not constant; `U3` dynamic registration; `U4` a matcher that
    /// cannot be read; `U5` a library router; `U6` authorization in the database; `U7` ownership beyond what is followed;
    /// `U8` a condition on configuration; `U9` where a role comes from; `U10` a file that could not be read.
    pub code: &'static str,
    /// Where.
    pub site: Option<Site>,
    /// What.
    pub reason: String,
}
