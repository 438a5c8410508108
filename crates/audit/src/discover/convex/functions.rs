//! `Functions`: what a backend's functions are found by where others run them by reference.

use std::collections::BTreeMap;

use portcullis_code::{project::Project, value::ValueId};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use super::{
    backend::{Backend, File, innermost},
    installed::Installed,
    reference::{Called, Reference},
};
use crate::route::{Convention, Link};

/// A function that others run, with what customizes it before.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// What runs first, in order; each adds to the context.
    pub(crate) layers: Vec<(ValueId, Convention)>,
    /// The handler.
    pub(crate) handler: ValueId,
    /// Whether it is one of a component, which is told nothing of who calls.
    pub(crate) is_of_component: bool,
}

/// The functions of all backends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Functions {
    /// By the folder of the backend and the name in it; none where two are called the same.
    by_name: FxHashMap<(String, String), Option<Function>>,
    /// The folders of all backends.
    dirs: Vec<String>,
    installed: Vec<Installed>,
}

impl Functions {
    pub(super) fn new(backends: &[Backend], installed: &[Installed]) -> Self {
        Self {
            by_name: FxHashMap::default(),
            dirs: backends.iter().map(|backend| backend.dir.clone()).collect(),
            installed: installed.to_vec(),
        }
    }

    /// Adds the function that a file of a backend exports under a name.
    pub(super) fn add(&mut self, backend: &Backend, file: &File, name: Ustr, chain: &[Link]) {
        let Some((handler, layers)) = chain.split_last() else {
            return;
        };
        let function = Function {
            layers: layers
                .iter()
                .map(|link| (link.value, link.convention))
                .collect(),
            handler: handler.value,
            is_of_component: backend.is_component,
        };
        let key = (backend.dir.clone(), format!("{}:{name}", file.own_name));
        let known = self.by_name.entry(key);
        known
            .and_modify(|known| *known = None)
            .or_insert(Some(function));
    }

    /// The function that a call runs.
    pub(crate) fn find(&self, project: &Project, called: &Called) -> Option<&Function> {
        let file = &project.module(called.module).file;
        let (dir, name) = match &called.reference {
            Reference::Own(name) => (self.own(file), name),
            Reference::OfComponent(component, name) => (self.component(file, *component), name),
        };
        let key = (dir?.to_owned(), name.clone());
        self.by_name.get(&key)?.as_ref()
    }

    /// The folder of the backend that a file is of; of the only one, where it is of none.
    fn own(&self, file: &str) -> Option<&str> {
        let dirs = || self.dirs.iter().map(String::as_str);
        let only = || dirs().next().filter(|_| self.dirs.len() == 1);
        innermost(dirs(), file).or_else(only)
    }

    /// The folder of a component that a file calls by a name. A class that is handed `components.counter` may stand
    /// anywhere: then the name decides, where it is that of one component only.
    fn component(&self, file: &str, name: Ustr) -> Option<&str> {
        let own = self.own(file);
        let called = || self.installed.iter().filter(|it| it.name == name);
        if let Some(near) = called().find(|it| Some(it.parent.as_str()) == own) {
            return Some(&near.dir);
        }
        let first = called().next()?;
        called()
            .all(|it| it.dir == first.dir)
            .then_some(first.dir.as_str())
    }

    /// All that decides which function a reference leads to, in an order of its own.
    pub(crate) fn named(&self) -> BTreeMap<String, Vec<ValueId>> {
        let mut named = BTreeMap::new();
        for ((dir, name), function) in &self.by_name {
            let Some(function) = function else { continue };
            let values = function.layers.iter().map(|layer| layer.0);
            let values = values.chain([function.handler]).collect();
            named.insert(format!("{dir} {name}"), values);
        }
        for it in &self.installed {
            named.insert(
                format!("{} installs {} as {}", it.parent, it.dir, it.name),
                Vec::new(),
            );
        }
        named
    }
}
