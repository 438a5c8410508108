//! `portcullis explain requirement`: what a seed asks for, and what of the program answers it.

use portcullis_audit::RULES;
use portcullis_catalogue::{Answer, Catalogue, Coverage, Mapping, Requirement};
use portcullis_policy::closest;

use super::auto_color;
use crate::answers;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::explaining::paint::Paint;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(id: &str, environment: &Environment) -> Result<Exit, Failure> {
    let catalogue = answers::catalogue()?;
    let requirement = called(&catalogue, id)?;
    output::write(&told(requirement, Paint(auto_color(environment))), None)?;
    Ok(Exit::Clean)
}

/// The lines under a rule's page that say which requirements the rule answers; none where it answers none.
pub(super) fn answered_by_rule(id: &str) -> Result<String, Failure> {
    let catalogue = answers::catalogue()?;
    let rule = Answer::Rule(id.to_owned());
    let mut text = String::new();
    for (coverage, says) in [(true, "answers of the seeds"), (false, "answers in part")] {
        let ids = catalogue.answered_by(&rule);
        let ids = ids.filter(|one| one.answered_by.contains(&rule) == coverage);
        let ids: Vec<&str> = ids.map(|one| one.id.as_str()).collect();
        if !ids.is_empty() {
            text.push_str(&format!("{says}: {}\n", ids.join(", ")));
        }
    }
    Ok(text)
}

/// The requirement of that id, or an error that says which was probably meant.
fn called<'c>(catalogue: &'c Catalogue, id: &str) -> Result<&'c Requirement, Failure> {
    catalogue.find(id).ok_or_else(|| {
        let ids = catalogue.requirements().iter().map(|one| one.id.as_str());
        let meant = match closest(id, ids) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`portcullis dump catalogue` lists them".to_owned(),
        };
        Failure::usage(format!("there is no requirement `{id}`; {meant}"))
    })
}

fn told(requirement: &Requirement, paint: Paint) -> String {
    let applies: Vec<&str> = requirement
        .applies_when
        .iter()
        .map(|word| word.as_str())
        .collect();
    let mut text = format!(
        "{}: {}\nseed {}, {}\n{}, applies: {}, business of {}\n",
        paint.bold(&requirement.id),
        requirement.title,
        requirement.seed,
        requirement.section,
        requirement.level,
        applies.join(" or "),
        requirement.verb,
    );
    if let Some(mapping) = &requirement.mapping {
        text.push_str(&format!("{}\n", mapped(mapping)));
    }
    text.push('\n');
    for (list, says) in [
        (&requirement.answered_by, "answered by"),
        (&requirement.partly_by, "answered in part by"),
    ] {
        for answer in list {
            text.push_str(&format!("{says} {}\n", answering(answer, paint)));
        }
    }
    if requirement.coverage() == Coverage::NotYet {
        text.push_str("nothing answers it yet\n");
    }
    if let Some(instead) = &requirement.instead {
        text.push_str(&format!("\n{} {instead}\n", paint.warning("instead:")));
    }
    text
}

fn mapped(mapping: &Mapping) -> String {
    let asvs = mapping.asvs.as_ref().map(|asvs| format!("ASVS {asvs}"));
    let entries = [mapping.cwe.clone(), asvs, mapping.owasp.clone()];
    let entries: Vec<String> = entries.into_iter().flatten().collect();
    let by = match mapping.by {
        portcullis_catalogue::MappedBy::Seed => "as the seed says",
        portcullis_catalogue::MappedBy::Ours => "as we say",
    };
    format!("{}, {by}", entries.join(", "))
}

/// The answer, and where to read on.
fn answering(answer: &Answer, paint: Paint) -> String {
    let more = match answer {
        Answer::Rule(id) => {
            let summary = RULES.iter().find(|rule| rule.id == id);
            let summary = summary.map_or("", |rule| rule.summary);
            format!("{summary}; `portcullis explain rule {id}`")
        }
        Answer::Control(_) => "the guard enforces it".to_owned(),
        Answer::Event(_) => "the guard writes it down".to_owned(),
        Answer::Reason(_) => "the guard refuses the request".to_owned(),
        Answer::Secret(_) => "no guard starts with a secret like that".to_owned(),
        Answer::Command(words) => {
            format!("see `portcullis {} --help`", words.replace('-', " "))
        }
    };
    format!("{}: {more}", paint.bold(&answer.to_string()))
}
