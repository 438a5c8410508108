//! `Digests`: what a module says and what a unit made, as digests that are the same where both are.

use portcullis_code::{
    body::ModuleId,
    machine::Machine,
    project::Project,
    resolve::Resolved,
    track::{Reads, Unit, UnitId, UnitName},
};
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::{
    knowledge::Knowledge,
    whole::{Answer, Question},
};

/// Half of a SHA-256: beyond chance, and beyond whoever would like one file to pass for another.
pub(super) type Digest = [u8; 16];

/// The digests of one project, whose modules are loaded.
#[derive(Debug)]
pub(super) struct Digests {
    modules: Vec<Digest>,
    units: Vec<Digest>,
    whole: Digest,
    by_file: FxHashMap<String, ModuleId>,
    by_name: FxHashMap<String, UnitId>,
}

/// Names what a run read, so that another project can be asked for the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    pub(super) files: Vec<String>,
    pub(super) units: Vec<String>,
    pub(super) questions: Vec<Question>,
    pub(super) whole: bool,
}

impl Digests {
    pub(super) fn of(machine: &Machine<'_>, knowledge: &Knowledge<'_>) -> Self {
        let project = machine.project;
        let modules: Vec<Digest> = (0..project.module_count())
            .map(|index| of_module(project, ModuleId::at(index)))
            .collect();
        let mut all = Sha256::new();
        for digest in &modules {
            all.update(digest);
        }
        for name in project.names() {
            part(&mut all, name.as_bytes());
        }
        for (file, text) in project.texts() {
            part(&mut all, file.as_bytes());
            part(&mut all, text.as_bytes());
        }
        let whole = finish(all);
        let units = machine.units();
        let digests = of_units(&units, knowledge, &modules, &whole);
        let by_name = units
            .iter()
            .enumerate()
            // What nobody stores in is the same as what nobody asked for.
            .filter(|(_, unit)| !is_group(&unit.name) || !unit.writers.is_empty())
            .map(|(index, unit)| (name_of(project, &unit.name), UnitId::at(index)))
            .collect();
        let by_file = (0..project.module_count())
            .map(ModuleId::at)
            .map(|module| (project.module(module).file.to_string(), module))
            .collect();
        drop(units);
        Self {
            modules,
            units: digests,
            whole,
            by_file,
            by_name,
        }
    }

    pub(super) fn unit(&self, unit: UnitId) -> Digest {
        // What was made later may depend on anything.
        self.units.get(unit.index()).copied().unwrap_or(self.whole)
    }

    pub(super) fn module(&self, file: &str) -> Option<ModuleId> {
        self.by_file.get(file).copied()
    }

    /// What a run read, by names.
    pub(super) fn needs(machine: &Machine<'_>, knowledge: &Knowledge<'_>, reads: &Reads) -> Needs {
        let project = machine.project;
        let units = machine.units();
        let file = |module: &ModuleId| project.module(*module).file.to_string();
        let mut needs = Needs {
            files: reads.modules.iter().map(file).collect(),
            units: reads
                .units
                .iter()
                .filter_map(|unit| units.get(unit.index()))
                .map(|unit| name_of(project, &unit.name))
                .collect(),
            questions: reads
                .asked
                .iter()
                .filter_map(|number| knowledge.question(*number))
                .collect(),
            whole: reads.whole,
        };
        needs.files.sort_unstable();
        needs.units.sort_unstable();
        needs
    }

    /// The digest of all that is needed, as it is in this project; none where something of it is not there.
    pub(super) fn of_needs(&self, knowledge: &Knowledge<'_>, needs: &Needs) -> Option<Digest> {
        let mut hash = Sha256::new();
        for file in &needs.files {
            let module = self.by_file.get(file)?;
            hash.update(self.modules.get(module.index())?);
        }
        for name in &needs.units {
            match self.by_name.get(name) {
                Some(unit) => hash.update(self.units.get(unit.index())?),
                None if is_group_name(name) => hash.update([0; 16]),
                None => return None,
            }
        }
        for question in &needs.questions {
            hash.update(of_answer(knowledge, *question));
        }
        if needs.whole {
            hash.update(self.whole);
        }
        Some(finish(hash))
    }
}

