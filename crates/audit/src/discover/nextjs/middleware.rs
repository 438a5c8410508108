//! `Middleware`: what runs before the routes of one application, and on which of their paths.

use portcullis_code::{
    body::{Const, Exported, ExprId, ExprKind, ModuleId, Pattern, Property},
    machine::Machine,
    project::{Module, Project},
    value::{Value, ValueId},
};
use ustr::ustr;

use super::{Application, actions::each_variable, app};
use crate::{
    matcher::{Coverage, MatcherEntry, NextMatcher, Sample, SampleKind, samples},
    route::{Route, Site, Unknown},
};

/// The extensions of a middleware.
const EXTENSIONS: [&str; 6] = ["ts", "js", "tsx", "jsx", "mts", "mjs"];
/// The release that renamed `middleware` to `proxy`.
const PROXY_SINCE: u64 = 16;

/// The middleware of an application, or its `proxy`.
#[derive(Clone, Debug)]
pub struct Middleware {
    /// The function, or what a library made.
    pub value: ValueId,
    /// Where it is exported.
    pub site: Site,
    /// The folder of the application.
    pub dir: String,
    /// On which paths it runs; none when that cannot be read.
    pub matcher: Option<NextMatcher>,
    /// What could not be known.
    pub unknowns: Vec<Unknown>,
}

/// The middleware in front of a route.
#[derive(Clone, Debug)]
pub struct Reach<'d> {
    /// The middleware.
    pub middleware: &'d Middleware,
    /// Concrete paths that reach the route, the plain one first, and whether the middleware runs on each.
    pub tries: Vec<Try>,
}

/// A concrete path of a route.
#[derive(Clone, Debug)]
pub struct Try {
    /// The path, without base path and locale.
    pub sample: Sample,
    /// Whether the middleware runs on it.
    pub coverage: Coverage,
    /// Whether a rewrite leads from it to the route; the middleware sees the path before that.
    pub rewritten: bool,
}

/// Whether a folder holds a middleware.
pub(super) fn stands_in(project: &Project, dir: &str) -> bool {
    ["", "src/"].into_iter().any(|below| {
        ["middleware", "proxy"]
            .into_iter()
            .any(|name| module(project, dir, below, name).is_some())
    })
}

fn module(project: &Project, dir: &str, below: &str, name: &str) -> Option<ModuleId> {
    let slash = if dir.is_empty() { "" } else { "/" };
    EXTENSIONS
        .iter()
        .find_map(|extension| project.module_at(&format!("{dir}{slash}{below}{name}.{extension}")))
}

/// The middleware of an application: the file stands beside its routers, anywhere else it is ignored.
pub(super) fn find(machine: &mut Machine<'_>, application: &Application) -> Option<Middleware> {
    let project = machine.project;
    let places: &[&str] = match (application.files.is_empty(), application.in_src) {
        (true, _) => &["", "src/"],
        (false, true) => &["src/"],
        (false, false) => &[""],
    };
    let names: &[&str] = match application.config.major {
        Some(major) if major < PROXY_SINCE => &["middleware"],
        Some(_) => &["proxy", "middleware"],
        None => &["middleware", "proxy"],
    };
    let found = names.iter().find_map(|name| {
        places
            .iter()
            .find_map(|below| Some((*name, module(project, &application.dir, below, name)?)))
    });
    let (name, id) = found?;
    let (value, site) = exported(machine, id, name)?;
    let mut middleware = Middleware {
        value,
        site,
        dir: application.dir.clone(),
        matcher: None,
        unknowns: Vec::new(),
    };
    let unknown = |reason: String| Unknown {
        code: "U4",
        site: Some(site),
        reason,
    };
    match entries(machine, id) {
        Ok(None) => middleware.matcher = Some(NextMatcher::everything()),
        Ok(Some(entries)) => {
            let matcher = NextMatcher::from_sources(&entries, &application.config.options());
            for (source, reason) in matcher.unparsable() {
                let reason = format!("the matcher `{source}` cannot be read: {}", reason.reason);
                middleware.unknowns.push(unknown(reason));
            }
            middleware.matcher = Some(matcher);
        }
        Err(reason) => middleware.unknowns.push(unknown(reason.to_owned())),
    }
    Some(middleware)
}

/// The export of the file's own name, or else the default one.
fn exported(machine: &mut Machine<'_>, module: ModuleId, name: &str) -> Option<(ValueId, Site)> {
    let named = machine
        .export_names(module)
        .into_iter()
        .find(|(known, _)| *known == name);
    match named {
        Some((name, span)) => {
            let value = machine.export(module, name, 0);
            Some((value, Site { module, span }))
        }
        None => app::default_export(machine, module),
    }
}

