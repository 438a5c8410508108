//! `Cache`: what was found out about routes in an earlier run, used again where nothing changed that it depends on.
//!
//! A run of a route notes what it reads ([`portcullis_code::track`]). Its result is kept with the digest of all of that:
//! the text and imports of each module that was looked at, and what loading made of those that it found something in. What holds
//! for every route (the program, the rules that run, the policy, the tables, the packages) is one digest for the whole file. Reading
//! and loading are done anew each time, so that this can be compared; a result is used only where every digest is the same, and a
//! file that is damaged, of another program, or not this user's alone is no file.

mod codec;
mod describe;
mod digests;
mod folder;
mod kept;

use std::collections::BTreeMap;
use std::path::Path;

use portcullis_code::{
    body::ModuleId,
    machine::Machine,
    track::{Reads, UnitId},
    value::ValueId,
};
use sha2::{Digest as _, Sha256};

pub(crate) use kept::Kept;

use self::{
    codec::{Keep, Names, Reader, Writer},
    describe::Description,
    digests::{Digest, Digests, Needs, part},
    folder::Place,
};
use crate::{
    discover::nextjs::middleware::Reach, knowledge::Knowledge, options::Options, route::Route,
    shared::Shared,
};

/// What a file begins with; another form has another number.
const MARK: &[u8] = b"portcullis audit cache 2\n";

/// The results of earlier runs, and those of this one.
#[derive(Debug)]
pub(crate) struct Cache {
    place: Place,
    digests: Digests,
    /// What holds for every route.
    common: Digest,
    /// What every route may have read besides.
    always: Needs,
    old: BTreeMap<Digest, Vec<u8>>,
    old_modules: Vec<Option<ModuleId>>,
    old_names: Vec<String>,
    names: Names,
    entries: Vec<(Digest, Vec<u8>)>,
    is_changed: bool,
}

/// One kept result.
struct Entry {
    needs: Needs,
    digest: Digest,
    kept: Vec<u8>,
}

impl Cache {
    /// The cache of a folder's audit, if there is to be one; else why it is not used, where that is worth telling.
    pub(crate) fn open(
        machine: &Machine<'_>,
        shared: &Shared<'_, '_>,
        options: &Options,
        functions: &BTreeMap<String, Vec<ValueId>>,
        always: &Reads,
    ) -> Result<Option<Self>, String> {
        let Some(asked) = &options.cache else {
            return Ok(None);
        };
        let place = Place::new(&asked.folder, &of_file(&asked.root, options));
        if let Err(why) = place.prepare() {
            return Err(format!(
                "the cache in `{}` is not used: {}",
                asked.folder.display(),
                why.text()
            ));
        }
        let digests = Digests::of(machine, shared.knowledge);
        let common = of_all(machine, shared, options, &digests, functions);
        let mut cache = Self {
            always: Digests::needs(machine, shared.knowledge, always),
            place,
            digests,
            common,
            old: BTreeMap::new(),
            old_modules: Vec::new(),
            old_names: Vec::new(),
            names: Names::default(),
            entries: Vec::new(),
            is_changed: false,
        };
        if let Some(bytes) = cache.place.read() {
            // Half of a file is none.
            if cache.load(&bytes).is_none() {
                cache.old.clear();
            }
        }
        Ok(Some(cache))
    }

    /// What names a route with all that was found out about it before it runs; none where that cannot be said.
    pub(crate) fn key(
        &self,
        machine: &Machine<'_>,
        route: &Route,
        reach: Option<&Reach<'_>>,
        is_own: bool,
    ) -> Option<Digest> {
        let mut description = Description::new(&self.digests, machine);
        description.shown(&is_own);
        description.route(route)?;
        description.reach(reach)?;
        Some(description.end())
    }

    /// What was found out about the route, if all that it depends on is as it was.
    pub(crate) fn find(
        &mut self,
        machine: &Machine<'_>,
        knowledge: &Knowledge<'_>,
        key: &Digest,
    ) -> Option<Kept> {
        let bytes = self.old.get(key)?;
        let mut reader = Reader {
            bytes,
            modules: &self.old_modules,
        };
        let entry = Entry::read(&mut reader, &self.old_names)?;
        if self.digests.of_needs(knowledge, &entry.needs)? != entry.digest {
            return None;
        }
        let mut reader = Reader {
            bytes: &entry.kept,
            modules: &self.old_modules,
        };
        let kept = Kept::read(&mut reader)?;
        if !reader.bytes.is_empty() {
            return None;
        }
        self.add(machine, *key, &entry.needs, entry.digest, &kept);
        Some(kept)
    }

