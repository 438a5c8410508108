//! Which files the run of a route leads through.

use std::collections::BTreeSet;

use portcullis_code::{body::ModuleId, machine::Machine, project::Project, value::FrameId};
use portcullis_report::Traces;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{discover::express, judge::Judgement, middleware::Cover, route::Route};

/// The modules in which something happens in the run of a route, and those that declare what runs. The run is still open.
pub(super) fn modules(
    machine: &Machine<'_>,
    route: &Route,
    judgement: &Judgement,
    cover: Option<&Cover>,
) -> BTreeSet<ModuleId> {
    let mut found = BTreeSet::from([route.site.module]);
    found.extend(route.chain.iter().map(|link| link.site.module));
    found.extend(cover.map(|cover| cover.site.module));
    let mut known: FxHashSet<FrameId> = FxHashSet::default();
    for event in &judgement.events {
        found.insert(event.module);
        let mut at = event.frame;
        while let Some(id) = at
            && known.insert(id)
            && let Some(frame) = machine.frame(id)
        {
            found.insert(frame.module);
            found.insert(frame.call_module);
            at = frame.parent;
        }
    }
    found
}

/// Adds the files of a run to those of the route's name. What an application of Express runs before a route is decided by
/// who imports the route's file.
pub(super) fn add(
    traces: &mut Traces,
    importers: &mut Importers,
    project: &Project,
    route: &Route,
    modules: &[ModuleId],
) {
    let name = crate::summary::name_of(route);
    let files = traces.entry(name).or_default();
    let file = |module: ModuleId| project.module(module).file.to_string();
    files.extend(modules.iter().copied().map(file));
    if route.framework == express::FRAMEWORK {
        files.extend(
            importers
                .of(project, route.site.module)
                .iter()
                .copied()
                .map(file),
        );
    }
}

/// Who imports a module, directly or by others.
#[derive(Debug, Default)]
pub(super) struct Importers {
    /// Of each module those that import it themselves.
    direct: Option<FxHashMap<ModuleId, Vec<ModuleId>>>,
    known: FxHashMap<ModuleId, BTreeSet<ModuleId>>,
}

impl Importers {
    fn of(&mut self, project: &Project, module: ModuleId) -> &BTreeSet<ModuleId> {
        let direct = self.direct.get_or_insert_with(|| {
            let mut direct: FxHashMap<ModuleId, Vec<ModuleId>> = FxHashMap::default();
            for importer in project.modules() {
                for imported in project.dependencies(importer.id) {
                    direct.entry(imported).or_default().push(importer.id);
                }
            }
            direct
        });
        self.known.entry(module).or_insert_with(|| {
            let mut found = BTreeSet::new();
            let mut open = vec![module];
            while let Some(at) = open.pop() {
                for importer in direct.get(&at).into_iter().flatten() {
                    if found.insert(*importer) {
                        open.push(*importer);
                    }
                }
            }
            found
        })
    }
}
