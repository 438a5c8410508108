//! `Scope`: on which requests a middleware runs.

use portcullis_policy::Method;

use super::route_path::RoutePath;
use crate::matcher::{Dialect, Match, PathPattern, samples};

/// Which paths.
#[derive(Debug)]
enum Paths {
    Every,
    Under(Option<PathPattern>),
    Whole(Option<PathPattern>),
    /// A regular expression on what comes behind the first so many bytes of a sample.
    RegExp(usize, Option<PathPattern>),
}

/// On which requests a middleware runs.
#[derive(Debug)]
pub(super) struct Scope {
    path: RoutePath,
    paths: Paths,
    method: Method,
}

/// A route that a scope is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'r> {
    /// Its path as registered.
    pub(super) path: &'r RoutePath,
    /// A request that it answers.
    pub(super) sample: &'r str,
    /// Its method.
    pub(super) method: Method,
}

impl Scope {
    /// Of a middleware that is used under a path: below `base`, where its container is mounted, at `path`.
    pub(super) fn under(base: &RoutePath, path: &RoutePath, dialect: Dialect) -> Self {
        // `app.use("*", f)` runs on everything that its container is given.
        let everything = ["*", "/*", "(.*)", "/(.*)"].contains(&path.text.as_str())
            || path.text.starts_with("{*") && path.text.ends_with('}')
            || path.text.starts_with("/{*") && path.text.ends_with('}');
        let path = if everything {
            base.clone()
        } else {
            path.below(base)
        };
        let paths = if let Some((source, flags)) = path.regexp {
            let behind = path
                .canonical(dialect)
                .first()
                .and_then(|_| base.canonical(dialect).first().cloned())
                .map_or(0, |base| sample(&base).trim_end_matches('/').len());
            Paths::RegExp(
                behind,
                PathPattern::compile_regexp(&source, &flags, dialect).ok(),
            )
        } else if path.text.trim_end_matches('/').is_empty() {
            Paths::Every
        } else {
            Paths::Under(PathPattern::compile_mount(&path.text, dialect).ok())
        };
        Self {
            path,
            paths,
            method: Method::Any,
        }
    }

    /// Of the functions of a route that go on to later routes of the same path.
    pub(super) fn of_route(path: &RoutePath, method: Method, dialect: Dialect) -> Self {
        let pattern = PathPattern::compile(&path.text, dialect).ok();
        Self {
            path: path.clone(),
            paths: Paths::Whole(pattern),
            method,
        }
    }

    /// Whether the middleware runs on every request that the route answers, as far as that is certain.
    pub(super) fn covers(&self, route: Asked<'_>) -> bool {
        if self.method != Method::Any && self.method != route.method {
            return false;
        }
        let certain = !self.path.has_hole && !route.path.has_hole && route.path.regexp.is_none();
        let tried = |pattern: &Option<PathPattern>, text: &str| {
            certain
                && pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.is_match(text) == Match::Yes)
        };
        match &self.paths {
            Paths::Every => true,
            Paths::Under(pattern) => {
                starts_with_segments(&route.path.text, &self.path.text)
                    || tried(pattern, route.sample)
            }
            Paths::Whole(pattern) => tried(pattern, route.sample),
            Paths::RegExp(behind, pattern) => {
                starts_with_segments(&route.path.text, &self.path.text)
                    && route.sample.get(*behind..).is_some_and(|rest| {
                        tried(pattern, if rest.is_empty() { "/" } else { rest })
                    })
            }
        }
    }
}

/// A request that a template answers.
pub(super) fn sample(template: &str) -> String {
    samples(template)
        .into_iter()
        .next()
        .map(|sample| sample.path)
        .unwrap_or_default()
}

/// Whether a path begins with another, letter case aside, up to the end of a segment.
fn starts_with_segments(path: &str, start: &str) -> bool {
    let start = start.trim_end_matches('/');
    path.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
        && path
            .get(start.len()..)
            .is_some_and(|tail| tail.is_empty() || tail.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RoutePath {
        RoutePath {
            text: text.to_owned(),
            ..RoutePath::default()
        }
    }

    #[test]
    fn a_middleware_runs_under_its_path_up_to_the_end_of_a_segment() {
        for (used, route, covered) in [
            ("/admin", "/admin", true),
            ("/admin", "/Admin/x", true),
            ("/admin", "/admins", false),
            ("/", "/admins", true),
            ("*", "/admins", true),
            ("/users/:id", "/users/:name/posts", true),
            ("/users/:id", "/users/me", true),
            ("/users/me", "/users/:id", false),
            ("/api/*", "/api/x", true),
        ] {
            let scope = Scope::under(&RoutePath::default(), &path(used), Dialect::Express4);
            let route = path(route);
            let template = route.canonical(Dialect::Express4).remove(0);
            let asked = Asked {
                path: &route,
                sample: &sample(&template),
                method: Method::Get,
            };
            assert_eq!(scope.covers(asked), covered, "{used} on {}", route.text);
        }
    }
}