/// What a question about the whole project is answered with.
fn of_answer(knowledge: &Knowledge<'_>, question: Question) -> Digest {
    let mut hash = Sha256::new();
    match knowledge.ask(question) {
        Answer::No => hash.update([0]),
        Answer::Yes => hash.update([1]),
        Answer::At(site) => {
            hash.update([2]);
            part(
                &mut hash,
                knowledge.project.module(site.module).file.as_bytes(),
            );
            hash.update(site.span.start.to_le_bytes());
            hash.update(site.span.end.to_le_bytes());
        }
    }
    finish(hash)
}

/// Text and imports: all that a run reads of a module.
fn of_module(project: &Project, id: ModuleId) -> Digest {
    let module = project.module(id);
    let mut hash = Sha256::new();
    part(&mut hash, module.file.as_bytes());
    part(&mut hash, module.text.as_bytes());
    for (specifier, resolved) in project.specifiers(id) {
        part(&mut hash, specifier.as_bytes());
        match resolved {
            Resolved::Module(other) => {
                hash.update([0]);
                part(&mut hash, project.module(other).file.as_bytes());
            }
            Resolved::Package { specifier } => {
                hash.update([1]);
                part(&mut hash, specifier.as_bytes());
            }
            Resolved::Asset => hash.update([2]),
            Resolved::Unresolved => hash.update([3]),
        }
    }
    finish(hash)
}

/// Whether nobody makes it: it is only stored in.
const fn is_group(name: &UnitName) -> bool {
    match name {
        UnitName::Package(_) | UnitName::Global(_) | UnitName::Rest => true,
        UnitName::Other | UnitName::Module(_) | UnitName::Call(..) => false,
    }
}

/// The same of a name as [`name_of`] writes it.
fn is_group_name(name: &str) -> bool {
    name == "rest" || name.starts_with("p:") || name.starts_with("g:")
}

/// A unit's name as text.
pub(super) fn name_of(project: &Project, name: &UnitName) -> String {
    match name {
        UnitName::Other => "other".to_owned(),
        UnitName::Module(module) => format!("m:{}", project.module(*module).file),
        UnitName::Call(module, at, number) => {
            format!("c:{at}:{number}:{}", project.module(*module).file)
        }
        UnitName::Package(package) => format!("p:{package}"),
        UnitName::Global(global) => format!("g:{global}"),
        UnitName::Rest => "rest".to_owned(),
    }
}

/// The digest of each unit: of what it read itself, and of every unit that it read something of or that stored something in
/// what is its own. Units that lead to each other have one together.
fn of_units(
    units: &[Unit],
    knowledge: &Knowledge<'_>,
    modules: &[Digest],
    whole: &Digest,
) -> Vec<Digest> {
    let edges: Vec<Vec<usize>> = units
        .iter()
        .map(|unit| {
            let mut next: Vec<usize> = unit
                .reads
                .units
                .iter()
                .chain(&unit.writers)
                .map(|unit| unit.index())
                .filter(|index| *index < units.len())
                .collect();
            next.sort_unstable();
            next.dedup();
            next
        })
        .collect();
    let own: Vec<Digest> = units
        .iter()
        .enumerate()
        .map(|(index, unit)| of_one(index, unit, units, knowledge, modules, whole))
        .collect();
    let mut digests = vec![[0; 16]; units.len()];
    for group in groups(&edges) {
        let mut parts: Vec<Digest> = Vec::new();
        for &at in &group {
            parts.extend(own.get(at));
            let next = edges.get(at).into_iter().flatten();
            let outside = next.filter(|next| group.binary_search(next).is_err());
            parts.extend(outside.filter_map(|next| digests.get(*next)));
        }
        parts.sort_unstable();
        let mut hash = Sha256::new();
        for digest in &parts {
            hash.update(digest);
        }
        let digest = finish(hash);
        for at in group {
            if let Some(place) = digests.get_mut(at) {
                *place = digest;
            }
        }
    }
    digests
}

