//! `CatalogueDump`: what `portcullis dump catalogue` prints, read and checked.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::dumped::{self, list, word};
use crate::environment::Environment;

const SCHEMA: &str = "portcullis.catalogue/1";

/// Every requirement of the seeds, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CatalogueDump {
    pub(crate) seeds: Vec<SeedRow>,
    pub(crate) requirements: Vec<RequirementRow>,
}

/// One seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeedRow {
    pub(crate) id: String,
    pub(crate) subject: String,
}

/// One requirement. What is null there is empty here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequirementRow {
    pub(crate) id: String,
    pub(crate) seed: String,
    pub(crate) section: String,
    pub(crate) title: String,
    pub(crate) level: String,
    pub(crate) applies_when: Vec<String>,
    pub(crate) verb: String,
    pub(crate) coverage: Coverage,
    pub(crate) answered_by: Vec<String>,
    pub(crate) partly_by: Vec<String>,
    pub(crate) cwe: String,
    pub(crate) asvs: String,
    pub(crate) owasp: String,
    pub(crate) mapped_by: String,
    pub(crate) instead: String,
}

/// How much of a requirement is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Coverage {
    Answered,
    Partly,
    #[default]
    NotYet,
}

impl Coverage {
    fn of(word: &str) -> Result<Self> {
        match word {
            "answered" => Ok(Self::Answered),
            "partly" => Ok(Self::Partly),
            "not_yet" => Ok(Self::NotYet),
            _ => bail!("`{word}` is no coverage"),
        }
    }
}

impl CatalogueDump {
    /// Asks the binary of this workspace.
    pub(crate) fn ask(environment: &Environment) -> Result<Self> {
        Self::parse(&dumped::ask(environment, "catalogue")?)
            .context("cannot read what `portcullis dump catalogue` printed")
    }

    /// Refuses another schema, a missing or ill-typed key, and a seed that is not listed.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let document = dumped::document(text, SCHEMA)?;
        let seeds = dumped::entries(&document, "seeds")?;
        let seeds: Vec<SeedRow> = seeds.iter().map(SeedRow::parse).collect::<Result<_>>()?;
        let requirements = dumped::entries(&document, "requirements")?;
        let requirements: Vec<RequirementRow> = requirements
            .iter()
            .map(RequirementRow::parse)
            .collect::<Result<_>>()?;
        for row in &requirements {
            if !seeds.iter().any(|seed| seed.id == row.seed) {
                bail!(
                    "`{}` is of seed `{}`, which is not listed",
                    row.id,
                    row.seed
                );
            }
        }
        Ok(Self {
            seeds,
            requirements,
        })
    }
}

impl SeedRow {
    fn parse(seed: &Value) -> Result<Self> {
        Ok(Self {
            id: word(seed, "id")?,
            subject: word(seed, "subject")?,
        })
    }
}

impl RequirementRow {
    fn parse(row: &Value) -> Result<Self> {
        let id = word(row, "id")?;
        Self::of(row, &id).with_context(|| format!("requirement `{id}`"))
    }

    fn of(row: &Value, id: &str) -> Result<Self> {
        let mapping = row.get("mapping").context("there is no `mapping`")?;
        let mapped = |key: &str| match mapping {
            Value::Null => Ok(String::new()),
            mapping => word(mapping, key),
        };
        Ok(Self {
            id: id.to_owned(),
            seed: word(row, "seed")?,
            section: word(row, "section")?,
            title: word(row, "title")?,
            level: word(row, "level")?,
            applies_when: list(row, "applies_when")?,
            verb: word(row, "verb")?,
            coverage: Coverage::of(&word(row, "coverage")?)?,
            answered_by: list(row, "answered_by")?,
            partly_by: list(row, "partly_by")?,
            cwe: mapped("cwe")?,
            asvs: mapped("asvs")?,
            owasp: mapped("owasp")?,
            mapped_by: mapped("by")?,
            instead: word(row, "instead")?,
        })
    }
}

