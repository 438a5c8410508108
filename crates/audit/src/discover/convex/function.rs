//! The functions that a file exports, each by the name under which clients and other functions call it.

use portcullis_code::{
    body::Const,
    machine::Machine,
    value::{Value, ValueId},
};
use portcullis_policy::Method;
use ustr::ustr;

use super::{
    FUNCTIONS, Functions, arguments,
    backend::{Backend, File},
    builder::{Kind, Registered, Sort, registered},
    library_function,
};
use crate::discover::nextjs::exports;
use crate::route::{Arguments, Convention, Link, LinkRole, Operation, Route, Site};

/// Adds the functions of a file.
pub(super) fn routes(
    machine: &mut Machine<'_>,
    backend: &Backend,
    file: &File,
    routes: &mut Vec<Route>,
    functions: &mut Functions,
) {
    for (name, span) in exports(machine, file.module) {
        let site = Site {
            module: file.module,
            span,
        };
        let value = machine.export(file.module, name, 0);
        let found = registered(machine, value);
        let of_client = |kind: Kind| !kind.is_internal && !backend.is_component;
        let (kind, chain, mega) = match found {
            // Only a router makes an HTTP action reachable.
            Some(Registered {
                kind: Kind {
                    sort: Sort::Http, ..
                },
                ..
            }) => continue,
            Some(found) => {
                let client = of_client(found.kind);
                let arguments = arguments::of_definition(machine, found.definition, client);
                (found.kind, chain(machine, &found, arguments, site), None)
            }
            None => match library_function::of(machine, value) {
                Some(made) => {
                    let arguments = Arguments {
                        validators: made.validators,
                        of_client: of_client(made.kind),
                        declared: None,
                        returns: true,
                        own_session: made.own_session,
                    };
                    let link = Link {
                        value,
                        convention: Convention::Convex(arguments),
                        role: LinkRole::Handler,
                        site,
                    };
                    (made.kind, vec![link], Some(made.maker))
                }
                None => continue,
            },
        };
        if mega.is_none() {
            functions.add(backend, file, name, &chain);
        }
        let is_internal = kind.is_internal || backend.is_component;
        let kind = Kind::new(kind.sort, is_internal);
        let mut conditions = Vec::new();
        if backend.is_component {
            conditions
                .push("a component: only the application that installs it calls it".to_owned());
        }
        routes.push(Route {
            framework: FUNCTIONS,
            // Queries only read, and the server holds them to it.
            method: match kind.sort {
                Sort::Query => Method::Get,
                _ => Method::Post,
            },
            operation: Some(Operation {
                kind: kind.name(),
                is_internal,
                is_transaction: kind.sort == Sort::Mutation,
            }),
            path: format!("{}:{name}", file.name),
            pathname: None,
            site,
            chain,
            conditions,
            unknowns: Vec::new(),
            mega,
            origin_checked: false,
        });
    }
}

/// What runs for a call: what customizes the builder, then the handler.
fn chain(
    machine: &mut Machine<'_>,
    found: &Registered,
    arguments: Arguments,
    site: Site,
) -> Vec<Link> {
    let undefined = machine.values.constant(Const::Undefined);
    let definition = found.definition.unwrap_or(undefined);
    let mut chain = Vec::new();
    for layer in &found.layers {
        if let Some((value, convention)) = customization(machine, *layer, arguments) {
            chain.push(Link {
                value,
                convention,
                role: LinkRole::RouteMiddleware,
                site,
            });
        }
    }
    let handler = match machine.values.value(definition) {
        Value::Object(_) => machine.member(definition, ustr("handler")),
        _ => definition,
    };
    chain.push(Link {
        value: handler,
        convention: Convention::Convex(arguments),
        role: LinkRole::Handler,
        site,
    });
    chain
}

/// The function that a customization runs first, and how: it makes a part of the context, or of context and arguments.
fn customization(
    machine: &mut Machine<'_>,
    layer: ValueId,
    arguments: Arguments,
) -> Option<(ValueId, Convention)> {
    match *machine.values.value(layer) {
        // `{ args: {..}, input: async (ctx, args) => ({ ctx: {..}, args: {..} }) }`
        Value::Object(_) => {
            let input = machine.member(layer, ustr("input"));
            is_there(machine, input).then_some((input, Convention::ConvexInput(arguments)))
        }
        Value::Call(call) => {
            let data = machine.values.call(call);
            let first = data.args.first()?.0;
            let Value::External(package, name) = *machine.values.value(data.callee) else {
                return None;
            };
            if !package.starts_with("convex-helpers") {
                return None;
            }
            match name.as_str() {
                "customCtx" => Some((first, Convention::ConvexContext(arguments))),
                "customCtxAndArgs" => customization(machine, first, arguments),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_there(machine: &Machine<'_>, value: ValueId) -> bool {
    machine.values.as_const(value).is_none()
}
