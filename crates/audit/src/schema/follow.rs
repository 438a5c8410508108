//! Follows names to what they stand for, over imports, `require` and destructuring.

use portcullis_code::body::{
    Body, Export, Exported, ExprKind, Import, ImportName, LocalId, ModuleId,
};
use portcullis_code::resolve::Resolved;
use ustr::Ustr;

use super::code::{Code, Place, STEPS_MAX};

/// Where a dotted name begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// A package, by its specifier.
    Package(Ustr),
    /// Anything else, a parameter for one.
    Other,
}

/// A dotted name with where it begins: `mongoose.Schema.Types.ObjectId`.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) names: Vec<Ustr>,
}

impl Path {
    pub(crate) fn last(&self) -> Option<&str> {
        self.names.last().map(Ustr::as_str)
    }

    pub(crate) fn is_from(&self, package: &str) -> bool {
        match self.root {
            Root::Package(specifier) => {
                let rest = specifier.as_str().strip_prefix(package);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Root::Other => false,
        }
    }
}

impl Code<'_> {
    /// The expression that an argument or value stands for, names followed to what they were given.
    pub(crate) fn follow(&self, at: Place) -> Place {
        self.bounded(|| self.last_step(at)).unwrap_or(at)
    }

    fn last_step(&self, at: Place) -> Place {
        let mut at = at;
        for _ in 0..STEPS_MAX {
            match self.step(at) {
                Some(next) if next != at => at = next,
                Some(_) | None => break,
            }
        }
        at
    }

    fn step(&self, at: Place) -> Option<Place> {
        match self.kind(at) {
            ExprKind::Local(local) => {
                let body = self.body(at.module);
                if let Some(import) = imported(body, *local) {
                    return self.exported(at.module, import.specifier, import.name);
                }
                let (expr, member) = *self.definitions(at.module)?.values.get(local)?;
                let value = Place {
                    module: at.module,
                    expr,
                };
                match member {
                    None => Some(value),
                    Some(name) => self.member(value, name),
                }
            }
            ExprKind::Member { object, name, .. } => self.member(
                Place {
                    module: at.module,
                    expr: *object,
                },
                *name,
            ),
            ExprKind::Await(inner) => Some(Place {
                module: at.module,
                expr: *inner,
            }),
            _ => None,
        }
    }

