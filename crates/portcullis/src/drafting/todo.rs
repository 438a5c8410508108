//! What is missing of each route, as the audit found it.

use std::collections::BTreeMap;

use portcullis_policy::Control;
use portcullis_report::{Finding, Report, Severity};

/// Longest text of a todo, in characters.
const TEXT_MAX: usize = 140;

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Todo {
    /// The worst first.
    rank: u8,
    /// The line: `bola (high): ...`.
    pub(crate) text: String,
}

impl Todo {
    /// What is for a person to decide, without a finding.
    pub(crate) fn to_decide(text: impl Into<String>) -> Self {
        Self {
            rank: 0,
            text: text.into(),
        }
    }
}

/// The findings that nobody suppressed, by route.
#[derive(Debug, Default)]
pub(crate) struct Todos {
    by_route: BTreeMap<String, Vec<Todo>>,
    /// Routes that should know who calls, and the rule that says so.
    asking: BTreeMap<String, &'static str>,
    /// Those that are about no route.
    pub(crate) of_all: Vec<Todo>,
    /// How many, by severity, the worst first.
    pub(crate) counts: BTreeMap<Severity, usize>,
}

impl Todos {
    pub(crate) fn of(report: &Report) -> Self {
        let mut todos = Self::default();
        for finding in report.open() {
            *todos.counts.entry(finding.severity).or_default() += 1;
            let rank = rank(finding.severity);
            let routes = routes_of(finding);
            let id = format!("{} ({})", finding.rule, finding.severity);
            if routes.is_empty() {
                let (at, text) = (&finding.location, short(&finding.message));
                let text = format!("{id}: {text} ({}:{})", at.file, at.line);
                todos.of_all.push(Todo { rank, text });
                continue;
            }
            for route in &routes {
                // What is said of many routes at once says no more of one than the id of the rule.
                let text = match routes.len() {
                    1 => format!("{id}: {}", of_one(&finding.message, route)),
                    _ => id.clone(),
                };
                let todo = Todo { rank, text };
                if is_about_the_caller(finding) {
                    todos
                        .asking
                        .entry((*route).to_owned())
                        .or_insert(finding.rule);
                }
                let of_route = todos.by_route.entry((*route).to_owned()).or_default();
                if !of_route.contains(&todo) {
                    of_route.push(todo);
                }
            }
        }
        for of_route in todos.by_route.values_mut() {
            of_route.sort();
        }
        todos.of_all.sort();
        todos.of_all.dedup();
        todos
    }

    /// What is missing of a route.
    pub(crate) fn of_route(&self, name: &str) -> &[Todo] {
        self.by_route.get(name).map_or(&[], Vec::as_slice)
    }

    /// The rule that says that a route should know who calls, if one does.
    pub(crate) fn asks_for_caller(&self, name: &str) -> Option<&'static str> {
        self.asking.get(name).copied()
    }
}

fn is_about_the_caller(finding: &Finding) -> bool {
    finding.control == Control::Authentication && finding.severity >= Severity::High
}

fn routes_of(finding: &Finding) -> Vec<&str> {
    let mut routes: Vec<&str> = finding
        .places
        .iter()
        .map(|place| &place.route)
        .chain([&finding.route])
        .flatten()
        .map(String::as_str)
        .collect();
    routes.sort_unstable();
    routes.dedup();
    routes
}

const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 1,
        Severity::High => 2,
        Severity::Medium => 3,
        Severity::Low => 4,
    }
}

/// What a finding says of its only route, without naming it.
fn of_one(message: &str, route: &str) -> String {
    let named = format!("`{route}` ");
    short(message.strip_prefix(&named).unwrap_or(message))
}

/// The beginning of a message, cut between words, without the application that it speaks of.
fn short(message: &str) -> String {
    let message = message
        .split_once(" (the application ")
        .map_or(message, |(before, _)| before);
    if message.chars().count() <= TEXT_MAX {
        return message.to_owned();
    }
    let mut text = String::new();
    for word in message.split(' ') {
        if text.chars().count() + 1 + word.chars().count() > TEXT_MAX {
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text.trim_end_matches([',', ':']).to_owned() + " .."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_end_between_words() {
        assert_eq!(short("short"), "short");
        assert_eq!(short("a b (the application in `x`)"), "a b");
        assert_eq!(of_one("`GET /a` asks nobody", "GET /a"), "asks nobody");
        let cut = short(&"word ".repeat(40));
        assert!(cut.ends_with("word ..") && cut.chars().count() <= TEXT_MAX + 3);
    }
}