fn of_one(
    index: usize,
    unit: &Unit,
    units: &[Unit],
    knowledge: &Knowledge<'_>,
    modules: &[Digest],
    whole: &Digest,
) -> Digest {
    let project = knowledge.project;
    let mut hash = Sha256::new();
    part(&mut hash, name_of(project, &unit.name).as_bytes());
    // Who stored there last, and what was read before it was there, depends on who came first.
    let mut writers: Vec<&Unit> = unit
        .writers
        .iter()
        .filter_map(|writer| units.get(writer.index()))
        .chain([unit])
        .collect();
    writers.sort_by_key(|writer| writer.began());
    let mut early: Vec<String> = unit
        .early
        .iter()
        .filter_map(|early| units.get(early.index()))
        .map(|early| name_of(project, &early.name))
        .collect();
    early.sort_unstable();
    for writer in writers {
        part(&mut hash, name_of(project, &writer.name).as_bytes());
    }
    part(&mut hash, b"");
    for early in early {
        part(&mut hash, early.as_bytes());
    }
    part(&mut hash, b"");
    let mut read: Vec<&Digest> = unit
        .reads
        .modules
        .iter()
        .filter_map(|module| modules.get(module.index()))
        .collect();
    read.sort_unstable();
    for digest in read {
        hash.update(digest);
    }
    let mut asked: Vec<Digest> = unit
        .reads
        .asked
        .iter()
        .filter_map(|number| Some(of_answer(knowledge, knowledge.question(*number)?)))
        .collect();
    asked.sort_unstable();
    for digest in &asked {
        hash.update(digest);
    }
    if unit.reads.whole || index == UnitId::OTHER.index() {
        hash.update(whole);
    }
    finish(hash)
}

/// The groups of nodes that lead to each other, each after those that it leads to (Tarjan, "Depth-first search and linear
/// graph algorithms", 1972), without recursion.
fn groups(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let count = edges.len();
    let mut number = vec![NEW; count];
    let mut low = vec![0; count];
    let mut is_open = vec![false; count];
    let mut open = Vec::new();
    let mut found = Vec::new();
    let mut next = 0;
    let get = |list: &[usize], at: usize| list.get(at).copied().unwrap_or(NEW);
    let set = |list: &mut [usize], at: usize, value: usize| {
        if let Some(place) = list.get_mut(at) {
            *place = value;
        }
    };
    for root in 0..count {
        if get(&number, root) != NEW {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some((at, step)) = work.pop() {
            if step == 0 {
                set(&mut number, at, next);
                set(&mut low, at, next);
                next += 1;
                open.push(at);
                if let Some(flag) = is_open.get_mut(at) {
                    *flag = true;
                }
            }
            let following = edges.get(at).and_then(|edges| edges.get(step)).copied();
            // Back from the one before: it may reach further up.
            if let Some(before) = step.checked_sub(1).and_then(|it| edges.get(at)?.get(it))
                && is_open.get(*before) == Some(&true)
            {
                let lowest = get(&low, at).min(get(&low, *before));
                set(&mut low, at, lowest);
            }
            if let Some(following) = following {
                work.push((at, step + 1));
                if get(&number, following) == NEW {
                    work.push((following, 0));
                } else if is_open.get(following) == Some(&true) {
                    let lowest = get(&low, at).min(get(&number, following));
                    set(&mut low, at, lowest);
                }
                continue;
            }
            if get(&low, at) == get(&number, at) {
                let mut group = Vec::new();
                while let Some(member) = open.pop() {
                    if let Some(flag) = is_open.get_mut(member) {
                        *flag = false;
                    }
                    group.push(member);
                    if member == at {
                        break;
                    }
                }
                group.sort_unstable();
                found.push(group);
            }
        }
    }
    found
}

/// Adds a part that no other can run into.
pub(super) fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes.len().to_le_bytes());
    hash.update(bytes);
}

pub(super) fn finish(hash: Sha256) -> Digest {
    let mut digest = [0; 16];
    for (place, byte) in digest.iter_mut().zip(hash.finalize()) {
        *place = byte;
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_lead_to_each_other_are_one_group_and_come_after_what_they_lead_to() {
        let edges = vec![vec![1], vec![2, 3], vec![0], vec![4], vec![], vec![5, 3]];
        assert_eq!(groups(&edges), [vec![4], vec![3], vec![0, 1, 2], vec![5]]);
        // A long chain needs no stack.
        let mut chain: Vec<Vec<usize>> = (1..100_000).map(|next| vec![next]).collect();
        chain.push(Vec::new());
        assert_eq!(groups(&chain).len(), 100_000);
    }
}
