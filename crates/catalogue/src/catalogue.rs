//! `Catalogue`: all requirements, in the order of the seeds.

use std::collections::BTreeSet;

use crate::seed_file::read_file;
use crate::{Answer, CatalogueError, Fault, Requirement, Seed};

/// Requirements in the order of the seeds, each id once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    requirements: Vec<Requirement>,
}

impl Catalogue {
    /// Reads files and checks each requirement, and that none is twice, out of order or skipped.
    ///
    /// # Errors
    /// With every fault of the texts; where there is none, with every fault of the order.
    pub fn read(files: &[(Seed, &str)]) -> Result<Self, CatalogueError> {
        let mut faults = Vec::new();
        let mut requirements = Vec::new();
        for (seed, text) in files {
            requirements.extend(read_file(*seed, text, &mut faults));
        }
        if faults.is_empty() {
            faults = faults_of_order(&requirements);
        }
        if faults.is_empty() {
            Ok(Self { requirements })
        } else {
            Err(CatalogueError(faults))
        }
    }

    /// Refuses a catalogue that has more or fewer requirements of a seed than the seed has.
    ///
    /// # Errors
    /// With one fault for each such seed.
    pub fn complete(self) -> Result<Self, CatalogueError> {
        let fault = |seed: &Seed| {
            let of_seed = || self.requirements.iter().filter(|one| one.seed == *seed);
            let (count, must) = (of_seed().count(), seed.count());
            (count != must).then(|| Fault {
                seed: *seed,
                line: of_seed().next_back().map_or(1, |last| last.line),
                message: format!("it has {count} requirements, and the seed has {must}"),
            })
        };
        let faults: Vec<Fault> = Seed::ALL.iter().filter_map(fault).collect();
        if faults.is_empty() {
            Ok(self)
        } else {
            Err(CatalogueError(faults))
        }
    }

    /// Every requirement.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The requirement of that id, however its letters are written.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Requirement> {
        let mut all = self.requirements.iter();
        all.find(|requirement| requirement.id.eq_ignore_ascii_case(id))
    }

    /// The requirements that this answers, whole or in part.
    pub fn answered_by(&self, answer: &Answer) -> impl Iterator<Item = &Requirement> {
        let names = move |one: &&Requirement| one.answers().any(|named| named == answer);
        self.requirements.iter().filter(names)
    }
}

/// The ids of a section are numbered from 01, its requirements stand together, and no section stands twice. So an id
/// that is there twice, or was left out, shows.
fn faults_of_order(requirements: &[Requirement]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut prefixes = BTreeSet::new();
    let mut sections = BTreeSet::new();
    let mut before: Option<(&Requirement, &str, u32)> = None;
    for requirement in requirements {
        let mut fault = |message: String| {
            faults.push(Fault {
                seed: requirement.seed,
                line: requirement.line,
                message: format!("`{}` {message}", requirement.id),
            });
        };
        let Some((prefix, number)) = parts(&requirement.id) else {
            fault("does not end in a number".to_owned());
            continue;
        };
        let same = before.filter(|(_, last, _)| *last == prefix);
        if let Some((last, _, last_number)) = same {
            if number != last_number.saturating_add(1) {
                fault(format!("follows `{}`", last.id));
            }
            if last.section != requirement.section {
                let id = &last.id;
                fault(format!(
                    "has another section than `{id}`, whose number it continues"
                ));
            }
        } else {
            if !prefixes.insert(prefix) {
                fault(format!("stands apart from the others of `{prefix}`"));
            }
            if number != 1 {
                fault(format!("is the first of `{prefix}`, which begins with 01"));
            }
            if !sections.insert((requirement.seed, requirement.section.as_str())) {
                fault(format!(
                    "has the section `{}`, which another has",
                    requirement.section
                ));
            }
        }
        before = Some((requirement, prefix, number));
    }
    faults
}

/// What stands before the number, and the number.
fn parts(id: &str) -> Option<(&str, u32)> {
    let (prefix, number) = id.rsplit_once('-')?;
    Some((prefix, number.parse().ok()?))
}
