//! `portcullis dump`: what the program knows, for other programs.

use portcullis_catalogue::{Answer, Mapping, Requirement, Seed};
use portcullis_report::rules_document;
use serde_json::{Value, json};

use super::{cards, document};
use crate::answers;
use crate::exit::Exit;
use crate::explaining::render_json::tool;
use crate::failure::Failure;
use crate::output;

/// Name and version of the document that lists the requirements.
const CATALOGUE_SCHEMA: &str = "portcullis.catalogue/1";

pub(crate) fn rules() -> Result<Exit, Failure> {
    output::write(&document(rules_document(&cards()))?, None)?;
    Ok(Exit::Clean)
}

/// It depends on the program alone, so it names no commit and no policy.
pub(crate) fn catalogue() -> Result<Exit, Failure> {
    let catalogue = answers::catalogue()?;
    let requirements = catalogue.requirements().iter().map(requirement);
    let value = json!({
        "schema": CATALOGUE_SCHEMA,
        "tool": tool(),
        "seeds": Seed::ALL.iter().map(|seed| self::seed(*seed)).collect::<Vec<_>>(),
        "requirements": requirements.collect::<Vec<_>>(),
    });
    let text = document(serde_json::to_string_pretty(&value))? + "\n";
    output::write(&text, None)?;
    Ok(Exit::Clean)
}

fn seed(seed: Seed) -> Value {
    json!({ "id": seed.as_str(), "subject": seed.subject() })
}

fn requirement(requirement: &Requirement) -> Value {
    let applies_when = requirement.applies_when.iter().map(|word| word.as_str());
    json!({
        "id": requirement.id,
        "seed": requirement.seed.as_str(),
        "section": requirement.section,
        "title": requirement.title,
        "level": requirement.level.as_str(),
        "applies_when": applies_when.collect::<Vec<_>>(),
        "verb": requirement.verb.as_str(),
        "coverage": requirement.coverage().as_str(),
        "answered_by": names(&requirement.answered_by),
        "partly_by": names(&requirement.partly_by),
        "mapping": requirement.mapping.as_ref().map(mapping),
        "instead": requirement.instead,
    })
}

fn names(answers: &[Answer]) -> Vec<String> {
    answers.iter().map(ToString::to_string).collect()
}

fn mapping(mapping: &Mapping) -> Value {
    json!({
        "cwe": mapping.cwe,
        "asvs": mapping.asvs,
        "owasp": mapping.owasp,
        "by": mapping.by.as_str(),
    })
}
