//! `RuleDump`: what `portcullis dump rules` prints, read and checked.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::dumped::{self, list, word};
use crate::environment::Environment;

const SCHEMA: &str = "portcullis.rules/1";

/// Every registered rule, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleDump {
    pub(crate) rules: Vec<RuleRow>,
}

/// One rule: a row of the table rule, class, control.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleRow {
    pub(crate) id: String,
    pub(crate) class: String,
    pub(crate) control: String,
    pub(crate) severity: String,
    pub(crate) confidence: String,
    pub(crate) basis: String,
    pub(crate) cwe: Vec<String>,
    pub(crate) asvs: Vec<String>,
    pub(crate) owasp: Vec<String>,
    pub(crate) summary: String,
    pub(crate) page: String,
}

impl RuleDump {
    /// Asks the binary of this workspace.
    pub(crate) fn ask(environment: &Environment) -> Result<Self> {
        Self::parse(&dumped::ask(environment, "rules")?)
            .context("cannot read what `portcullis dump rules` printed")
    }

    /// Refuses another schema, a missing or ill-typed key, and an id that occurs twice.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let document = dumped::document(text, SCHEMA)?;
        let rules = dumped::entries(&document, "rules")?;
        let mut rules: Vec<RuleRow> = rules.iter().map(RuleRow::parse).collect::<Result<_>>()?;
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        for pair in rules.windows(2) {
            if let [one, other] = pair
                && one.id == other.id
            {
                bail!("rule `{}` is there twice", one.id);
            }
        }
        Ok(Self { rules })
    }
}

impl RuleRow {
    /// A rule of no control has no word there, and tidy has its say.
    fn parse(rule: &Value) -> Result<Self> {
        let id = word(rule, "id")?;
        let row = |id: &str| -> Result<Self> {
            Ok(Self {
                id: id.to_owned(),
                class: word(rule, "class")?,
                control: word(rule, "control")?,
                severity: word(rule, "severity")?,
                confidence: word(rule, "confidence")?,
                basis: word(rule, "basis")?,
                cwe: list(rule, "cwe")?,
                asvs: list(rule, "asvs")?,
                owasp: list(rule, "owasp")?,
                summary: word(rule, "summary")?,
                page: word(rule, "page")?,
            })
        };
        row(&id).with_context(|| format!("rule `{id}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::RuleDump;

    const ONE: &str = r##"{"id":"csrf-missing","class":"csrf-missing","control":"csrf","severity":"high",
        "confidence":"high","basis":"matrix","cwe":[352],"asvs":["3.5.1"],"owasp":["API2:2023"],
        "summary":"s","page":"# csrf-missing\n"}"##;

    fn dump(rules: &str) -> String {
        format!(r#"{{"schema":"portcullis.rules/1","rules":[{rules}]}}"#)
    }

    #[test]
    fn a_rule_is_read_with_everything_it_says() {
        let rules = RuleDump::parse(&dump(ONE)).unwrap().rules;
        assert_eq!(rules.len(), 1);
        assert_eq!(
            (rules[0].id.as_str(), rules[0].cwe.as_slice()),
            ("csrf-missing", &["352".to_owned()][..])
        );
    }

    #[test]
    fn what_is_not_the_dump_is_refused() {
        let other = dump(ONE).replace("rules/1", "rules/2");
        let twice = dump(&format!("{ONE},{ONE}"));
        let short = dump(&ONE.replace(r#""class":"csrf-missing","#, ""));
        for (text, why) in [
            ("", "not JSON"),
            ("{}", "`schema`"),
            (other.as_str(), "`portcullis.rules/2`"),
            (twice.as_str(), "twice"),
            (short.as_str(), "`class`"),
        ] {
            let error = format!("{:#}", RuleDump::parse(text).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