    /// Keeps what was found out.
    pub(crate) fn keep(
        &mut self,
        machine: &Machine<'_>,
        knowledge: &Knowledge<'_>,
        key: Digest,
        reads: &Reads,
        kept: &Kept,
    ) {
        let mut needs = Digests::needs(machine, knowledge, reads);
        needs.files.extend(self.always.files.iter().cloned());
        needs.units.extend(self.always.units.iter().cloned());
        needs.questions.extend(&self.always.questions);
        needs.whole |= self.always.whole;
        if let Some(digest) = self.digests.of_needs(knowledge, &needs) {
            self.is_changed = true;
            self.add(machine, key, &needs, digest, kept);
        }
    }

    fn add(
        &mut self,
        machine: &Machine<'_>,
        key: Digest,
        needs: &Needs,
        digest: Digest,
        kept: &Kept,
    ) {
        let file = |module: ModuleId| machine.project.module(module).file.to_string();
        let mut out = Writer {
            bytes: Vec::new(),
            names: &mut self.names,
            file: &file,
        };
        for list in [&needs.files, &needs.units] {
            list.len().keep(&mut out);
            for name in list {
                let number = out.names.number(name);
                number.keep(&mut out);
            }
        }
        needs.questions.keep(&mut out);
        needs.whole.keep(&mut out);
        out.bytes.extend(digest);
        kept.keep(&mut out);
        let bytes = out.bytes;
        self.entries.push((key, bytes));
    }

    /// Writes down what this run knows, if it is not what was there. That it cannot be written is no fault of the audit.
    pub(crate) fn close(self) -> Option<std::io::Error> {
        if !self.is_changed && self.entries.len() == self.old.len() {
            return None;
        }
        let mut names = Names::default();
        let mut out = Writer {
            bytes: Vec::new(),
            names: &mut names,
            file: &|_module| String::new(),
        };
        out.bytes.extend(self.common);
        self.names.list.keep(&mut out);
        self.entries.len().keep(&mut out);
        for (key, bytes) in &self.entries {
            out.bytes.extend(key);
            bytes.len().keep(&mut out);
            out.bytes.extend(bytes);
        }
        let body = out.bytes;
        let mut file = MARK.to_vec();
        file.extend(Sha256::digest(&body));
        file.extend(body);
        self.place.write(&file).err()
    }

    fn load(&mut self, bytes: &[u8]) -> Option<()> {
        let rest = bytes.strip_prefix(MARK)?;
        let (sum, body) = rest.split_at_checked(32)?;
        if Sha256::digest(body).as_slice() != sum {
            return None;
        }
        let mut reader = Reader {
            bytes: body,
            modules: &[],
        };
        if reader.array::<16>()? != self.common {
            return None;
        }
        let names: Vec<String> = Keep::read(&mut reader)?;
        let count = usize::read(&mut reader)?;
        for _ in 0..count {
            let key = reader.array::<16>()?;
            let length = usize::read(&mut reader)?;
            self.old.insert(key, reader.take(length)?.to_vec());
        }
        self.old_modules = names.iter().map(|name| self.digests.module(name)).collect();
        self.old_names = names;
        reader.bytes.is_empty().then_some(())
    }
}

impl Entry {
    fn read(reader: &mut Reader<'_>, names: &[String]) -> Option<Self> {
        let mut list = || -> Option<Vec<String>> {
            let numbers: Vec<u32> = Keep::read(reader)?;
            numbers
                .into_iter()
                .map(|number| names.get(number as usize).cloned())
                .collect()
        };
        let (files, units) = (list()?, list()?);
        Some(Self {
            needs: Needs {
                files,
                units,
                questions: Keep::read(reader)?,
                whole: bool::read(reader)?,
            },
            digest: reader.array()?,
            kept: reader.bytes.to_vec(),
        })
    }
}

/// What names the file: the folder, and in which way it is audited.
fn of_file(root: &Path, options: &Options) -> Digest {
    let mut hash = Sha256::new();
    part(&mut hash, root.as_os_str().as_encoded_bytes());
    part(&mut hash, ways(options).as_bytes());
    digests::finish(hash)
}

fn ways(options: &Options) -> String {
    format!(
        "{:?}",
        (
            options.include_tests,
            &options.only_rules,
            &options.skip_rules,
            options.covers_pages
        )
    )
}

/// What holds for every route.
fn of_all(
    machine: &Machine<'_>,
    shared: &Shared<'_, '_>,
    options: &Options,
    digests: &Digests,
    functions: &BTreeMap<String, Vec<ValueId>>,
) -> Digest {
    let mut description = Description::new(digests, machine);
    description.text(env!("CARGO_PKG_VERSION"));
    description.text(env!("PORTCULLIS_SOURCES"));
    description.text(&ways(options));
    description.shown(&options.policy_digest);
    description.shown(&options.policy);
    description.shown(&shared.schema);
    description.shown(&machine.project.packages());
    for (name, values) in functions {
        description.text(name);
        for value in values {
            if description.value(*value).is_none() {
                // What stands behind the name cannot be said: it may be anything.
                description.shown(&digests.unit(UnitId::OTHER));
            }
        }
    }
    description.end()
}