/// The entries of `config.matcher`; none when there is no matcher.
fn entries(
    machine: &mut Machine<'_>,
    module: ModuleId,
) -> Result<Option<Vec<MatcherEntry>>, &'static str> {
    let file = machine.project.module(module);
    let Some(export) = file
        .body
        .exports
        .iter()
        .find(|export| export.name == "config")
    else {
        return Ok(None);
    };
    // Next.js reads the file without running it, and takes only what is written out in it.
    let Exported::Local(local) = export.what else {
        return Err("the matcher is not written out in the middleware's own file");
    };
    let written = initial(file, local);
    let matcher = match written.map(|written| &file.body.expr(written).kind) {
        Some(ExprKind::Object(members)) => {
            let named = members.iter().find_map(|member| match member {
                Property::Named(name, value) if name == "matcher" => Some(*value),
                _ => None,
            });
            match named {
                Some(matcher) => matcher,
                None if members
                    .iter()
                    .all(|member| matches!(member, Property::Named(..))) =>
                {
                    return Ok(None);
                }
                None => return Err("the matcher is not a constant"),
            }
        }
        _ => return Err("the matcher is not a constant"),
    };
    if !is_literal(file, matcher) {
        return Err("the matcher is not a constant");
    }
    let config = machine.export(module, ustr("config"), 0);
    let matcher = machine.member(config, ustr("matcher"));
    let list = machine.items(matcher).unwrap_or_else(|| vec![matcher]);
    list.into_iter()
        .map(|entry| read_entry(machine, entry).ok_or("a matcher is neither text nor a source"))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn read_entry(machine: &mut Machine<'_>, entry: ValueId) -> Option<MatcherEntry> {
    if let Some(source) = machine.values.as_text(entry) {
        return Some(MatcherEntry::new(source.as_str()));
    }
    if !matches!(machine.values.value(entry), Value::Object(_)) {
        return None;
    }
    let source = machine.member(entry, ustr("source"));
    let mut read = MatcherEntry::new(machine.values.as_text(source)?.as_str());
    for name in ["has", "missing"] {
        let conditions = machine.member(entry, ustr(name));
        let none = machine.items(conditions).map_or_else(
            || machine.values.as_const(conditions).is_some(),
            |list| list.is_empty(),
        );
        read.has_conditions |= !none;
    }
    let locale = machine.member(entry, ustr("locale"));
    read.locale = machine.values.as_const(locale) != Some(Const::Bool(false));
    Some(read)
}

/// The expression that a variable of a module is first given.
fn initial(module: &Module, wanted: portcullis_code::body::LocalId) -> Option<ExprId> {
    let mut found = None;
    let top = module.body.functions.first()?;
    each_variable(&top.body, &mut |target, value| {
        if matches!(target, Pattern::Local(local) if *local == wanted) {
            found = found.or(Some(value));
        }
    });
    found
}

fn is_literal(module: &Module, expr: ExprId) -> bool {
    match &module.body.expr(expr).kind {
        ExprKind::Const(_) => true,
        ExprKind::Template(parts) => parts.iter().all(|part| is_literal(module, *part)),
        ExprKind::Array(items) => items
            .iter()
            .all(|item| !item.spread && is_literal(module, item.value)),
        ExprKind::Object(members) => members.iter().all(
            |member| matches!(member, Property::Named(_, value) if is_literal(module, *value)),
        ),
        _ => false,
    }
}

impl Middleware {
    /// Whether it runs on a path, which is written without base path and locale.
    #[must_use]
    pub fn covers(&self, path: &str) -> Coverage {
        match &self.matcher {
            Some(matcher) => matcher.covers(path),
            None => Coverage::Unknown,
        }
    }

    /// The paths of a route, and whether it runs on each.
    pub(super) fn reach(
        &self,
        project: &Project,
        route: &Route,
        application: &Application,
        pages: &[Route],
    ) -> Reach<'_> {
        let config = &application.config;
        // Next.js tells upper case from lower case, and answers a slash at the end with a redirect.
        let kinds = [
            SampleKind::Plain,
            SampleKind::Dotted,
            SampleKind::EncodedNewline,
        ];
        let mut tries = Vec::new();
        if route.path.starts_with("action:") {
            // An action is called on the path of a page, and which one is up to the client.
            for page in pages {
                let file = &project.module(page.site.module).file;
                if application.within(file).is_some() {
                    let path = config.without_base_path(&page.path);
                    tries.extend(self.tries(path, false, &[SampleKind::Plain]));
                }
            }
            return Reach {
                middleware: self,
                tries,
            };
        }
        let path = config.without_base_path(&route.path);
        tries.extend(self.tries(path, false, &kinds));
        let file = &project.module(route.site.module).file;
        if file.contains("[[...")
            && let Some((above, _)) = path.rsplit_once('/')
        {
            let above = if above.is_empty() { "/" } else { above };
            tries.extend(self.tries(above, false, &kinds));
        }
        for rewrite in config.rewrites_to(path) {
            match rewrite.template() {
                Some(template) => tries.extend(self.tries(&template, true, &kinds)),
                // Its paths cannot be written out.
                None => tries.push(Try {
                    sample: Sample {
                        kind: SampleKind::Plain,
                        path: rewrite.source.clone(),
                    },
                    coverage: Coverage::Unknown,
                    rewritten: true,
                }),
            }
        }
        Reach {
            middleware: self,
            tries,
        }
    }

    /// The samples of some kinds of a path.
    fn tries(&self, template: &str, rewritten: bool, kinds: &[SampleKind]) -> Vec<Try> {
        samples(template)
            .into_iter()
            .filter(|sample| kinds.contains(&sample.kind))
            .map(|sample| Try {
                coverage: self.covers(&sample.path),
                sample,
                rewritten,
            })
            .collect()
    }
}
