//! `Mentions`: who names the remote procedures of a project, by `api.folder.file.function` or as a text.

use portcullis_code::{
    body::{Body, Const, ExprId, ExprKind, ImportName},
    project::{Module, Project},
};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::route::Site;

/// How deep folders are nested at most.
const PATH_MAX: usize = 12;

/// What starts a remote procedure beside its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Starter {
    /// A cron job.
    Cron,
    /// The scheduler, after some time.
    Scheduler,
    /// Another function, which waits for it.
    Function,
}

/// Who names a remote procedure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mention {
    /// Code beside it, which runs on the same server.
    pub inside: bool,
    /// Other code: pages, scripts, other servers.
    pub outside: bool,
    /// What of the code beside it starts it, the first of these, and where.
    pub started: Option<(Starter, Site)>,
}

/// Who names the remote procedures of a project.
#[derive(Clone, Debug, Default)]
pub struct Mentions {
    by_name: FxHashMap<String, Mention>,
}

impl Mentions {
    /// Looks for the names of procedures, each with the file that declares it.
    pub(crate) fn of<'n>(
        project: &Project,
        procedures: impl Iterator<Item = (&'n str, &'n str)>,
    ) -> Self {
        let mut by_name: FxHashMap<String, Mention> = FxHashMap::default();
        let mut folders: Vec<String> = Vec::new();
        for (name, file) in procedures {
            by_name.insert(name.to_owned(), Mention::default());
            if let Some(folder) = folder(name, file)
                && !folders.contains(&folder)
            {
                folders.push(folder);
            }
        }
        if by_name.is_empty() {
            return Self::default();
        }
        for module in project.modules() {
            let inside = folders
                .iter()
                .any(|folder| module.file.starts_with(folder.as_str()));
            for name in names(&module.body) {
                if let Some(mention) = by_name.get_mut(&name) {
                    mention.inside |= inside;
                    mention.outside |= !inside;
                }
            }
            for (name, starter, site) in started(module) {
                if let Some(mention) = by_name.get_mut(&name) {
                    let known = mention.started.filter(|known| known.0 <= starter);
                    mention.started = known.or(Some((starter, site)));
                }
            }
        }
        Self { by_name }
    }

    /// Who names a procedure; nobody where it is not known.
    #[must_use]
    pub fn of_procedure(&self, name: &str) -> Mention {
        self.by_name.get(name).copied().unwrap_or_default()
    }

    /// Whether the project has code outside that names any procedure: without, nothing can be told from silence.
    #[must_use]
    pub fn has_clients(&self) -> bool {
        self.by_name.values().any(|mention| mention.outside)
    }
}

/// The folder that a procedure's name counts from: `convex/` for `admin/users:purge` in `convex/admin/users.ts`.
fn folder(name: &str, file: &str) -> Option<String> {
    let (path, _) = name.rsplit_once(':')?;
    let (stem, _) = file.rsplit_once('.')?;
    stem.strip_suffix(path).map(str::to_owned)
}

/// The names in a module that may be those of procedures.
fn names(body: &Body) -> Vec<String> {
    let mut found = Vec::new();
    for (at, expr) in body.exprs.iter().enumerate() {
        match &expr.kind {
            ExprKind::Member { .. } => found.extend(referenced(body, ExprId::at(at))),
            ExprKind::Const(Const::Str(text)) if text.contains(':') => found.push(text.to_string()),
            _ => {}
        }
    }
    found
}

/// The names in a module that are handed to something which starts what they name: `ctx.scheduler.runAfter(0, api.a.b)`.
fn started(module: &Module) -> Vec<(String, Starter, Site)> {
    let body = &module.body;
    let has_crons = body.imports.iter().any(|import| {
        matches!(import.name, ImportName::Named(name) if name == "cronJobs")
            && import.specifier == "convex/server"
    });
    let mut found = Vec::new();
    for expr in &body.exprs {
        let ExprKind::Call { callee, args, .. } = &expr.kind else {
            continue;
        };
        let ExprKind::Member { name, .. } = &body.expr(*callee).kind else {
            continue;
        };
        let starter = match name.as_str() {
            "runAfter" | "runAt" => Starter::Scheduler,
            "runQuery" | "runMutation" | "runAction" => Starter::Function,
            "interval" | "hourly" | "daily" | "weekly" | "monthly" | "cron" if has_crons => {
                Starter::Cron
            }
            _ => continue,
        };
        let site = Site {
            module: module.id,
            span: expr.span,
        };
        let named = args.iter().filter_map(|arg| referenced(body, arg.value));
        found.extend(named.map(|name| (name, starter, site)));
    }
    found
}

/// `admin/users:purge` of `internal.admin.users.purge`.
fn referenced(body: &Body, at: ExprId) -> Option<String> {
    let mut path: Vec<Ustr> = Vec::new();
    let mut at = at;
    loop {
        match &body.expr(at).kind {
            ExprKind::Member { object, name, .. } if path.len() < PATH_MAX => {
                path.push(*name);
                at = *object;
            }
            ExprKind::Local(local) => {
                let import = body.local(*local).import?;
                let import = body.imports.get(usize::try_from(import).ok()?)?;
                let generated = import.specifier.as_str();
                let generated = generated.strip_suffix(".js").unwrap_or(generated);
                let is_api = match import.name {
                    ImportName::Named(name) => matches!(name.as_str(), "api" | "internal"),
                    ImportName::Namespace => false,
                };
                // Packages of a workspace pass it on under their own names.
                let is_generated = generated.ends_with("_generated/api")
                    || generated.contains("convex") && !generated.starts_with("convex/");
                if !is_api || !is_generated {
                    return None;
                }
                break;
            }
            _ => return None,
        }
    }
    let (export, folders) = path.split_first()?;
    let folders: Vec<&str> = folders.iter().rev().map(Ustr::as_str).collect();
    (!folders.is_empty()).then(|| format!("{}:{export}", folders.join("/")))
}
