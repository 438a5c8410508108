//! Makes findings of what the rules hit.

use portcullis_code::project::Project;
use portcullis_report::{Finding, Fix, Location, Place, Step, fingerprint};
use rustc_hash::FxHashMap;

use super::location::{location, snippet};
use crate::{
    route::Site,
    rule::{Check, FileHit, Hit, PolicyHit, Rule},
};

/// Hits become findings: those of one rule at one place are one finding, and those of a rule about the whole are one.
pub(super) fn findings(project: &Project, hits: Vec<(&'static Rule, Hit)>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut of_key: FxHashMap<(&'static str, Option<Site>, String), usize> = FxHashMap::default();
    for (rule, hit) in hits {
        let grouped = matches!(rule.check, Check::Inventory(_));
        let site = location(project, hit.site);
        let symbol = hit.route.clone().unwrap_or_else(|| site.file.clone());
        let print = fingerprint(rule.id, &symbol, snippet(project, hit.site));
        let place = Place {
            location: site.clone(),
            route: hit.route.clone(),
            fingerprint: print.clone(),
        };
        let severity = hit.severity.unwrap_or(rule.severity);
        let key = (
            rule.id,
            (!grouped).then_some(hit.site),
            format!(
                "{severity:?}{}",
                if grouped { hit.message.as_str() } else { "" }
            ),
        );
        if let Some(&at) = of_key.get(&key) {
            if let Some(finding) = found.get_mut(at)
                && !finding.places.contains(&place)
            {
                finding.places.push(place);
            }
            continue;
        }
        of_key.insert(key, found.len());
        let why = hit
            .why
            .iter()
            .map(|(at, text)| Step {
                location: at.map(|at| location(project, at)),
                text: text.clone(),
            })
            .collect();
        found.push(Finding {
            rule: rule.id,
            class: rule.class,
            control: rule.control,
            basis: hit.basis.unwrap_or(rule.basis),
            severity,
            confidence: hit.confidence.unwrap_or(rule.confidence),
            location: site,
            route: hit.route,
            places: vec![place],
            message: hit.message,
            why,
            fix: hit.fix.map(|description| Fix {
                description,
                edits: Vec::new(),
            }),
            fingerprint: print,
            suppressed: None,
        });
    }
    found
}

/// What is wrong with applications as a whole, each a finding of its own.
pub(super) fn of_files(project: &Project, hits: Vec<(&'static Rule, FileHit)>) -> Vec<Finding> {
    hits.into_iter()
        .map(|(rule, hit)| {
            let text = match project.module_at(&hit.file) {
                Some(module) => Some(&project.module(module).text),
                None => project.text_at(&hit.file),
            };
            let location = match text {
                Some(text) => Location::in_text(hit.file.clone(), text, hit.bytes),
                None => Location::of_file(hit.file.clone()),
            };
            let print = fingerprint(rule.id, &hit.file, &hit.message);
            let place = Place {
                location: location.clone(),
                route: None,
                fingerprint: print.clone(),
            };
            Finding {
                rule: rule.id,
                class: rule.class,
                control: rule.control,
                basis: rule.basis,
                severity: hit.severity.unwrap_or(rule.severity),
                confidence: hit.confidence.unwrap_or(rule.confidence),
                location,
                route: None,
                places: vec![place],
                message: hit.message,
                why: hit
                    .why
                    .into_iter()
                    .map(|text| Step {
                        location: None,
                        text,
                    })
                    .collect(),
                fix: Some(Fix {
                    description: hit.fix,
                    edits: Vec::new(),
                }),
                fingerprint: print,
                suppressed: None,
            }
        })
        .collect()
}

/// What is wrong in the policy file: those of one rule that say the same are one finding.
pub(super) fn of_policy(file: &str, hits: Vec<(&'static Rule, PolicyHit)>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (rule, hit) in hits {
        let place = Place {
            location: line_of(file, &hit),
            fingerprint: fingerprint(rule.id, &hit.route, ""),
            route: Some(hit.route.clone()),
        };
        let known = found
            .iter_mut()
            .find(|finding| finding.rule == rule.id && finding.message == hit.message);
        if let Some(finding) = known {
            finding.places.push(place);
            continue;
        }
        found.push(Finding {
            rule: rule.id,
            class: rule.class,
            control: rule.control,
            basis: rule.basis,
            severity: rule.severity,
            confidence: rule.confidence,
            location: place.location.clone(),
            route: Some(hit.route),
            fingerprint: place.fingerprint.clone(),
            places: vec![place],
            message: hit.message,
            why: Vec::new(),
            fix: Some(Fix {
                description: hit.fix,
                edits: Vec::new(),
            }),
            suppressed: None,
        });
    }
    found
}

fn line_of(file: &str, hit: &PolicyHit) -> Location {
    let line = u32::try_from(hit.place.line).unwrap_or(u32::MAX);
    let column = u32::try_from(hit.place.column).unwrap_or(u32::MAX);
    Location {
        line,
        column,
        end_line: line,
        end_column: column,
        bytes: hit.place.span.clone(),
        ..Location::of_file(file)
    }
}