#[cfg(test)]
pub(crate) mod made {
    //! A small catalogue, for tests.

    use super::{CatalogueDump, Coverage, RequirementRow, SeedRow};

    /// Two seeds: the first has two sections and an answer of each sort, the second one requirement.
    pub(crate) fn dump() -> CatalogueDump {
        let seed = |id: &str, subject: &str| SeedRow {
            id: id.to_owned(),
            subject: subject.to_owned(),
        };
        let row = |id: &str, seed: &str, section: &str, verb: &str| RequirementRow {
            id: id.to_owned(),
            seed: seed.to_owned(),
            section: section.to_owned(),
            title: format!("Do {id} | well"),
            level: "must".to_owned(),
            applies_when: vec!["api".to_owned(), "tokens".to_owned()],
            verb: verb.to_owned(),
            ..RequirementRow::default()
        };
        CatalogueDump {
            seeds: vec![seed("000", "Operating"), seed("001", "Reviewing")],
            requirements: vec![
                RequirementRow {
                    coverage: Coverage::Answered,
                    answered_by: vec!["rule:csrf-missing".to_owned()],
                    cwe: "CWE-352".to_owned(),
                    asvs: "5.0.0-3.5.1".to_owned(),
                    mapped_by: "seed".to_owned(),
                    ..row("S0-A-01", "000", "First", "audit")
                },
                RequirementRow {
                    coverage: Coverage::Partly,
                    partly_by: vec!["control:rate_limit".to_owned(), "event:x".to_owned()],
                    instead: "We do the other.".to_owned(),
                    ..row("S0-A-02", "000", "First", "guard")
                },
                row("S0-B-01", "000", "Second", "probe"),
                row("S1-A-01", "001", "First", "audit"),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CatalogueDump, Coverage};

    const ONE: &str = r#"{"id":"S0-A-01","seed":"000","section":"s","title":"t","level":"must",
        "applies_when":["always"],"verb":"audit","coverage":"partly","answered_by":[],
        "partly_by":["rule:csrf-missing"],"mapping":{"cwe":"CWE-352","asvs":null,"owasp":null,"by":"ours"},
        "instead":null}"#;

    fn dump(requirement: &str) -> String {
        format!(
            r#"{{"schema":"portcullis.catalogue/1","seeds":[{{"id":"000","subject":"x"}}],"requirements":[{requirement}]}}"#
        )
    }

    #[test]
    fn a_requirement_is_read_with_everything_it_says() {
        let read = CatalogueDump::parse(&dump(ONE)).unwrap();
        let row = &read.requirements[0];
        assert_eq!(row.coverage, Coverage::Partly);
        assert_eq!(row.partly_by, ["rule:csrf-missing"]);
        assert_eq!((row.cwe.as_str(), row.asvs.as_str()), ("CWE-352", ""));
        let mapping = r#"{"cwe":"CWE-352","asvs":null,"owasp":null,"by":"ours"}"#;
        let without = dump(&ONE.replace(mapping, "null"));
        let read = CatalogueDump::parse(&without).unwrap();
        assert_eq!(read.requirements[0].mapped_by, "");
    }

    #[test]
    fn what_is_not_the_dump_is_refused() {
        for (text, why) in [
            (String::new(), "not JSON"),
            (
                dump(ONE).replace("catalogue/1", "catalogue/2"),
                "`portcullis.catalogue/2`",
            ),
            (
                dump(&ONE.replace("\"partly\"", "\"mostly\"")),
                "`mostly` is no coverage",
            ),
            (dump(&ONE.replace("\"000\"", "\"007\"")), "seed `007`"),
            (
                dump(&ONE.replace("\"verb\"", "\"verbs\"")),
                "requirement `S0-A-01`: there is no `verb`",
            ),
        ] {
            let error = format!("{:#}", CatalogueDump::parse(&text).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
