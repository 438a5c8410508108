//! `RouteName`: one route as an `[[except]]` names it, METHOD and PATH.

use std::fmt;
use std::str::FromStr;

use crate::function_name::is_kind;
use crate::malformed::quoted;
use crate::{FunctionName, Malformed, Method, Name, PathTemplate};

/// What the name of a server action begins with. It is printed as `POST`, which it is, and has no path.
const ACTION: &str = "action:";

/// The name of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteName {
    /// `GET /api/export`.
    Http {
        /// The method; `ANY` is the handler that answers every method, not each of them.
        method: Method,
        /// The path, as one route writes it.
        path: PathTemplate,
    },
    /// `MUTATION messages:send`, `POST action:app/actions.ts#save`: a function that is not called by path.
    Operation {
        /// The word that the inventory of routes prints before it, in capitals.
        kind: Name,
        /// The function.
        name: FunctionName,
    },
}

impl RouteName {
    /// Whether both name the same route. Parameters may be called differently.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Http { method, path },
                Self::Http {
                    method: another,
                    path: other_path,
                },
            ) => method == another && path.same_paths(other_path),
            (one, another) => one == another,
        }
    }
}

impl FromStr for RouteName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((word, rest)) = text.split_once(' ') else {
            let message = format!(
                "{} is no route: write a method and a path, `GET /api/export`",
                quoted(text)
            );
            return Err(Malformed::whole(text, message));
        };
        let rest_start = word.len() + 1;
        let is_method = word.parse::<Method>().is_ok() && !rest.starts_with(ACTION);
        if rest.starts_with('/') || is_method {
            let method = word.parse::<Method>().map_err(|fault| Malformed {
                at: 0..word.len(),
                suggestion: fault.suggestion.map(|word| format!("{word} {rest}")),
                ..fault
            })?;
            let path = PathTemplate::parse(rest).map_err(|fault| Malformed {
                at: rest_start + fault.at.start..rest_start + fault.at.end,
                suggestion: fault.suggestion.map(|path| format!("{word} {path}")),
                ..fault
            })?;
            return Ok(Self::Http { method, path });
        }
        match (is_kind(word), rest.parse::<FunctionName>()) {
            (true, Ok(name)) => Ok(Self::Operation {
                kind: word.parse()?,
                name,
            }),
            _ => {
                let message = format!(
                    "{} is neither `METHOD /path` nor `KIND module:operation`",
                    quoted(text)
                );
                Err(Malformed::whole(text, message))
            }
        }
    }
}

impl fmt::Display for RouteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { method, path } => write!(f, "{method} {path}"),
            Self::Operation { kind, name } => write!(f, "{kind} {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_the_edges() {
        for (text, wrong_at) in [
            ("GET /api/export", None),
            ("ANY /", None),
            ("MUTATION messages:send", None),
            ("POST action:app/actions.ts#save", None),
            ("POST messages:send", Some(5..18)),
            ("SERVER_ACTION action:app/actions.ts#save", None),
            ("/api/export", Some(0..11)),
            ("get /api/export", Some(0..3)),
            ("FETCH /api/export", Some(0..5)),
            ("GET /api/:id", Some(9..10)),
            ("GET  /api", Some(4..9)),
            ("mutation messages:send", Some(0..22)),
            ("MUTATION send", Some(0..13)),
        ] {
            let read = text.parse::<RouteName>();
            assert_eq!(read.err().map(|fault| fault.at), wrong_at, "{text}");
        }
    }

    #[test]
    fn suggestions_are_whole_names() {
        let meant = |text: &str| text.parse::<RouteName>().expect_err(text).suggestion;
        assert_eq!(meant("get /api/export").as_deref(), Some("GET /api/export"));
        assert_eq!(meant("GET /api/:id").as_deref(), Some("GET /api/{id}"));
    }

    #[test]
    fn a_route_keeps_its_name_when_a_parameter_is_renamed() {
        let name = |text: &str| text.parse::<RouteName>().unwrap();
        assert!(name("GET /a/{id}").is(&name("GET /a/{slug}")));
        assert!(!name("GET /a/{id}").is(&name("POST /a/{id}")));
        let action = "POST action:app/actions.ts#save";
        assert_eq!(name(action).to_string(), action);
        assert!(name(action).is(&name(action)));
        assert!(!name("GET /a/{*all}").is(&name("GET /a/{id}")));
    }
}