    /// A member of an object literal, or an export of a module that is taken whole.
    fn member(&self, object: Place, name: Ustr) -> Option<Place> {
        if let Some(specifier) = self.required(object) {
            return self.exported(object.module, specifier, ImportName::Named(name));
        }
        if let ExprKind::Local(local) = self.kind(object)
            && let Some(import) = imported(self.body(object.module), *local)
            && import.name == ImportName::Namespace
        {
            return self.exported(object.module, import.specifier, ImportName::Named(name));
        }
        let object = match self.kind(object) {
            ExprKind::Local(local) if imported(self.body(object.module), *local).is_none() => {
                let (expr, member) = *self.definitions(object.module)?.values.get(local)?;
                let value = Place {
                    module: object.module,
                    expr,
                };
                if let (Some(specifier), None) = (self.required(value), member) {
                    return self.exported(object.module, specifier, ImportName::Named(name));
                }
                value
            }
            _ => object,
        };
        self.properties(object)
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The specifier of `require("...")`.
    pub(crate) fn required(&self, at: Place) -> Option<Ustr> {
        let ExprKind::Call { callee, args, .. } = self.kind(at) else {
            return None;
        };
        let ExprKind::Global(name) = self.kind(Place {
            module: at.module,
            expr: *callee,
        }) else {
            return None;
        };
        if *name != "require" {
            return None;
        }
        self.text(Place {
            module: at.module,
            expr: args.first()?.value,
        })
    }

    fn exported(&self, from: ModuleId, specifier: Ustr, name: ImportName) -> Option<Place> {
        let (mut from, mut specifier, mut name) = (from, specifier, name);
        for _ in 0..STEPS_MAX {
            let Resolved::Module(module) = self.project.resolve(from, specifier) else {
                return None;
            };
            let ImportName::Named(wanted) = name else {
                return None;
            };
            let body = self.body(module);
            let export = body.exports.iter().find(|export| export.name == wanted);
            match export.map(|export: &Export| export.what) {
                Some(Exported::Expr(expr)) => return Some(Place { module, expr }),
                Some(Exported::Local(local)) => {
                    let (expr, member) = *self.definitions(module)?.values.get(&local)?;
                    let value = Place { module, expr };
                    return member.map_or(Some(value), |name| self.member(value, name));
                }
                Some(Exported::From {
                    specifier: next,
                    name: next_name,
                }) => {
                    (from, specifier, name) = (module, next, next_name);
                }
                Some(Exported::All { .. }) | None => {
                    if let Some(expr) = self.definitions(module)?.exports.get(&wanted) {
                        return Some(Place {
                            module,
                            expr: *expr,
                        });
                    }
                    let through = body.exports.iter().find_map(|export| match export.what {
                        Exported::All { specifier } => {
                            self.exported_directly(module, specifier, wanted)
                        }
                        Exported::Local(_) | Exported::Expr(_) | Exported::From { .. } => None,
                    });
                    return through;
                }
            }
        }
        None
    }

    /// An export of a module that another one passes on whole; looked for one step deep.
    fn exported_directly(&self, from: ModuleId, specifier: Ustr, wanted: Ustr) -> Option<Place> {
        let Resolved::Module(module) = self.project.resolve(from, specifier) else {
            return None;
        };
        let export = self
            .body(module)
            .exports
            .iter()
            .find(|export| export.name == wanted)?;
        match export.what {
            Exported::Expr(expr) => Some(Place { module, expr }),
            Exported::Local(local) => {
                let (expr, _) = *self.definitions(module)?.values.get(&local)?;
                Some(Place { module, expr })
            }
            Exported::From { .. } | Exported::All { .. } => None,
        }
    }

    /// The dotted name that an expression is.
    pub(crate) fn path(&self, at: Place) -> Option<Path> {
        self.path_within(at, STEPS_MAX)
    }

    fn path_within(&self, at: Place, steps: usize) -> Option<Path> {
        let steps = steps.checked_sub(1)?;
        let here = |expr| Place {
            module: at.module,
            expr,
        };
        if let Some(specifier) = self.required(at) {
            return Some(self.path_of_module(at.module, specifier, None));
        }
        match self.kind(at) {
            ExprKind::Local(local) => {
                let body = self.body(at.module);
                if let Some(import) = imported(body, *local) {
                    let name = match import.name {
                        ImportName::Named(name) => Some(name),
                        ImportName::Namespace => None,
                    };
                    let elsewhere = self.exported(at.module, import.specifier, import.name);
                    return match elsewhere.and_then(|place| self.path_within(place, steps)) {
                        Some(path) => Some(path),
                        None => Some(self.path_of_module(at.module, import.specifier, name)),
                    };
                }
                let defined = self.definitions(at.module)?.values.get(local).copied();
                let followed = defined.and_then(|(expr, member)| {
                    let mut path = self.path_within(here(expr), steps)?;
                    path.names.extend(member);
                    Some(path)
                });
                Some(followed.unwrap_or_else(|| Path {
                    root: Root::Other,
                    names: vec![body.local(*local).name],
                }))
            }
            ExprKind::Global(name) => Some(Path {
                root: Root::Other,
                names: vec![*name],
            }),
            ExprKind::This => Some(Path {
                root: Root::Other,
                names: vec![Ustr::from("this")],
            }),
            ExprKind::Member { object, name, .. } => {
                let mut path = self.path_within(here(*object), steps)?;
                path.names.push(*name);
                Some(path)
            }
            _ => None,
        }
    }

    fn path_of_module(&self, from: ModuleId, specifier: Ustr, name: Option<Ustr>) -> Path {
        let root = match self.project.resolve(from, specifier) {
            Resolved::Package { specifier } => Root::Package(specifier),
            // A package that is not installed is still the one that is meant.
            Resolved::Unresolved if !specifier.as_str().starts_with(['.', '/']) => {
                Root::Package(specifier)
            }
            Resolved::Module(_) | Resolved::Asset | Resolved::Unresolved => Root::Other,
        };
        Path {
            root,
            names: name.into_iter().collect(),
        }
    }
}

fn imported(body: &Body, local: LocalId) -> Option<&Import> {
    let import = body.local(local).import?;
    body.imports.get(usize::try_from(import).ok()?)
}
